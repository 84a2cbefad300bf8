#include "feedrate/dataset/manifest.h"

#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/base/whole_file.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kManifestBytesMax = std::uint64_t{16} << 20U;  // It has some kilobytes.
constexpr int kVersion = 2;  // 1 had "subfolders" where 2 has layout, labels and options

std::unexpected<Error> not_ours(std::string_view origin, std::string_view why) {
  return fail(ErrorKind::kCorrupt,
              fmt::format("{} is not a feedrate manifest: {}", quote_path(origin), why),
              "use another directory; this one was not written by this version of feedrate");
}

template <class Value>
bool find_value(std::string_view text, std::initializer_list<Value> known, Value& value) {
  for (const Value candidate : known)
    if (to_string(candidate) == text) {
      value = candidate;
      return true;
    }
  return false;
}

Result<> read_placement(const nlohmann::json& json, std::string_view origin, DatasetPlan& plan) {
  using enum DirectoryLayout;
  using enum LabelPlacement;
  json.at("folders").get_to(plan.folders);
  json.at("label_bytes").get_to(plan.label_bytes);
  json.at("format_options").get_to(plan.format_options);
  if (!find_value(json.at("layout").get<std::string>(),
                  {kFlat, kSubfolders, kClassFolders, kHashed}, plan.layout))
    return not_ours(origin, "unknown layout");
  if (!find_value(json.at("labels").get<std::string>(),
                  {kRecord, kDirectory, kSideFile, kManifest, kNone}, plan.labels))
    return not_ours(origin, "unknown labels");
  if (plan.layout == kSubfolders && plan.folders == 0) return not_ours(origin, "no folders");
  return {};
}

}  // namespace

std::string manifest_to_json(const Manifest& manifest) {
  const DatasetPlan& plan = manifest.plan;
  const nlohmann::ordered_json json{{"feedrate_manifest", kVersion},
                                    {"complete", manifest.complete},
                                    {"workload", plan.workload},
                                    {"format", plan.format},
                                    {"files", plan.files},
                                    {"samples_per_file", plan.samples_per_file},
                                    {"sample_bytes_mean", plan.sample_bytes_mean},
                                    {"sample_bytes_stdev", plan.sample_bytes_stdev},
                                    {"classes", plan.classes},
                                    {"seed", plan.seed},
                                    {"compressibility", plan.compressibility},
                                    {"layout", to_string(plan.layout)},
                                    {"folders", plan.folders},
                                    {"labels", to_string(plan.labels)},
                                    {"label_bytes", plan.label_bytes},
                                    {"format_options", plan.format_options}};
  return json_text(json) + "\n";
}

Result<Manifest> manifest_from_json(std::string_view text, std::string_view origin) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return not_ours(origin, "it is not a JSON object");
  try {
    const int version = json.at("feedrate_manifest").get<int>();
    if (version > kVersion) return not_ours(origin, "it was written by a newer version");
    Manifest manifest;
    DatasetPlan& plan = manifest.plan;
    json.at("complete").get_to(manifest.complete);
    json.at("workload").get_to(plan.workload);
    json.at("format").get_to(plan.format);
    json.at("files").get_to(plan.files);
    json.at("samples_per_file").get_to(plan.samples_per_file);
    json.at("sample_bytes_mean").get_to(plan.sample_bytes_mean);
    json.at("sample_bytes_stdev").get_to(plan.sample_bytes_stdev);
    json.at("classes").get_to(plan.classes);
    json.at("seed").get_to(plan.seed);
    json.at("compressibility").get_to(plan.compressibility);
    // Data sets of version 1 are still read. They had no layout but subfolders.
    if (version == 1) {
      json.at("subfolders").get_to(plan.folders);
      if (plan.folders > 0) plan.layout = DirectoryLayout::kSubfolders;
    } else {
      FEEDRATE_CHECK(read_placement(json, origin, plan));
    }
    if (plan.classes == 0 || plan.sample_bytes_mean < 1) return not_ours(origin, "zero sizes");
    return manifest;
  } catch (const nlohmann::json::exception& problem) {
    return not_ours(origin, problem.what());
  }
}

Result<Manifest> read_manifest(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kManifestName);
  const auto text = read_whole_file(path, kManifestBytesMax);
  if (!text && text.error() == ENOENT)
    return fail(Error::storage(ErrorKind::kNotFound, "open", path, 0, 0, "no manifest"));
  if (!text && (text.error() == EINVAL || text.error() == EFBIG))
    return fail(ErrorKind::kCorrupt,
                fmt::format("{}: {}", quote_path(path),
                            text.error() == EINVAL ? "it is no regular file"
                                                   : "it is too large for a manifest"));
  if (!text)
    return fail(Error::storage(Error::kind_of(text.error()), "read", path, 0, text.error()));
  return manifest_from_json(*text, path);
}

}  // namespace feedrate

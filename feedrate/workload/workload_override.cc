#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/workload/workload.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

constexpr std::string_view kDatasetPrefix = "dataset.";
constexpr std::string_view kAcceleratorsPrefix = "accelerators.";

template <class Owner>
void add_paths(const std::string& prefix, std::span<const Field<Owner>> fields,
               std::vector<std::string>& paths) {
  for (const Field<Owner>& field : fields) paths.push_back(prefix + std::string(field.key));
}

std::vector<std::string> known_paths(const Workload& workload) {
  std::vector<std::string> paths;
  add_paths("", identity_fields(), paths);
  add_paths(std::string(kDatasetPrefix), dataset_fields(), paths);
  add_paths("", loading_fields(), paths);
  for (const AcceleratorTiming& timing : workload.accelerators)
    add_paths(fmt::format("{}{}.", kAcceleratorsPrefix, timing.accelerator), timing_fields(),
              paths);
  return paths;
}

// A likely typo of a path, or its last part alone ("files" for "dataset.files").
std::string spelling_hint(std::string_view key, const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (path.ends_with("." + std::string(key))) return ", did you mean '" + path + "'?";
  return did_you_mean(key, paths);
}

std::unexpected<Error> unknown_key(const Workload& workload, std::string_view key) {
  const std::vector<std::string> paths = known_paths(workload);
  return fail(ErrorKind::kUsage,
              fmt::format("--set: unknown key '{}'{}", key, spelling_hint(key, paths)),
              "keys are " + join(paths, ", "));
}

// `key` is what follows "accelerators.": "h100.compute".
Result<> override_timing(Workload& workload, std::string_view key, const Scalar& scalar) {
  const std::size_t dot = key.find('.');
  const auto* field =
      dot == std::string_view::npos ? nullptr : find_field(timing_fields(), key.substr(dot + 1));
  if (field == nullptr) return unknown_key(workload, scalar.path);
  AcceleratorTiming changed;
  FEEDRATE_TRY(changed.accelerator,
               checked_name(Scalar{std::string(key.substr(0, dot)), scalar.path, nullptr}));
  auto& timings = workload.accelerators;
  const auto place = std::find_if(timings.begin(), timings.end(), [&](const auto& timing) {
    return timing.accelerator == changed.accelerator;
  });
  if (place != timings.end()) changed = *place;
  const std::string source = changed.source;
  FEEDRATE_CHECK(field->read(scalar, changed));
  if (field->key != "source") {
    const std::string note = fmt::format("--set {}={}", field->key, scalar.text);
    changed.source = source.empty() ? note : source + ", changed by " + note;
  }
  if (place == timings.end())
    timings.push_back(std::move(changed));
  else
    *place = std::move(changed);
  return {};
}

}  // namespace

Result<> override_workload(Workload& workload, std::string_view key, std::string_view value) {
  const Scalar scalar{std::string(trim(value)), std::string(key), nullptr};
  if (key.starts_with(kAcceleratorsPrefix))
    return override_timing(workload, key.substr(kAcceleratorsPrefix.size()), scalar);
  if (key.starts_with(kDatasetPrefix)) {
    const auto* field = find_field(dataset_fields(), key.substr(kDatasetPrefix.size()));
    if (field != nullptr) return field->read(scalar, workload.dataset);
  }
  for (const auto fields : {identity_fields(), loading_fields()})
    if (const auto* field = find_field(fields, key)) return field->read(scalar, workload);
  return unknown_key(workload, key);
}

Result<> check_overridden(const Workload& workload) {
  if (const auto conflict = find_conflict(workload.dataset))
    return fail(ErrorKind::kUsage,
                fmt::format("--set: dataset.{}: {}", conflict->key, conflict->message),
                conflict->hint);
  return {};
}

}  // namespace feedrate

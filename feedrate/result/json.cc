#include <fmt/format.h>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

constexpr std::string_view kHint = "give a file that --json wrote";

// The first versions named themselves in other ways.
bool is_older(const Json& json) {
  return json.contains("feedrate_result") || json.contains("feedrate_doctor") ||
         json.contains("schema");
}

Result<> check_version(const Json& json) {
  const auto version = json.find("feedrate");
  if (version == json.end() && is_older(json))
    return fail(ErrorKind::kCorrupt,
                fmt::format("the result is of schema version 1, and this feedrate reads version {}",
                            kReportSchemaVersion),
                "run the command again, or read it with the feedrate that wrote it");
  if (version == json.end() || !version->is_number_integer())
    return fail(ErrorKind::kCorrupt, "this is no result of feedrate: it has no number 'feedrate'",
                std::string(kHint));
  const auto found = version->get<std::int64_t>();
  if (found == kReportSchemaVersion) return {};
  return fail(ErrorKind::kCorrupt,
              fmt::format("the result is of schema version {}, and this feedrate reads version {}",
                          found, kReportSchemaVersion),
              "run the command again, or read it with the feedrate that wrote it");
}

template <class T>
Result<Report> read_as(const Json& json) {
  T report;
  JsonPlace place;
  if (Codec<T>::read(json, report, place)) return report;
  return fail(ErrorKind::kCorrupt, "the result cannot be read: " + place.problem(),
              std::string(kHint));
}

}  // namespace

std::string to_json(const Report& report) {
  const Json json = std::visit(
      [](const auto& each) { return Codec<std::remove_cvref_t<decltype(each)>>::write(each); },
      report);
  return json_text(json) + "\n";
}

Result<Report> parse_report(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    return fail(ErrorKind::kCorrupt, "the result is not a JSON object", std::string(kHint));
  FEEDRATE_CHECK(check_version(json));
  const auto verb = json.find("verb");
  const std::string name =
      verb != json.end() && verb->is_string() ? verb->get<std::string>() : std::string();
  if (name == "train") return read_as<RunResult>(json);
  if (name == "find") return read_as<FindReport>(json);
  if (name == "checkpoint" || name == "restore") return read_as<CheckpointResult>(json);
  if (name == "compact") return read_as<CompactResult>(json);
  if (name == "load") return read_as<LoadResult>(json);
  if (name == "plan") return read_as<PlanResult>(json);
  if (name == "doctor") return read_as<DoctorReport>(json);
  if (name == "together") return read_as<TogetherReport>(json);
  return fail(ErrorKind::kCorrupt, fmt::format("the result is of '{}', which is no verb", name),
              std::string(kHint));
}

}  // namespace feedrate

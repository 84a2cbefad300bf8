#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

constexpr std::string_view kHint = "give a file that --json wrote";

// Returns whether this is a result of the first versions, which named themselves in other ways.
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

// Finds derived keys whose value in a file is not what the other figures of the file come to.
class Disagreements {
 public:
  void compare(const Json& given, const Json& computed, const std::string& path) {
    if (given.is_object() && computed.is_object()) {
      for (const auto& [key, value] : computed.items())
        if (const auto found = given.find(key); found != given.end())
          compare(*found, value, path.empty() ? key : path + "." + key);
    } else if (given.is_array() && computed.is_array() && given.size() == computed.size()) {
      for (std::size_t i = 0; i < given.size(); ++i)
        compare(given[i], computed[i], path + "." + std::to_string(i));
    } else if (!agree(given, computed) && ++count_ <= kTold) {
      warnings_.push_back(fmt::format("'{}' is {} in this file, but its other figures come to {}",
                                      path, shown(given), shown(computed)));
    }
  }
  std::vector<std::string> warnings() && {
    if (count_ > kTold)
      warnings_.push_back(fmt::format("{} more of its figures do not agree", count_ - kTold));
    return std::move(warnings_);
  }

 private:
  static constexpr std::size_t kTold = 5;

  // Allows for another compiler that rounds in another way.
  static bool agree(const Json& a, const Json& b) {
    constexpr double kRounding = 1e-9;
    // JSON has no infinity, so it is written as null.
    if (b.is_number() && !std::isfinite(b.get<double>())) return a.is_null();
    if (a.is_string() && b.is_string())
      return a == b || without_bytes(a.get<std::string>()) == without_bytes(b.get<std::string>());
    if (!a.is_number() || !b.is_number()) return a == b;
    const auto x = a.get<double>(), y = b.get<double>();
    return std::abs(x - y) <= kRounding * std::max(std::abs(x), std::abs(y));
  }
  // Makes one character of bytes that are not UTF-8: a sentence shows those of a path as "\\xff",
  // and the path itself has U+FFFD in JSON.
  static std::string without_bytes(std::string_view text) {
    constexpr std::string_view kReplacement = "\xEF\xBF\xBD", kHigh = "89abcdef";
    std::string result;
    bool replaced = false;
    while (!text.empty()) {
      const bool escaped = text.size() >= 4 && text.starts_with("\\x") && kHigh.contains(text[2]);
      const std::size_t length = escaped                          ? 4
                                 : text.starts_with(kReplacement) ? kReplacement.size()
                                                                  : 1;
      const bool replaces = length > 1;
      if (!replaces) result += text.front();
      if (replaces && !replaced) result += kReplacement;
      replaced = replaces;
      text.remove_prefix(length);
    }
    return result;
  }
  static std::string shown(const Json& json) {
    constexpr std::size_t kBytes = 200;
    const std::string text = json_text(json, -1);
    return text.size() <= kBytes ? text : text.substr(0, kBytes) + "...";
  }

  std::vector<std::string> warnings_;
  std::size_t count_ = 0;
};

template <class T>
Result<Report> read_as(const Json& json) {
  T report;
  JsonPlace place;
  if (!Codec<T>::read(json, report, place))
    return fail(ErrorKind::kCorrupt, "the result cannot be read: " + place.problem(),
                std::string(kHint));
  Disagreements found;
  found.compare(json, Codec<T>::write(report), "");
  for (std::string& warning : std::move(found).warnings())
    report.warnings.push_back(std::move(warning));
  return report;
}

// Keeps what the parser says of the place and drops the text that it read there, which may be long.
std::string without_excerpt(std::string text) {
  const std::size_t begin = text.find("; last read: '");
  if (begin == std::string::npos) return text;
  const std::size_t end = text.rfind("'; expected ");
  return text.substr(0, begin) + (end == std::string::npos ? "" : text.substr(end + 1));
}

// Returns the byte at which lists and objects lie deeper in each other than in any report; 0 where
// they do not. The parser calls itself for each level, and deep ones end the program's stack.
std::size_t too_deep_at(std::string_view text) {
  constexpr int kDepthMax = 100;
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && c == '\\') ++at;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kDepthMax) return at + 1;
  }
  return 0;
}

Result<Json> parse_json(std::string_view text) {
  if (const std::size_t byte = too_deep_at(text); byte > 0)
    return fail(ErrorKind::kCorrupt,
                fmt::format("the result is damaged at byte {}: it is nested too deep", byte),
                std::string(kHint));
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& problem) {
    const std::string_view what = problem.what();
    constexpr std::string_view kBegin = "syntax error while parsing ";
    const std::size_t at = what.find(kBegin);
    return fail(
        ErrorKind::kCorrupt,
        fmt::format(
            "the result is damaged at byte {}: {}", problem.byte,
            without_excerpt(std::string(at == what.npos ? what : what.substr(at + kBegin.size())))),
        std::string(kHint));
  } catch (const Json::out_of_range& problem) {  // The file has a number that no double can hold.
    const std::string_view what = problem.what();
    return fail(ErrorKind::kCorrupt,
                fmt::format("the result is damaged: {}", what.substr(what.find("] ") + 2)),
                std::string(kHint));
  }
}

}  // namespace

std::string to_json(const Report& report) {
  const Json json = std::visit(
      [](const auto& each) { return Codec<std::remove_cvref_t<decltype(each)>>::write(each); },
      report);
  return json_text(json) + "\n";
}

Result<Report> parse_report(std::string_view text) {
  FEEDRATE_TRY(const Json json, parse_json(text));
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
  if (name == "datagen") return read_as<DatagenResult>(json);
  if (name == "drop-caches") return read_as<DropResult>(json);
  if (name == "workloads") return read_as<WorkloadsReport>(json);
  if (name == "together") return read_as<TogetherReport>(json);
  return fail(ErrorKind::kCorrupt, fmt::format("the result is of '{}', which is no verb", name),
              std::string(kHint));
}

}  // namespace feedrate

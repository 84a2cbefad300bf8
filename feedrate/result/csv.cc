#include <fmt/format.h>

#include <charconv>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/result/tables.h"

namespace feedrate {
namespace {

bool is_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  return std::from_chars(text.data(), end, value).ptr == end;
}

// Replaces bytes that are not UTF-8 by U+FFFD, as JSON does.
std::string as_text(std::string_view bytes) {
  const std::string text(bytes);
  return is_utf8(text) ? text : Json::parse(json_text(Json(text), -1)).get<std::string>();
}

// Returns a cell by RFC 4180. What a spreadsheet would take for a formula is turned into text, so
// that opening the file runs nothing.
std::string cell(std::string_view bytes) {
  const std::string text = as_text(bytes);
  const bool formula =
      !text.empty() && std::string_view("=+-@").contains(text.front()) && !is_number(text);
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && !formula) return text;
  std::string quoted = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string value_text(const Json& json) {
  if (json.is_null()) return "";
  return json.is_string() ? json.get<std::string>() : json_text(json, -1);
}

// Adds one line for each value below `json`, which is the value of `field`.
void add_lines(const std::string& lead, const std::string& path, const Field& field,
               const Json& json, std::string& csv) {
  using Kind = Shape::Kind;
  const auto is_tuple = [](const Shape& shape) { return shape.kind == Kind::kTuple; };
  if (field.shape.kind == Kind::kObject && json.is_object()) {
    for (const Field& inner : field.shape.fields)
      add_lines(lead, path.empty() ? inner.key : path + "." + inner.key, inner, json.at(inner.key),
                csv);
    return;
  }
  const bool many = field.shape.kind == Kind::kList || field.shape.kind == Kind::kMap;
  if (many && !is_tuple(field.shape.items.front())) {
    const Field each{"", field.metric, field.shape.items.front()};
    std::size_t index = 0;
    for (const auto& [key, value] : json.items())
      add_lines(
          lead,
          field.shape.kind == Kind::kList ? fmt::format("{}[{}]", path, index++) : path + "." + key,
          each, value, csv);
    return;
  }
  const char* const better = field.metric.better == Better::kMore   ? "more"
                             : field.metric.better == Better::kLess ? "less"
                                                                    : "";
  csv += fmt::format("{},{},{},{},{}\r\n", lead, cell(path), cell(value_text(json)),
                     to_string(field.metric.unit), better);
}

void add_figures(const std::string& lead, const std::string& job, const Section& section,
                 std::string& csv) {
  for (const Figure& figure : section.figures)
    csv += fmt::format("{}{},{},{},{},{},{},{},{}\r\n", lead, cell(job), section.key, figure.key,
                       figure.value.value(), to_string(figure.value.unit()), cell(figure.label),
                       cell(figure.formula), cell(figure.source));
}

// Adds the units of each storage, and the ports, at the step times of one set.
void add_units(const std::string& lead, const PlannedUse& use,
               const std::vector<PlannedStorage>& storages, const std::string& timing,
               const std::string& suffix, std::string& csv) {
  const std::string at = timing.empty() ? "" : fmt::format(", at {} timing", timing);
  const auto add = [&](const std::string& key, double count, const std::string& label,
                       const std::string& formula) {
    csv += fmt::format("{}storage,{},{},{},count,{},{},\r\n", lead, use.figures.key,
                       cell(key + suffix), count, cell(label + at), cell(formula));
  };
  for (const PlannedStorage& storage : storages) {
    if (storage.units <= 0) continue;
    add(storage.name, storage.units, storage.title,
        "bound by " + storage.bound_by +
            (storage.one_directory.empty() ? "" : "; " + storage.one_directory));
    for (const PlannedPhase& phase : storage.phases)
      if (phase.units > 0)
        add(storage.name + "_" + phase.key, phase.units, storage.title + " for " + phase.key, "");
    if (storage.servers > 0)
      add(storage.name + "_servers", storage.servers, "servers of " + storage.title,
          "by " + storage.servers_bound_by);
  }
  if (!storages.empty())
    add("ports", storages.front().ports, "network ports on the storage side",
        "larger of reads and writes / usable");
}

std::string csv_of(const PlanResult& plan) {
  std::string csv = plan.sweep ? "accelerators," : "";
  csv += "job,section,key,value,unit,label,formula,source\r\n";
  for (const PlanPoint& point : plan.points) {
    const std::string lead = plan.sweep ? fmt::format("{},", point.accelerators) : "";
    for (const JobPlan& job : point.jobs)
      for (const Section& section : job.sections) add_figures(lead, job.name, section, csv);
    for (const PlannedUse& use : point.uses) {
      add_figures(lead, "storage", use.figures, csv);
      add_units(lead, use, use.storages, use.timing, "", csv);
      add_units(lead, use, use.others, use.other_timing, "_" + use.other_timing_key, csv);
    }
  }
  return csv;
}

template <class T>
std::string csv_of(const T& report) {
  std::string csv = "verb,key,value,unit,better\r\n";
  add_lines(report.verb, "", {"", {}, Codec<T>::shape()}, Codec<T>::write(report), csv);
  return csv;
}

}  // namespace

std::string to_csv(const Report& report) {
  return std::visit([](const auto& each) { return csv_of(each); }, report);
}

}  // namespace feedrate

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "feedrate/base/json_text.h"
#include "feedrate/plan/plan.h"

namespace feedrate {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;  // docs/plan-schema.md

Json figure_to_json(const Figure& figure) {
  Json json{{"label", figure.label},
            {"value", figure.value.value()},
            {"unit", to_string(figure.value.unit())},
            {"text", figure.value.text()},
            {"formula", figure.formula}};
  if (!figure.source.empty()) json["source"] = figure.source;
  return json;
}

Json section_to_json(const Section& section) {
  Json json{{"title", section.title}, {"figures", Json::object()}};
  for (const Figure& figure : section.figures) json["figures"][figure.key] = figure_to_json(figure);
  if (!section.remarks.empty()) json["notes"] = section.remarks;
  return json;
}

Json sizing_to_json(const Sizing& sizing) {
  Json json{{"storage", sizing.storage.name}, {"unit", sizing.storage.unit}};
  if (sizing.units > Count(0)) {
    json["units"] = sizing.units.value();
    json["bound_by"] = sizing.bound_by;
  }
  for (const PhaseUnits& phase : sizing.phases)
    if (phase.units > Count(0)) json["phases"][phase.key] = phase.units.value();
  if (sizing.servers > Count(0)) {
    json["servers"] = sizing.servers.value();
    json["servers_bound_by"] = sizing.servers_bound_by;
  }
  json["bindings"] = Json::array();
  for (const Binding& binding : sizing.bindings)
    json["bindings"].push_back({{"phase", binding.phase.empty() ? "all" : binding.phase},
                                {"resource", binding.resource},
                                {"units", binding.units.value()},
                                {"formula", binding.formula},
                                {"source", binding.source}});
  if (!sizing.unknown.empty()) json["unknown"] = sizing.unknown;
  if (!sizing.one_directory.empty()) json["one_directory"] = sizing.one_directory;
  json["ports"] = sizing.ports.value();
  if (sizing.requests) json["requests_in_flight"] = sizing.requests->value();
  return json;
}

Json to_json(const Plan& plan) {
  Json json{{"jobs", Json::array()}, {"storage", Json::object()}};
  for (const JobPlan& job : plan.jobs) {
    Json entry{{"name", job.name}, {"title", job.title}, {"sections", Json::object()}};
    for (const Section& section : job.sections)
      entry["sections"][section.key] = section_to_json(section);
    if (!job.remarks.empty()) entry["notes"] = job.remarks;
    json["jobs"].push_back(std::move(entry));
  }
  for (const StoragePlan& storage : plan.storage) {
    Json entry = section_to_json(storage.figures);
    entry["sizings"] = Json::array();
    if (!storage.timing.empty()) entry["timing"] = storage.timing;
    if (!storage.others.empty()) entry["other_timing"] = storage.other_timing;
    for (std::size_t i = 0; i < storage.sizings.size(); ++i) {
      Json sizing = sizing_to_json(storage.sizings[i]);
      if (!storage.others.empty()) sizing["other_timing"] = sizing_to_json(storage.others[i]);
      entry["sizings"].push_back(std::move(sizing));
    }
    json["storage"][storage.figures.key] = std::move(entry);
  }
  json["port"] = {{"name", plan.port.name},
                  {"line_bytes_per_second", plan.port.line.value()},
                  {"usable", plan.port.usable.value.value()},
                  {"source", plan.port.source},
                  {"usable_source", plan.port.usable.source}};
  if (!plan.port.note.empty()) json["port"]["note"] = plan.port.note;
  return json;
}

// RFC 4180. A cell that a spreadsheet would take for a formula is none of ours: none starts so.
std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void add_csv(std::string& csv, std::string_view lead, const std::string& job,
             const Section& section) {
  for (const Figure& figure : section.figures)
    csv += fmt::format("{}{},{},{},{},{},{},{},{}\r\n", lead, csv_cell(job), section.key,
                       figure.key, figure.value.value(), to_string(figure.value.unit()),
                       csv_cell(figure.label), csv_cell(figure.formula), csv_cell(figure.source));
}

// Units of each storage and ports, at the timing of one set.
void add_units(std::string& csv, std::string_view lead, const StoragePlan& plan,
               const std::vector<Sizing>& sizings, const std::string& timing,
               const std::string& suffix) {
  const std::string at = timing.empty() ? "" : fmt::format(", at {} timing", timing);
  const auto add = [&](const std::string& key, Count count, const std::string& label,
                       const std::string& formula) {
    csv +=
        fmt::format("{}storage,{},{},{},count,{},{},\r\n", lead, plan.figures.key,
                    csv_cell(key + suffix), count.value(), csv_cell(label + at), csv_cell(formula));
  };
  for (const Sizing& sizing : sizings) {
    if (sizing.units <= Count(0)) continue;
    add(sizing.storage.name, sizing.units, sizing.storage.title,
        "bound by " + sizing.bound_by +
            (sizing.one_directory.empty() ? "" : "; " + sizing.one_directory));
    if (sizing.servers > Count(0))
      add(sizing.storage.name + "_servers", sizing.servers, "servers of " + sizing.storage.title,
          "by " + sizing.servers_bound_by);
  }
  if (!sizings.empty())
    add("ports", sizings.front().ports, "network ports on the storage side",
        "larger of reads and writes / usable");
}

void add_csv(std::string& csv, std::string_view lead, const Plan& plan) {
  for (const JobPlan& job : plan.jobs)
    for (const Section& section : job.sections) add_csv(csv, lead, job.name, section);
  for (const StoragePlan& storage : plan.storage) {
    add_csv(csv, lead, "storage", storage.figures);
    add_units(csv, lead, storage, storage.sizings, storage.timing, "");
    add_units(csv, lead, storage, storage.others, storage.other_timing,
              "_" + timing_key(storage.other_timing));
  }
}

constexpr std::string_view kCsvHead = "job,section,key,value,unit,label,formula,source\r\n";

}  // namespace

std::string plan_to_json(const Plan& plan) {
  Json json{{"schema", kSchema}, {"verb", "plan"}};
  json.update(to_json(plan));
  return json_text(json) + "\n";
}

std::string plan_to_csv(const Plan& plan) {
  std::string csv(kCsvHead);
  add_csv(csv, "", plan);
  return csv;
}

std::string sweep_to_json(const std::vector<SweepRow>& rows) {
  Json json{{"schema", kSchema}, {"verb", "plan"}, {"sweep", Json::array()}};
  for (const SweepRow& row : rows) {
    Json entry{{"accelerators", row.accelerators.value()}};
    entry.update(to_json(row.plan));
    json["sweep"].push_back(std::move(entry));
  }
  return json_text(json) + "\n";
}

std::string sweep_to_csv(const std::vector<SweepRow>& rows) {
  std::string csv = fmt::format("accelerators,{}", kCsvHead);
  for (const SweepRow& row : rows)
    add_csv(csv, fmt::format("{},", row.accelerators.value()), row.plan);
  return csv;
}

}  // namespace feedrate

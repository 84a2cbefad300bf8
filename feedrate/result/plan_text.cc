#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/plan_result.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

constexpr std::size_t kLabelColumns = 60;
constexpr double kGoodputMin = 0.01;  // Below it a job makes no progress.

std::string count_text(double units) {
  return units > 0 ? Measure(Count(units)).brief() : std::string("-");
}

void add_section(const Section& section, bool explain, std::string& text) {
  text += fmt::format("\n{}\n", section.title);
  for (const Figure& figure : section.figures) {
    text += fmt::format("  {:<{}}  {}\n", figure.label, kLabelColumns, figure.value.text());
    if (!explain) continue;
    if (!figure.formula.empty()) text += fmt::format("      = {}\n", figure.formula);
    if (!figure.source.empty()) text += fmt::format("      source: {}\n", figure.source);
  }
  for (const std::string& remark : section.remarks) text += fmt::format("  note: {}\n", remark);
}

void add_servers(const PlannedStorage& storage, std::string& text) {
  if (storage.servers <= 0) return;
  text += fmt::format("             in {} {}, {} each\n",
                      format_counted(static_cast<std::uint64_t>(storage.servers), "server"),
                      storage.servers_by,
                      format_counted(static_cast<std::uint64_t>(storage.ports_per_server), "port"));
}

std::string phases_text(const PlannedStorage& storage) {
  std::string line;
  for (const PlannedPhase& phase : storage.phases)
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", phase.key, count_text(phase.units));
  for (const PlannedBinding& binding : storage.bindings)
    if (binding.phase == "all") line += fmt::format(", capacity {}", count_text(binding.units));
  return line;
}

// Adds a short line about the same storage at the other timing.
void add_other(const PlannedStorage& other, const std::string& timing, std::string& text) {
  text += fmt::format("             at {} timing: {}", timing, phases_text(other));
  if (other.units > 0) text += fmt::format("; bound by {}", other.bound_by);
  if (other.servers > 0)
    text +=
        fmt::format("; in {}", format_counted(static_cast<std::uint64_t>(other.servers), "server"));
  if (other.requests)
    text += fmt::format("; {} requests in flight at once", count_text(*other.requests));
  text += "\n";
}

// Returns the columns of counts, one for each set of step times.
std::string counts_text(const PlannedUse& plan, double units, std::optional<double> other) {
  if (!other) return fmt::format("  {:>9}", count_text(units));
  return fmt::format("  {:>{}}  {:>{}}", count_text(units), plan.timing.size(), count_text(*other),
                     std::max<std::size_t>(9, plan.other_timing.size()));
}

void add_sizing(const PlannedUse& plan, std::size_t index, bool explain, std::string& text) {
  const PlannedStorage& sizing = plan.storages[index];
  const PlannedStorage* other = index < plan.others.size() ? &plan.others[index] : nullptr;
  const bool counted = sizing.units > 0;
  text += fmt::format(
      "{}  {:<52}  {}\n",
      counts_text(plan, sizing.units,
                  other != nullptr ? std::optional(other->units) : std::nullopt),
      sizing.title,
      counted ? fmt::format("bound by {}", sizing.bound_by) : std::string("no figure to count by"));
  if (const std::string line = phases_text(sizing); line.contains(','))
    text += fmt::format("             {}\n", line);
  if (other != nullptr) add_other(*other, plan.other_timing, text);
  if (!sizing.one_directory.empty()) text += fmt::format("             {}\n", sizing.one_directory);
  add_servers(sizing, text);
  for (const std::string& line : sizing.directories) text += fmt::format("             {}\n", line);
  if (explain)
    for (const PlannedBinding& binding : sizing.bindings)
      text += fmt::format("               {}{}: {} = {} ({})\n",
                          binding.phase == "all" ? "" : binding.phase + ", ", binding.resource,
                          binding.formula, count_text(binding.units), binding.source);
  if (sizing.requests)
    text +=
        fmt::format("             {} requests in flight at once\n", count_text(*sizing.requests));
  if (!sizing.unknown.empty())
    text += fmt::format("             its {} not known: no source gives it\n",
                        fmt::join(sizing.unknown, ", "));
}

void add_storage(const PlannedUse& storage, const PlannedPort& port, bool explain,
                 std::string& text) {
  add_section(storage.figures, explain, text);
  if (!storage.others.empty())
    text += fmt::format("\n  units at the timing of\n  {}  {:>9}\n", storage.timing,
                        storage.other_timing);
  else if (!storage.timing.empty())
    text += fmt::format("\n      units  at {} timing, of\n", storage.timing);
  else
    text += "\n      units  of\n";
  for (std::size_t i = 0; i < storage.storages.size(); ++i) add_sizing(storage, i, explain, text);
  if (storage.storages.empty()) return;
  text += fmt::format(
      "{}  {:<52}  {} of {} usable\n",
      counts_text(
          storage, storage.storages.front().ports,
          storage.others.empty() ? std::nullopt : std::optional(storage.others.front().ports)),
      fmt::format("network ports on the storage side, {}", port.title),
      show(BytesPerSecond(port.carries())), show(BytesPerSecond(port.line_bytes_per_second)));
  if (explain)
    text +=
        fmt::format("               larger of reads and writes / usable (line: {}; usable: {})\n",
                    port.source, port.usable_source);
  if (!port.note.empty()) text += fmt::format("  note: {}\n", port.note);
}

std::string text_of(const PlanPoint& point, const PlannedPort& port, bool explain) {
  std::string text;
  for (const JobPlan& job : point.jobs) {
    text += fmt::format("{}{}: {}\n", text.empty() ? "" : "\n", job.name, job.title);
    for (const Section& section : job.sections) add_section(section, explain, text);
    if (!job.remarks.empty()) text += "\n";
    for (const std::string& remark : job.remarks) text += fmt::format("  note: {}\n", remark);
  }
  for (const PlannedUse& use : point.uses) add_storage(use, port, explain, text);
  if (!explain) text += "\n--explain shows every formula and source.\n";
  return text;
}

struct Column {
  const char *title, *section, *key;
};
constexpr Column kColumns[] = {
    {"read", "training", "read_bandwidth"},
    {"read, measured", "training", "measured_bandwidth"},
    {"read, benchmark", "training", "benchmark_bandwidth"},
    {"peak", "training", "read_bandwidth_peak"},
    {"samples", "training", "samples_per_second"},
    {"opens", "training", "opens"},
    {"operations", "training", "operations"},
    {"epoch", "training", "epoch"},
    {"checkpoint", "checkpoint", "size"},
    {"write", "checkpoint", "write_bandwidth"},
    {"MTBF", "checkpoint", "mtbf"},
    {"interval", "checkpoint", "interval"},
    {"overhead", "checkpoint", "overhead"},
    {"goodput", "checkpoint", "goodput"},
    {"offline", "inference", "offline_samples"},
    {"input", "inference", "offline_input"},
    {"queries", "inference", "server_samples"},
    {"log", "inference", "server_log"},
    {"load", "inference", "load_bandwidth"},
};

std::string cell(const JobPlan& job, const Column& column) {
  const Figure* figure = job.find(column.section, column.key);
  return figure != nullptr ? figure->value.brief() : "-";
}

// Calls take(name, units) for each storage of training and of inference.
template <class Take>
void each_sizing(const PlanPoint& plan, const Take& take) {
  for (const PlannedUse& storage : plan.uses) {
    const auto add = [&](const PlannedStorage& sizing, const std::string& timing) {
      std::string of = plan.uses.size() > 1 ? storage.figures.key : "";
      if (!timing.empty()) of += (of.empty() ? "" : ", ") + timing;
      take(of.empty() ? sizing.name : fmt::format("{} ({})", sizing.name, of),
           count_text(sizing.units));
    };
    for (std::size_t i = 0; i < storage.storages.size(); ++i) {
      add(storage.storages[i], storage.timing);
      if (i < storage.others.size()) add(storage.others[i], storage.other_timing);
    }
  }
}

using Table = std::vector<std::vector<std::string>>;

void add_job_columns(const std::vector<PlanPoint>& rows, std::size_t job, Table& table) {
  for (const Column& column : kColumns) {
    table.front().emplace_back(column.title);
    for (std::size_t row = 0; row < rows.size(); ++row)
      table[row + 1].push_back(job < rows[row].jobs.size() ? cell(rows[row].jobs[job], column)
                                                           : "-");
  }
}

void add_storage_columns(const std::vector<PlanPoint>& rows, Table& table) {
  each_sizing(rows.front(), [&](std::string name, const std::string&) {
    table.front().push_back(std::move(name));
  });
  for (std::size_t row = 0; row < rows.size(); ++row)
    each_sizing(rows[row], [&](const std::string&, std::string units) {
      table[row + 1].push_back(std::move(units));
    });
}

Table counts(const std::vector<PlanPoint>& rows) {
  Table table{{"accelerators"}};
  for (const PlanPoint& row : rows) table.push_back({count_text(row.accelerators)});
  return table;
}

// Leaves out columns for which nothing is known. Each line gets as many columns as the first one
// has, because points that were read from a file may differ.
std::string to_text(Table table) {
  std::vector<std::size_t> widths(table.front().size());
  for (auto& line : table) line.resize(widths.size(), "-");
  for (std::size_t column = 0; column < widths.size(); ++column) {
    const bool empty = std::all_of(table.begin() + 1, table.end(),
                                   [&](const auto& line) { return line[column] == "-"; });
    for (const auto& line : table)
      widths[column] = empty ? 0 : std::max(widths[column], line[column].size());
  }
  std::string text;
  for (const auto& line : table) {
    for (std::size_t column = 0; column < line.size(); ++column)
      if (widths[column] > 0) text += fmt::format("{:>{}}", line[column], widths[column] + 2);
    text += "\n";
  }
  return text;
}

std::string sweep_text(const std::vector<PlanPoint>& rows) {
  const std::vector<JobPlan>& jobs = rows.front().jobs;
  std::string text;
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    Table table = counts(rows);
    add_job_columns(rows, job, table);
    if (jobs.size() == 1) add_storage_columns(rows, table);
    text += fmt::format("{}{}: {}\n\n{}", job > 0 ? "\n" : "", jobs[job].name, jobs[job].title,
                        to_text(table));
  }
  if (jobs.size() == 1) return text;
  Table table = counts(rows);
  add_storage_columns(rows, table);
  return text + "\nunits of storage for all of them\n\n" + to_text(table);
}

// Returns whether checkpoints of any kind let the job get on between its failures.
bool has_progress(const JobPlan& job) {
  const Figure* const saved = job.find("checkpoint", "goodput");
  const Figure* const behind = job.find("checkpoint", "goodput_async");
  const auto none = [](const Figure* goodput) {
    return goodput == nullptr || goodput->value.value() < kGoodputMin;
  };
  return saved == nullptr || !none(saved) || !none(behind);
}

// Returns the figure by which storage is bought, among all that the job asks of it.
std::string demand_text(const JobPlan& job) {
  struct Demand {
    const char *section, *key, *words;
  };
  constexpr Demand kDemands[] = {{"training", "read_bandwidth", "reads"},
                                 {"checkpoint", "write_bandwidth", "writes"},
                                 {"inference", "offline_input", "serves offline from"},
                                 {"inference", "load_bandwidth", "loads at"}};
  const std::string progress =
      has_progress(job) ? ""
                        : fmt::format(
                              "{} makes no progress: failures come faster than it can save "
                              "and restart; ",
                              job.name);
  for (const Demand& demand : kDemands)
    if (const Figure* figure = job.find(demand.section, demand.key))
      return fmt::format("{}{} {} {}", progress, job.name, demand.words, figure->value.brief());
  return progress + "no figure is known of " + job.name;
}

// Returns how many units of each storage are needed; "" for more kinds than a sentence can name.
std::string units_text(const PlannedUse& use) {
  constexpr std::size_t kNamed = 3;
  if (use.storages.size() > kNamed) return {};
  std::vector<std::string> parts;
  for (const PlannedStorage& storage : use.storages)
    if (storage.units > 0)
      parts.push_back(fmt::format("{} {}", count_text(storage.units), storage.name));
  return parts.empty() ? "" : join(parts, " or ");
}

std::string verdict_of(const PlanPoint& point) {
  std::vector<std::string> jobs, units;
  for (const JobPlan& job : point.jobs) jobs.push_back(demand_text(job));
  for (const PlannedUse& use : point.uses)
    if (const std::string text = units_text(use); !text.empty())
      units.push_back(text + (use.figures.key == "serve" ? " to serve" : " to train"));
  return join(jobs, "; ") + (units.empty() ? "" : ": " + join(units, ", "));
}

}  // namespace

std::string verdict_of(const PlanResult& plan) {
  if (plan.points.empty()) return "nothing was planned";
  if (!plan.sweep) return verdict_of(plan.points.front());
  const PlanPoint &first = plan.points.front(), &last = plan.points.back();
  return fmt::format("at {} accelerators {}; at {} {}", count_text(first.accelerators),
                     verdict_of(first), count_text(last.accelerators), verdict_of(last));
}

std::string text_of(const PlanResult& plan, bool explain) {
  if (plan.points.empty()) return {};
  const std::string text =
      plan.sweep ? sweep_text(plan.points) : text_of(plan.points.front(), plan.port, explain);
  return "\n" + text + warnings_text(plan.warnings, plan.errors);
}

}  // namespace feedrate

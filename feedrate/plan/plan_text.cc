#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "feedrate/base/units.h"
#include "feedrate/plan/plan.h"

namespace feedrate {
namespace {

constexpr std::size_t kLabelColumns = 60;

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

void add_servers(const Sizing& sizing, std::string& text) {
  if (sizing.servers <= Count(0)) return;
  const StorageProfile& storage = sizing.storage;
  const bool slots = sizing.servers_bound_by == "slots";
  const std::string each = slots ? fmt::format("of {} each ({})", storage.per_server.value.value(),
                                               storage.per_server.source)
                           : sizing.servers_bound_by == "their read bandwidth"
                               ? fmt::format("by their {} ({})", show(storage.server_read.value),
                                             storage.server_read.source)
                               : fmt::format("by their {} ({})", show(storage.server_write.value),
                                             storage.server_write.source);
  text += fmt::format(
      "             in {} {}, {} each\n",
      format_counted(static_cast<std::uint64_t>(sizing.servers.value()), "server"), each,
      format_counted(static_cast<std::uint64_t>(whole(sizing.ports / sizing.servers).value()),
                     "port"));
}

// What one directory does to it, against many.
void add_directories(const Sizing& sizing, std::string& text) {
  const StorageProfile& storage = sizing.storage;
  const auto share = [](Count value) { return Measure::fraction(value).brief(); };
  const Sourced<PerSecond>& creates =
      storage.creates.known() ? storage.creates : storage.system_creates;
  if (creates.known() && storage.one_directory_creates.known())
    text += fmt::format(
        "             {} in many directories {} files/s, in one {} ({})\n",
        storage.creates.known() ? "one creates" : "whole systems create",
        Measure(Count(creates.value.value())).brief(),
        Measure(Count(creates.value.value() * storage.one_directory_creates.value.value())).brief(),
        creates.source);
  if (storage.one_directory_opens.known())
    text += fmt::format(
        "             in one directory it opens {} of the files that it opens in "
        "many\n",
        share(storage.one_directory_opens.value));
}

std::string phases_text(const Sizing& sizing) {
  std::string line;
  for (const PhaseUnits& phase : sizing.phases)
    if (phase.units > Count(0))
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ", phase.key, show(phase.units));
  for (const Binding& binding : sizing.bindings)
    if (binding.phase.empty()) line += fmt::format(", capacity {}", show(binding.units));
  return line;
}

// The same storage at the other timing, in short.
void add_other(const Sizing& other, const std::string& timing, std::string& text) {
  text += fmt::format("             at {} timing: {}", timing, phases_text(other));
  if (other.units > Count(0)) text += fmt::format("; bound by {}", other.bound_by);
  if (other.servers > Count(0))
    text += fmt::format(
        "; in {}", format_counted(static_cast<std::uint64_t>(other.servers.value()), "server"));
  if (other.requests)
    text += fmt::format("; {} requests in flight at once", Measure(*other.requests).brief());
  text += "\n";
}

std::string count_text(Count units) {
  return units > Count(0) ? Measure(units).brief() : std::string("-");
}

// Columns of counts: one for each set of step times.
std::string counts_text(const StoragePlan& plan, Count units, std::optional<Count> other) {
  if (!other) return fmt::format("  {:>9}", count_text(units));
  return fmt::format("  {:>{}}  {:>{}}", count_text(units), plan.timing.size(), count_text(*other),
                     std::max<std::size_t>(9, plan.other_timing.size()));
}

void add_sizing(const StoragePlan& plan, std::size_t index, bool explain, std::string& text) {
  const Sizing& sizing = plan.sizings[index];
  const Sizing* other = plan.others.empty() ? nullptr : &plan.others[index];
  const bool counted = sizing.units > Count(0);
  text += fmt::format(
      "{}  {:<52}  {}\n",
      counts_text(plan, sizing.units,
                  other != nullptr ? std::optional(other->units) : std::nullopt),
      sizing.storage.title,
      counted ? fmt::format("bound by {}", sizing.bound_by) : std::string("no figure to count by"));
  if (const std::string line = phases_text(sizing); line.contains(','))
    text += fmt::format("             {}\n", line);
  if (other != nullptr) add_other(*other, plan.other_timing, text);
  if (!sizing.one_directory.empty()) text += fmt::format("             {}\n", sizing.one_directory);
  add_servers(sizing, text);
  add_directories(sizing, text);
  if (explain)
    for (const Binding& binding : sizing.bindings)
      text += fmt::format("               {}{}{}: {} = {} ({})\n", binding.phase,
                          binding.phase.empty() ? "" : ", ", binding.resource, binding.formula,
                          Measure(binding.units).brief(), binding.source);
  if (sizing.requests)
    text += fmt::format("             {} requests in flight at once\n",
                        Measure(*sizing.requests).brief());
  if (!sizing.unknown.empty())
    text += fmt::format("             no source tells its {}\n", fmt::join(sizing.unknown, ", "));
}

void add_storage(const StoragePlan& storage, const NetworkPort& port, bool explain,
                 std::string& text) {
  add_section(storage.figures, explain, text);
  if (!storage.others.empty())
    text += fmt::format("\n  units at the timing of\n  {}  {:>9}\n", storage.timing,
                        storage.other_timing);
  else if (!storage.timing.empty())
    text += fmt::format("\n      units  at {} timing, of\n", storage.timing);
  else
    text += "\n      units  of\n";
  for (std::size_t i = 0; i < storage.sizings.size(); ++i) add_sizing(storage, i, explain, text);
  if (storage.sizings.empty()) return;
  text +=
      fmt::format("{}  {:<52}  {} of {} usable\n",
                  counts_text(storage, storage.sizings.front().ports,
                              storage.others.empty() ? std::nullopt
                                                     : std::optional(storage.others.front().ports)),
                  fmt::format("network ports on the storage side, {}", port.title),
                  Measure(port.carries()).brief(), Measure(port.line).brief());
  if (explain)
    text +=
        fmt::format("               larger of reads and writes / usable (line: {}; usable: {})\n",
                    port.source, port.usable.source);
  if (!port.note.empty()) text += fmt::format("  note: {}\n", port.note);
}

}  // namespace

std::string plan_to_text(const Plan& plan, bool explain) {
  std::string text;
  for (const JobPlan& job : plan.jobs) {
    text += fmt::format("{}{}: {}\n", text.empty() ? "" : "\n", job.name, job.title);
    for (const Section& section : job.sections) add_section(section, explain, text);
    if (!job.remarks.empty()) text += "\n";
    for (const std::string& remark : job.remarks) text += fmt::format("  note: {}\n", remark);
  }
  for (const StoragePlan& storage : plan.storage) add_storage(storage, plan.port, explain, text);
  if (!explain) text += "\n--explain shows every formula and source.\n";
  return text;
}

namespace {

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

// The storage and its units, of training or of inference.
template <class Take>
void each_sizing(const Plan& plan, const Take& take) {
  for (const StoragePlan& storage : plan.storage) {
    const auto add = [&](const Sizing& sizing, const std::string& timing) {
      std::string of = plan.storage.size() > 1 ? storage.figures.key : "";
      if (!timing.empty()) of += (of.empty() ? "" : ", ") + timing;
      take(of.empty() ? sizing.storage.name : fmt::format("{} ({})", sizing.storage.name, of),
           count_text(sizing.units));
    };
    for (std::size_t i = 0; i < storage.sizings.size(); ++i) {
      add(storage.sizings[i], storage.timing);
      if (!storage.others.empty()) add(storage.others[i], storage.other_timing);
    }
  }
}

using Table = std::vector<std::vector<std::string>>;

void add_job_columns(const std::vector<SweepRow>& rows, std::size_t job, Table& table) {
  for (const Column& column : kColumns) {
    table.front().emplace_back(column.title);
    for (std::size_t row = 0; row < rows.size(); ++row)
      table[row + 1].push_back(cell(rows[row].plan.jobs[job], column));
  }
}

void add_storage_columns(const std::vector<SweepRow>& rows, Table& table) {
  each_sizing(rows.front().plan, [&](std::string name, const std::string&) {
    table.front().push_back(std::move(name));
  });
  for (std::size_t row = 0; row < rows.size(); ++row)
    each_sizing(rows[row].plan, [&](const std::string&, std::string units) {
      table[row + 1].push_back(std::move(units));
    });
}

Table counts(const std::vector<SweepRow>& rows) {
  Table table{{"accelerators"}};
  for (const SweepRow& row : rows) table.push_back({Measure(row.accelerators).brief()});
  return table;
}

// A column that nothing is known for says nothing, and is left out.
std::string to_text(const Table& table) {
  std::vector<std::size_t> widths(table.front().size());
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

}  // namespace

std::string sweep_to_text(const std::vector<SweepRow>& rows) {
  const std::vector<JobPlan>& jobs = rows.front().plan.jobs;
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

}  // namespace feedrate

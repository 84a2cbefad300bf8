#include <fmt/format.h>

#include <algorithm>

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

void add_layout(const Sizing& sizing, std::string& text) {
  const StorageProfile& storage = sizing.storage;
  if (sizing.servers > Count(0))
    text +=
        fmt::format("             in {} of {} each ({})\n",
                    format_counted(static_cast<std::uint64_t>(sizing.servers.value()), "server"),
                    storage.per_server.value.value(), storage.per_server.source);
  const auto share = [](Count value) { return Measure::fraction(value).brief(); };
  if (storage.one_directory_creates.known() && storage.one_directory_opens.known())
    text += fmt::format(
        "             in one directory it creates {} of the files that it creates "
        "in many, and opens {}\n",
        share(storage.one_directory_creates.value), share(storage.one_directory_opens.value));
}

void add_sizing(const Sizing& sizing, bool explain, std::string& text) {
  const bool counted = sizing.units > Count(0);
  text += fmt::format(
      "  {:>9}  {:<52}  {}\n", counted ? Measure(sizing.units).brief() : std::string("-"),
      sizing.storage.title,
      counted ? fmt::format("bound by {}", sizing.bound_by) : std::string("no figure to count by"));
  add_layout(sizing, text);
  if (explain)
    for (const Binding& binding : sizing.bindings)
      text += fmt::format("               {}: {} = {} ({})\n", binding.resource, binding.formula,
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
  text += "\n      units  of\n";
  for (const Sizing& sizing : storage.sizings) add_sizing(sizing, explain, text);
  if (storage.sizings.empty()) return;
  text += fmt::format("  {:>9}  {:<52}  {} of {} usable\n",
                      Measure(storage.sizings.front().ports).brief(),
                      fmt::format("network ports on the storage side, {}", port.title),
                      Measure(port.carries()).brief(), Measure(port.line).brief());
  if (explain)
    text +=
        fmt::format("               larger of reads and writes / usable (line: {}; usable: {})\n",
                    port.source, port.usable.source);
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
};

// The figures of the first job that has them; "-" when none does.
std::string cell(const Plan& plan, const Column& column) {
  for (const JobPlan& job : plan.jobs)
    if (const Figure* figure = job.find(column.section, column.key)) return figure->value.brief();
  return "-";
}

std::vector<std::vector<std::string>> sweep_cells(const std::vector<SweepRow>& rows) {
  std::vector<std::vector<std::string>> table;
  std::vector<std::string> head{"accelerators"};
  for (const Column& column : kColumns) head.emplace_back(column.title);
  for (const StoragePlan& storage : rows.front().plan.storage)
    if (storage.figures.key == "train")
      for (const Sizing& sizing : storage.sizings) head.push_back(sizing.storage.name);
  table.push_back(std::move(head));
  for (const SweepRow& row : rows) {
    std::vector<std::string> line{Measure(row.accelerators).brief()};
    for (const Column& column : kColumns) line.push_back(cell(row.plan, column));
    for (const StoragePlan& storage : row.plan.storage)
      if (storage.figures.key == "train")
        for (const Sizing& sizing : storage.sizings)
          line.push_back(sizing.units > Count(0) ? Measure(sizing.units).brief() : "-");
    table.push_back(std::move(line));
  }
  // A column that nothing is known for says nothing.
  for (std::size_t column = table.front().size(); column-- > 0;) {
    const bool empty = std::all_of(table.begin() + 1, table.end(),
                                   [&](const auto& line) { return line[column] == "-"; });
    if (empty)
      for (auto& line : table) line.erase(line.begin() + static_cast<std::ptrdiff_t>(column));
  }
  return table;
}

}  // namespace

std::string sweep_to_text(const std::vector<SweepRow>& rows) {
  const auto table = sweep_cells(rows);
  std::vector<std::size_t> widths(table.front().size());
  for (const auto& line : table)
    for (std::size_t column = 0; column < line.size(); ++column)
      widths[column] = std::max(widths[column], line[column].size());
  std::string text;
  if (!rows.front().plan.jobs.empty())
    text = fmt::format("{}: {}\n\n", rows.front().plan.jobs.front().name,
                       rows.front().plan.jobs.front().title);
  for (const auto& line : table) {
    for (std::size_t column = 0; column < line.size(); ++column)
      text += fmt::format("{:>{}}", line[column], widths[column] + 2);
    text += "\n";
  }
  return text;
}

}  // namespace feedrate

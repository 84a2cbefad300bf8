#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "feedrate/base/text.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/report.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/catalogue_entry.h"
#include "feedrate/request/run_options.h"
#include "feedrate/request/text_file.h"
#include "feedrate/result/views.h"
#include "feedrate/workload/workload_text.h"

namespace feedrate {
namespace {

constexpr OptionRow kWorkloadOrReport{
    "workload", OptionType::kWorkload, "", "",
    "a name of 'feedrate workloads' or of its --catalogue, a YAML file, dlio:FILE, or a report: a "
    "file that --json of any verb wrote"};

bool is_workload(const std::string& name) {
  const std::vector<std::string> names = catalogue_names();
  return std::ranges::find(names, name) != names.end();
}

class ShowCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    workload_.declare(table, kWorkloadOrReport);
    table.add("",
              {{{"--yaml", kFlag, "", "", "print it as YAML, to be changed and given back"}, yaml_},
               {rows::kCsv, csv_},
               {rows::kExplain, explain_}});
  }
  Result<int> run(const CommandContext& context) override {
    const std::string& name = workload_.workload;
    if (name.ends_with(".json") || (!is_workload(name) && holds_report(name)))
      return show_saved_report(context);
    if (!csv_.empty() || explain_)
      return fail(ErrorKind::kUsage,
                  fmt::format("{} is for a report, and '{}' is none",
                              csv_.empty() ? "--explain" : "--csv", name),
                  "give the file that --json wrote");
    FEEDRATE_TRY(const std::vector<ListedEntry> others, other_entries(name));
    if (!others.empty() && !is_workload(name)) return show_others(others);
    FEEDRATE_TRY(const Workload workload, resolve_workload(workload_, context));
    const bool changed = !workload_.sets.empty() || !context.overrides.empty();
    FEEDRATE_CHECK(yaml_ ? print(to_yaml(workload))
                         : print_result(workload_text(workload, changed)));
    return 0;
  }

 private:
  // Tells a report by its content: JSON whose first key is that of a version.
  static bool holds_report(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return false;
    std::string begin(64, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    begin.resize(static_cast<std::size_t>(file.gcount()));
    return trim(begin).starts_with('{') && begin.contains("\"feedrate");
  }

  // Shows what is built in under this name besides workloads: each as its file has it.
  Result<int> show_others(const std::vector<ListedEntry>& entries) const {
    if (!workload_.sets.empty())
      return fail(ErrorKind::kUsage,
                  fmt::format("--set is for a workload, and '{}' is of the kind: {}",
                              workload_.workload, entries.front().kind),
                  "leave it out");
    std::string text;
    for (const ListedEntry& entry : entries) {
      if (!yaml_)
        text += fmt::format("{}{}: {}\n  {:<17}{}\n  {:<17}{}\n\n", text.empty() ? "" : "\n",
                            entry.name, entry.title, "kind", entry.kind, "used as", entry.used_as);
      text += yaml_of(entry);
    }
    FEEDRATE_CHECK(yaml_ ? print(text) : print_result(text));
    return 0;
  }

  // Shows a saved report as its verb printed it.
  Result<int> show_saved_report(const CommandContext& context) const {
    if (yaml_)
      return fail(ErrorKind::kUsage, "--yaml is for a workload, and this is a report",
                  "leave it out");
    if (!workload_.sets.empty())
      return fail(ErrorKind::kUsage, "--set is for a workload, and this is a report",
                  "leave it out");
    FEEDRATE_TRY(const ResultTarget csv, ResultTarget::open(csv_, "--csv", context.stop));
    FEEDRATE_TRY(const std::string text, read_report_file(workload_.workload));
    const Result<Report> report = parse_report(text);
    if (!report) return fail(report.error().with_context(quote_path(workload_.workload)));
    if (explain_ && !std::holds_alternative<PlanResult>(*report))
      return fail(ErrorKind::kUsage, "--explain is for the report of a plan", "leave it out");
    FEEDRATE_CHECK(csv.write(csv.wanted() ? to_csv(*report) : ""));
    if (!csv.to_stdout()) FEEDRATE_CHECK(print_result(to_text(*report, explain_)));
    return 0;
  }

  WorkloadOptions workload_;
  std::string csv_;
  bool yaml_ = false, explain_ = false;
};

}  // namespace

std::unique_ptr<Command> make_show_command() { return std::make_unique<ShowCommand>(); }

}  // namespace feedrate

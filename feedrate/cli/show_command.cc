#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/cli/catalogue_entry.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/report.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/run_options.h"
#include "feedrate/result/views.h"

namespace feedrate {
namespace {

constexpr OptionRow kWorkloadOrReport{
    "workload", OptionType::kWorkload, "", "",
    "a name of 'feedrate workloads' or of its --catalogue, a YAML file, dlio:FILE, or a report: a "
    "file that --json of any verb wrote"};

// Even a run of a million accelerators writes less.
constexpr std::uint64_t kReportBytesMax = std::uint64_t{1} << 28U;

// Describes the step times of one set. One that is only partly given shows what it has.
std::string describe_set(const Workload& workload, const std::string& set) {
  std::string text = fmt::format(
      "\n  {} timing\n  accelerator  batch        step     samples/s        demand   source\n",
      set);
  for (const AcceleratorTiming& timing : workload.accelerators) {
    if (timing.set != set) continue;
    const bool complete = timing.complete();
    const double demand =
        complete ? Workload::demand_bytes_per_second(timing, workload.dataset.read_bytes_mean())
                 : 0;
    text += fmt::format("  {:<11}  {:>5}  {:>10}  {:>12}  {:>12}   {}\n", timing.accelerator,
                        timing.batch_samples > 0 ? std::to_string(timing.batch_samples) : "-",
                        timing.compute.count() > 0 ? format_duration(timing.compute) : "-",
                        complete ? fmt::format("{:.1f}", timing.samples_per_second()) : "-",
                        complete ? format_rate(demand) : "-", timing.source);
  }
  return text;
}

std::string labels_text(const DatasetShape& data) {
  std::string text(to_string(data.labels));
  if (data.classes > 1) text += fmt::format(", {} classes", data.classes);
  if (data.labels == LabelPlacement::kNone) text = "none";
  if (data.label_bytes > 0) text += fmt::format(", {:.0f} B each", data.label_bytes);
  return text;
}

std::string layout_text(const DatasetShape& data) {
  if (data.layout == DirectoryLayout::kSubfolders) return format_counted(data.folders, "subfolder");
  return std::string(to_string(data.layout));
}

std::string format_text(const DatasetShape& data) {
  std::string text = data.format;
  for (const auto& [key, value] : data.format_options) text += fmt::format(", {} {}", key, value);
  return text;
}

// `changed` says that the user changed a key of it, which the published notes do not know.
std::string describe(const Workload& workload, bool changed) {
  const DatasetShape& data = workload.dataset;
  const double sample = data.sample_bytes_mean;
  std::string text = fmt::format("{}: {}\n", workload.name, workload.title);
  const auto row = [&](std::string_view label, const std::string& value) {
    text += fmt::format("  {:<17}{}\n", label, value);
  };
  row("data set", fmt::format("{} x {}, {}", format_counted(data.files, "file"),
                              format_counted(data.samples_per_file, "sample"), data.name));
  row("size",
      format_bytes(static_cast<std::uint64_t>(sample * static_cast<double>(data.samples()))));
  row("sample", fmt::format("{} on average, standard deviation {}",
                            format_bytes(static_cast<std::uint64_t>(sample)),
                            format_bytes(static_cast<std::uint64_t>(data.sample_bytes_stdev))));
  if (data.sample_bytes_read > 0)
    row("read of a sample", format_bytes(static_cast<std::uint64_t>(data.sample_bytes_read)));
  row("format", format_text(data));
  row("labels", labels_text(data));
  row("layout", layout_text(data));
  row("order", fmt::format("{}{}, as {} reads", to_string(workload.order),
                           workload.shuffle_buffer_samples > 0
                               ? fmt::format(" with a shuffle buffer of {} samples",
                                             workload.shuffle_buffer_samples)
                               : "",
                           to_string(workload.framework)));
  row("loader",
      fmt::format("{}, {} {} ahead, {}", format_counted(workload.readers, "reader"),
                  workload.prefetch_batches, workload.prefetch_batches == 1 ? "batch" : "batches",
                  format_counted(workload.epochs, "epoch")));
  if (workload.steps_max > 0)
    row("steps", fmt::format("at most {} of each accelerator", workload.steps_max));
  if (workload.model_parameters > 0)
    row("model", fmt::format("{} parameters ({})",
                             format_count(static_cast<double>(workload.model_parameters)),
                             workload.model_source));
  row("AU threshold", format_percent(workload.au_threshold));
  row("source", workload.source);
  for (const std::string& set : workload.timing_sets()) text += describe_set(workload, set);
  if (!workload.notes.empty()) text += "\n";
  for (const std::string& note : workload.notes)
    text += fmt::format("  note{}: {}\n", changed ? " of the published workload" : "", note);
  return text;
}

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
    FEEDRATE_CHECK(yaml_ ? print(to_yaml(workload)) : print_result(describe(workload, changed)));
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

  static Result<std::string> read_report_file(const std::string& path) {
    // Only regular files are opened, because opening a pipe would wait for a writer.
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
      return fail(ErrorKind::kUsage, fmt::format("{} is not a regular file", quote_path(path)),
                  "give the path of a file that --json wrote");
    const std::uintmax_t bytes = std::filesystem::file_size(path, ignored);
    if (!ignored && bytes > kReportBytesMax)
      return fail(ErrorKind::kUsage,
                  fmt::format("{} has {}, and a report of more than {} is not read",
                              quote_path(path), format_bytes(bytes), format_bytes(kReportBytesMax)),
                  "give the path of a file that --json wrote");
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file.is_open()) text << file.rdbuf();
    if (!file.is_open() || file.bad())
      return fail(ErrorKind::kUsage, fmt::format("cannot read the report {}", quote_path(path)),
                  "give the path of a file that --json wrote");
    return std::move(text).str();
  }

  WorkloadOptions workload_;
  std::string csv_;
  bool yaml_ = false, explain_ = false;
};

}  // namespace

std::unique_ptr<Command> make_show_command() { return std::make_unique<ShowCommand>(); }

}  // namespace feedrate

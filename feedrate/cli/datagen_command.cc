#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/find_dataset.h"
#include "feedrate/cli/report.h"
#include "feedrate/dataset/generate.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/directories.h"
#include "feedrate/request/run_options.h"
#include "feedrate/result/data_result.h"

namespace feedrate {
namespace {

class DatagenCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    workload_.declare(table, rows::kWorkloadName);
    table.add("",
              {{{"directory", kDirectory, "", "", "where to write; made if missing"}, directory_}});
    dataset_.declare(table, "published");
    table.add("Data set", {{rows::kSeed, dataset_.seed}});
    table.add("", {{{"--dry-run", kFlag, "", "", "say what would be written, and write nothing"},
                    dry_run_},
                   {rows::kJson, json_}});
  }
  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json", context.stop));
    FEEDRATE_TRY(const Workload workload, resolve_workload(workload_, context));
    for (const std::string& set : workload_.sets)
      if (!set.starts_with("dataset.") && !set.starts_with("name="))
        return fail(ErrorKind::kUsage,
                    fmt::format("--set {} has no effect: datagen writes files, and only the keys "
                                "of dataset say what is in them",
                                set),
                    "leave it out, or give it to find or train");
    FEEDRATE_CHECK(check_directory(directory_, "name a new directory, or an empty one"));
    FEEDRATE_TRY(const DatasetPlan plan, dataset_.resolve(workload, 0));
    FEEDRATE_TRY(const auto dataset, Dataset::from_plan(plan, directory_));
    FEEDRATE_TRY(const std::uint64_t jobs, parse_count(dataset_.jobs, "--jobs", 0, 1024));
    DatagenResult result = describe(workload, plan, *dataset);
    if (!dry_run_) {
      GenerateProgress progress;
      const auto written =
          generate_with_progress(*dataset, static_cast<unsigned>(jobs), context, progress);
      result.bytes_written = progress.bytes_written;
      result.files_kept = progress.files_kept;
      if (!written) return report_failure(context, "datagen", result, written.error(), false, json);
      result.files_written = written->files_written;
      result.effective["jobs"] = std::to_string(written->jobs);
      result.seconds = to_seconds(written->elapsed);
    }
    fill_envelope(context, "datagen", result);
    FEEDRATE_CHECK(show_report(result, json));
    return 0;
  }

 private:
  DatagenResult describe(const Workload& workload, const DatasetPlan& plan,
                         const Dataset& dataset) const {
    DatagenResult result;
    result.workload = workload.name;
    result.title = workload.title;
    result.dataset = {directory_, plan.format, dataset.files(), dataset.samples(), dataset.bytes()};
    result.dry_run = dry_run_;
    if (dry_run_) result.files_written = 0;
    result.seeds["content"] = plan.seed;
    result.place.directory = directory_;
    result.effective["size"] = format_bytes(dataset.bytes());
    result.effective["subfolders"] = std::to_string(plan.folders);
    return result;
  }

  WorkloadOptions workload_;
  DatasetOptions dataset_;
  std::string directory_, json_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> make_datagen_command() { return std::make_unique<DatagenCommand>(); }

}  // namespace feedrate

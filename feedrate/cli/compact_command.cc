#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/checkpoint/compact.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/system_options.h"
#include "feedrate/result/checkpoint_result.h"

namespace feedrate {
namespace {

class CompactCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    table.add("", {{{"directory", OptionType::kDirectory, "", "",
                     "that 'feedrate checkpoint --incremental' wrote to"},
                    directory_}});
    table.add("Checkpoints", {{rows::kStep, step_}, {rows::kKeep, keep_}});
    system_.declare(table);
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(system_.json, "--json", context.stop));
    CompactJob job;
    job.directory = directory_;
    if (!step_.empty()) {
      FEEDRATE_TRY(job.step, parse_count(step_, "--step", 0, UINT64_MAX));
    }
    if (!keep_.empty()) {
      FEEDRATE_TRY(job.keep, parse_count(keep_, "--keep", 1, 1'000'000));
    }
    // The number of ranks is in a manifest that is not read yet, so it limits no threads here.
    FEEDRATE_TRY(const System system, resolve_system(system_, directory_, UINT64_MAX));
    FEEDRATE_CHECK(check_kept(system, system_.storage, "compact"));
    job.block_bytes = system.block;
    job.at_once = system.at_once;
    FEEDRATE_TRY(auto group, ReactorGroup::make(system.clock, system.engine, system.threads));
    const StuckReporter stuck(*group);
    CheckpointProgress progress;
    Result<CompactSummary> summary = fail(ErrorKind::kCancelled, "");
    {
      const ProgressLine line(
          context.quiet, [&progress] { return checkpoint_progress_text("compacted", progress); });
      summary = compact_checkpoint(*group, system.storage, job, progress, context.stop);
    }
    CompactResult result;
    describe_system(system_, system, directory_, result);
    describe_group(*group, result);
    if (!summary) {
      result.step = job.step.value_or(0);
      result.steps_read = 0;
      return report_failure(context, "compact", result, summary.error(), false, json);
    }
    result.step = summary->step;
    result.bytes = summary->bytes;
    result.steps_read = summary->steps_read;
    result.seconds = to_seconds(summary->elapsed);
    result.removed = summary->removed;
    result.effective["step"] = std::to_string(result.step);
    fill_envelope(context, "compact", result);
    FEEDRATE_CHECK(show_report(result, json));
    return 0;
  }

 private:
  SystemOptions system_;
  std::string directory_, step_, keep_;
};

}  // namespace

std::unique_ptr<Command> make_compact_command() { return std::make_unique<CompactCommand>(); }

}  // namespace feedrate

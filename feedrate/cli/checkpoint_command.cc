#include "feedrate/cli/commands.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/request/checkpoint_options.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

class CheckpointCommand final : public JobCommand {
 public:
  void declare(OptionTable& table) override { options_.declare(table); }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json,
                 ResultTarget::open(options_.json(), "--json", context.stop));
    FEEDRATE_TRY(const CheckpointSetup setup, options_.resolve());
    if (options_.fails()) {
      FEEDRATE_TRY(const FailingRun failing, options_.resolve_failures(setup));
      return show_transfer(context,
                           checkpoint_with_failures(setup, failing, watched(context, false)), json);
    }
    const NewDirectories made(options_.directory());
    CheckpointProgress progress;
    RunHooks hooks = watched(context, false);
    hooks.moved = &progress;
    Reported<CheckpointResult> done = [&] {
      const ProgressLine line(
          context.quiet, [&progress] { return checkpoint_progress_text("written", progress); });
      return checkpoint(setup, hooks);
    }();
    // A run that wrote nothing leaves no directory of ours behind.
    if (!done.ended) made.remove_empty(kCheckpointsMarker);
    return show_transfer(context, std::move(done), json);
  }

  Result<JobSetup> beside(const CommandContext& /*context*/) override {
    FEEDRATE_TRY(CheckpointSetup setup, options_.resolve_beside());
    return JobSetup{"", std::move(setup)};
  }

 private:
  CheckpointOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_checkpoint_command() { return std::make_unique<CheckpointCommand>(); }

}  // namespace feedrate

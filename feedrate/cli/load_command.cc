#include "feedrate/cli/commands.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/load_options.h"

namespace feedrate {
namespace {

class LoadCommand final : public Command {
 public:
  void declare(OptionTable& table) override { options_.declare(table); }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json,
                 ResultTarget::open(options_.json(), "--json", context.stop));
    FEEDRATE_TRY(const LoadSetup setup, options_.resolve());
    CheckpointProgress progress;
    RunHooks hooks = watched(context, false);
    hooks.moved = &progress;
    Reported<LoadResult> done = [&] {
      const ProgressLine line(context.quiet || setup.world.clock == ClockKind::kVirtual,
                              [&progress] { return checkpoint_progress_text("loaded", progress); });
      return load(setup, hooks);
    }();
    return show_transfer(context, std::move(done), json);
  }

 private:
  LoadOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_load_command() { return std::make_unique<LoadCommand>(); }

}  // namespace feedrate

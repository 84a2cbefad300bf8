#include "feedrate/base/units.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/experiment/compact.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/system_options.h"

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
    FEEDRATE_TRY(const CompactSetup setup, resolve());
    CheckpointProgress progress;
    RunHooks hooks = watched(context, false);
    hooks.moved = &progress;
    Reported<CompactResult> done = [&] {
      const ProgressLine line(
          context.quiet, [&progress] { return checkpoint_progress_text("compacted", progress); });
      return compact(setup, hooks);
    }();
    return show_transfer(context, std::move(done), json);
  }

 private:
  Result<CompactSetup> resolve() const {
    CompactSetup setup;
    setup.job.directory = directory_;
    if (!step_.empty()) {
      FEEDRATE_TRY(setup.job.step, parse_count(step_, "--step", 0, UINT64_MAX));
    }
    if (!keep_.empty()) {
      FEEDRATE_TRY(setup.job.keep, parse_count(keep_, "--keep", 1, 1'000'000));
    }
    // The number of ranks is in a manifest that is not read yet, so it limits no threads here.
    FEEDRATE_TRY(static_cast<TransferSetup&>(setup), system_.resolve(directory_, UINT64_MAX));
    FEEDRATE_CHECK(check_kept(setup, directory_, "compact"));
    return setup;
  }

  SystemOptions system_;
  std::string directory_, step_, keep_;
};

}  // namespace

std::unique_ptr<Command> make_compact_command() { return std::make_unique<CompactCommand>(); }

}  // namespace feedrate

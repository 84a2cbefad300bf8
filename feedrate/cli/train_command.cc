#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <set>

#include "feedrate/cli/beside.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/options/command_line.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/train_checkpoints.h"
#include "feedrate/request/train_options.h"

namespace feedrate {
namespace {

class TrainCommand final : public JobCommand {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    options_.declare(table);
    checkpoints_.declare(table);
    constexpr std::string_view kBeside = "--with='checkpoint llama3-8b DIR --every=5m'";
    table.add("Beside other jobs",
              {{{"--with", kText, "", "JOB",
                 "a job on the same reactors and, where it names the same, the same storage: the "
                 "words of 'feedrate train' or 'feedrate checkpoint', in quotes; it ends with this "
                 "one"},
                with_},
               {{"--alone", kFlag, "", "",
                 "each job by itself as well, with the same seeds, to tell what the others cost it",
                 kBeside},
                alone_}});
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json,
                 ResultTarget::open(options_.run.json, "--json", context.stop));
    FEEDRATE_TRY(TrainingSetup setup, resolve(context));
    FEEDRATE_TRY(const auto checkpoints, checkpoints_.resolve(setup, options_.run, setup.plan));
    if (!with_.empty()) return run_together(std::move(setup), context, json);
    TrainingProgress progress;
    RunHooks hooks = watched(context, !checkpoints);
    hooks.progress = &progress;
    Result<RunResult> result = [&] {
      const ProgressLine line(quiet(context, setup), [this, &progress] { return told(progress); });
      return train(setup, hooks, checkpoints ? &*checkpoints : nullptr);
    }();
    if (!result) {
      RunResult failed;
      failed.place = {setup.plan.dataset->directory(), setup.place.spec.word, setup.io_word(),
                      std::string(to_string(setup.world.clock))};
      failed.effective = settings_of(setup, setup.plan, setup.world.io_engine);
      return report_failure(context, "train", failed, result.error(), false, json);
    }
    fill_envelope(context, "train", *result);
    FEEDRATE_CHECK(show_report(*result, json));
    return exit_status(*result);
  }

  Result<JobSetup> beside(const CommandContext& context) override {
    if (checkpoints_.wanted())
      return fail(ErrorKind::kUsage,
                  "--checkpoint-every: only the first job stops for checkpoints of its own",
                  "add --with='checkpoint MODEL DIR --every=TIME'");
    if (!with_.empty())
      return fail(ErrorKind::kUsage, "--with: a job beside another has none beside it",
                  "give each --with to the first job");
    FEEDRATE_TRY(TrainingSetup setup, resolve(context));
    // Without epochs it goes on for as long as the first job.
    if (!options_.epochs_asked()) setup.plan.epochs = 0;
    return JobSetup{"", std::move(setup)};
  }

 private:
  Result<TrainingSetup> resolve(const CommandContext& context) {
    FEEDRATE_TRY(Workload workload, resolve_workload(options_.run.workload, context));
    return options_.resolve(std::move(workload), context.stop);
  }

  Result<int> run_together(TrainingSetup setup, const CommandContext& context,
                           const ResultTarget& json) {
    if (checkpoints_.wanted())
      return fail(ErrorKind::kUsage, "--checkpoint-every: not beside other jobs",
                  "use --with='checkpoint MODEL DIR --every=TIME' for its checkpoints, too");
    FEEDRATE_TRY(std::vector<JobSetup> others, resolve_beside(with_, context));
    const WorldSpec world = setup.world;
    const bool is_quiet = quiet(context, setup);
    Experiment experiment;
    experiment.alone = alone_;
    experiment.jobs.push_back({own_words(context), std::move(setup)});
    std::ranges::move(others, std::back_inserter(experiment.jobs));
    TrainingProgress progress;
    RunHooks hooks = watched(context, false);
    hooks.progress = &progress;
    Result<TogetherReport> report = [&] {
      const ProgressLine line(is_quiet, [this, &progress] { return told(progress); });
      return feedrate::run(experiment, world, hooks);
    }();
    if (!report) return fail(report.error());
    report->place = report->jobs.front().train->place;
    report->effective = report->jobs.front().train->effective;
    report->seeds = report->jobs.front().train->seeds;
    fill_envelope(context, "together", *report);
    FEEDRATE_CHECK(show_report(*report, json));
    return exit_status(*report);
  }

  // Returns the words of the first job, without those that are about the others or the output.
  static std::string own_words(const CommandContext& context) {
    const std::set<std::string> flags{"--alone", "--quiet", "-q"};
    std::string line = "train";
    for (std::size_t i = 0; i < context.words.size(); ++i) {
      const std::string& word = context.words[i];
      const bool elsewhere = word == "--with" || word == "--json";
      if (elsewhere) ++i;  // Its value goes with it.
      if (elsewhere || flags.contains(word) || word.starts_with("--with=") ||
          word.starts_with("--json="))
        continue;
      line += " " + quoted_word(word);
    }
    return line;
  }

  static bool quiet(const CommandContext& context, const TrainingSetup& setup) {
    return context.quiet || setup.world.clock == ClockKind::kVirtual;
  }
  // The line of progress, with the rate since the one before; nothing before the first read.
  std::string told(const TrainingProgress& progress) {
    const std::uint64_t bytes = progress.bytes;
    if (bytes == 0) return {};
    const auto now = std::chrono::steady_clock::now();
    std::string rate;
    if (told_at_) {
      const double seconds = std::chrono::duration<double>(now - *told_at_).count();
      rate = ", " + format_rate(static_cast<double>(bytes - told_bytes_) / seconds);
    }
    told_at_ = now;
    told_bytes_ = bytes;
    return fmt::format("training: step {}, {} read{}", progress.steps.load(), format_bytes(bytes),
                       rate);
  }
  static int exit_status(const Envelope& report) {
    if (report.interrupted) return 130;
    return report.valid ? 0 : 4;
  }

  TrainOptions options_;
  TrainCheckpointOptions checkpoints_;
  std::vector<std::string> with_;  // Each line is a job.
  bool alone_ = false;
  std::optional<std::chrono::steady_clock::time_point> told_at_;
  std::uint64_t told_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace feedrate

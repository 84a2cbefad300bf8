#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "feedrate/cli/beside.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/data_request.h"
#include "feedrate/request/model_options.h"
#include "feedrate/request/run_options.h"
#include "feedrate/request/train_checkpoints.h"

namespace feedrate {
namespace {

class TrainCommand final : public JobCommand {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    options_.declare(table, kFixedLoader);
    table.add("The job",
              {{rows::kAccelerators.usually("1 replica"), accelerators_}, {rows::kAu, au_}});
    // A search has no such option, because a trial whose reads failed tells nothing and ends the
    // search.
    table.add("The loader", {{{"--on-error", kWords, "stop", "stop|continue",
                               "after a failed read: end the run, or count it and go on"},
                              options_.on_error}});
    table.add("How long (the first limit that is reached ends the run)",
              {{rows::kEpochs, epochs_},
               {{"--steps", kCount, "", "1 to 1099511627776", "steps of each accelerator"}, steps_},
               {rows::kTime, time_}});
    table.add("What is read", {{rows::kDatasetSize, described_.size}});
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
                 ResultTarget::open(options_.json, "--json", context.stop));
    FEEDRATE_TRY(TrainingSetup setup, resolve(context));
    FEEDRATE_TRY(const auto checkpoints, checkpoints_.resolve(setup, options_, setup.plan));
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
    if (epochs_.empty() && !options_.workload.asked.contains("epochs")) setup.plan.epochs = 0;
    return JobSetup{"", std::move(setup)};
  }

 private:
  // Resolves everything that the words say of the job, with its limits.
  Result<TrainingSetup> resolve(const CommandContext& context) {
    FEEDRATE_TRY(Workload workload, resolve_workload(options_.workload, context));
    if (!au_.empty()) {
      FEEDRATE_TRY(workload.au_threshold, parse_fraction(au_, "--au", 0.01, 1));
    }
    described_.seed = options_.seed;
    FEEDRATE_CHECK(options_.parse_place());
    FEEDRATE_TRY(const ClientKind client, resolve_client(options_));
    if (!described_.size.empty() && made_for_null() == nullptr)
      return fail(ErrorKind::kUsage, "--size: train reads what is there and makes no data set",
                  "make one with 'feedrate datagen' or 'feedrate find', or describe one with "
                  "--storage=null");
    FEEDRATE_TRY(const FoundDataset found,
                 find_dataset(options_, workload, made_for_null(), {context.stop, {}}));
    FEEDRATE_TRY(TrainingSetup setup, make_setup(options_, workload, found.dataset, client));
    setup.warnings.insert(setup.warnings.end(), found.warnings.begin(), found.warnings.end());
    FEEDRATE_CHECK(set_limits(workload, setup.plan));
    FEEDRATE_CHECK(check_training_plan(setup.plan));
    return setup;
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
    experiment.jobs.push_back({"train " + options_.workload.workload, std::move(setup)});
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

  // With null and model storage --size describes the data set; on real storage only datagen makes
  // one.
  const DatasetOptions* made_for_null() const {
    return options_.reads_no_files() ? &described_ : nullptr;
  }

  Result<> set_limits(const Workload& workload, TrainingPlan& plan) const {
    std::uint64_t count = plan.replica_accelerators();
    if (!accelerators_.empty()) {
      FEEDRATE_TRY(count, parse_count(accelerators_, "--accelerators", 1, 1'000'000));
    }
    FEEDRATE_TRY(const std::uint64_t replicas,
                 whole_replicas(count, "--accelerators",
                                {plan.tensor_parallel, plan.pipeline_parallel, 1, 0}));
    plan.replicas = static_cast<std::uint32_t>(replicas);
    for (const auto& [rank, factor] : plan.slow_ranks)
      if (rank >= count)
        return fail(ErrorKind::kUsage,
                    fmt::format("--slow-rank: there is no rank {} of {}", rank,
                                format_counted(count, "accelerator")),
                    fmt::format("the last one is {}", count - 1));
    const bool limited = !steps_.empty() || !time_.empty();
    const std::set<std::string>& asked = options_.workload.asked;
    // --steps or --time replace the workload's own end of a run; epochs that the user gave still
    // hold.
    if (limited && !asked.contains("epochs")) plan.epochs = 0;
    if ((!limited && epochs_.empty()) || asked.contains("steps_max"))
      plan.steps_max = workload.steps_max;
    if (!epochs_.empty()) {
      FEEDRATE_TRY(plan.epochs, parse_count(epochs_, "--epochs", 1, 1'000'000));
    }
    if (!steps_.empty()) {
      FEEDRATE_TRY(plan.steps_max, parse_count(steps_, "--steps", 1, std::uint64_t{1} << 40U));
    }
    if (!time_.empty()) {
      FEEDRATE_TRY(plan.time_max, parse_duration(time_, "--time"));
      if (plan.time_max.count() == 0)
        return fail(ErrorKind::kUsage, "--time: 0 is too short", "write it like 30s");
    }
    return {};
  }

  RunOptions options_;
  TrainCheckpointOptions checkpoints_;
  DatasetOptions described_;
  std::string accelerators_, epochs_, steps_, time_, au_;
  std::vector<std::string> with_;  // Each line is a job.
  bool alone_ = false;
  std::optional<std::chrono::steady_clock::time_point> told_at_;
  std::uint64_t told_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace feedrate

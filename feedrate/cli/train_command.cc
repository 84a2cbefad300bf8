#include <fmt/format.h>

#include <chrono>

#include "feedrate/cli/command.h"
#include "feedrate/cli/find_dataset.h"
#include "feedrate/cli/model_options.h"
#include "feedrate/cli/option_rows.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/run_options.h"
#include "feedrate/cli/train_checkpoints.h"

namespace feedrate {
namespace {

class TrainCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    options_.declare(table, kFixedLoader);
    table.add("The job",
              {{rows::kAccelerators.usually("1 replica"), accelerators_}, {rows::kAu, au_}});
    // Not of a search: a trial whose reads failed tells nothing, and ends it.
    table.add("The loader", {{{"--on-error", kWords, "stop", "stop|continue",
                               "after a failed read: end the run, or count it and go on"},
                              options_.on_error}});
    table.add("How long (the first limit that is reached ends the run)",
              {{rows::kEpochs, epochs_},
               {{"--steps", kCount, "", "1 to 1099511627776", "steps of each accelerator"}, steps_},
               {rows::kTime, time_}});
    table.add("What is read", {{rows::kDatasetSize, described_.size}});
    checkpoints_.declare(table);
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(options_.json, "--json"));
    FEEDRATE_TRY(Workload workload, options_.workload.resolve(context));
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
                 find_dataset(options_, workload, made_for_null(), context));
    FEEDRATE_TRY(RunSetup setup, make_setup(options_, workload, found.dataset, client));
    setup.warnings.insert(setup.warnings.end(), found.warnings.begin(), found.warnings.end());
    TrainingPlan plan = setup.plan;
    FEEDRATE_CHECK(set_limits(workload, plan));
    FEEDRATE_CHECK(check_training_plan(plan));
    FEEDRATE_TRY(const auto checkpoints, checkpoints_.resolve(setup, options_, plan));
    // The host by itself, before it is measured with the storage.
    FEEDRATE_TRY(const ClientCeiling alone,
                 measure_ceiling(setup, plan, ceiling_time(plan), context.stop));
    TrainingProgress progress;
    const auto begin = std::chrono::steady_clock::now();
    Result<RunResult> result = [&] {
      const ProgressLine line(context.quiet || setup.clock == ClockKind::kVirtual, [&] {
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        return fmt::format("training: step {}, {} read, {}", progress.steps.load(),
                           format_bytes(progress.bytes),
                           format_rate(static_cast<double>(progress.bytes) / seconds));
      });
      return run_once(setup, plan, options_, nullptr, progress, context.stop,
                      checkpoints ? &*checkpoints : nullptr);
    }();
    if (!result) return fail(result.error());
    add_ceiling(setup, alone, *result);
    fill_envelope(context, "train", *result);
    FEEDRATE_CHECK(show_report(*result, json));
    if (result->interrupted) return 130;
    return result->valid ? 0 : 4;
  }

 private:
  // --size only describes a data set for null and model storage; a real one is datagen's to make.
  const DatasetOptions* made_for_null() const {
    return options_.reads_no_files() ? &described_ : nullptr;
  }

  // About a second, but no longer than the run itself takes at least.
  static Duration ceiling_time(const TrainingPlan& plan) {
    const double step = to_seconds(plan.timing.compute);
    double seconds = 1;
    if (plan.time_max > Duration::zero()) seconds = std::min(seconds, to_seconds(plan.time_max));
    if (plan.steps_max > 0) seconds = std::min(seconds, step * static_cast<double>(plan.steps_max));
    const double batches = static_cast<double>(plan.dataset->samples()) /
                           (static_cast<double>(plan.replicas) * plan.timing.batch_samples);
    if (plan.epochs > 0)
      seconds = std::min(seconds, step * batches * static_cast<double>(plan.epochs));
    return std::max<Duration>(std::chrono::milliseconds(1), from_seconds(seconds));
  }

  static void add_ceiling(const RunSetup& setup, const ClientCeiling& alone, RunResult& result) {
    if (!result.valid || result.interrupted) return;
    result.ceiling = alone;
    // What was done with the bytes comes on top, shared by all cores.
    const ByteProcessing& done = result.processing;
    if (result.ceiling.seconds > 0 && done.samples > 0) {
      const double each = done.cpu_seconds / static_cast<double>(done.samples);
      const double before = result.ceiling.samples_per_second;
      result.ceiling.samples_per_second = 1 / (1 / before + each / setup.threads);
      result.ceiling.accelerators *= result.ceiling.samples_per_second / before;
      result.ceiling.cpu_seconds_per_sample += each;
    }
    result.limiter = find_limiter(result);
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
};

}  // namespace

std::unique_ptr<Command> make_train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace feedrate

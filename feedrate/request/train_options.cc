#include "feedrate/request/train_options.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/data_request.h"
#include "feedrate/request/model_options.h"

namespace feedrate {

void TrainOptions::declare(OptionTable& table) {
  using enum OptionType;
  run.declare(table, kFixedLoader);
  table.add("The job", {{rows::kAccelerators.usually("1 replica"), accelerators}, {rows::kAu, au}});
  // A search has no such option, because a trial whose reads failed tells nothing and ends the
  // search.
  table.add("The loader", {{{"--on-error", kWords, "stop", "stop|continue",
                             "after a failed read: end the run, or count it and go on"},
                            run.on_error}});
  table.add("How long (the first limit that is reached ends the run)",
            {{rows::kEpochs, epochs},
             {{"--steps", kCount, "", "1 to 1099511627776", "steps of each accelerator"}, steps},
             {rows::kTime, time}});
  table.add("What is read", {{rows::kDatasetSize, described.size}});
}

Result<TrainingSetup> TrainOptions::resolve(Workload workload, const std::stop_token& stop) {
  if (!au.empty()) {
    FEEDRATE_TRY(workload.au_threshold, parse_fraction(au, "--au", 0.01, 1));
  }
  described.seed = run.seed;
  FEEDRATE_CHECK(run.parse_place());
  FEEDRATE_TRY(const ClientKind client, resolve_client(run));
  if (!described.size.empty() && made_for_null() == nullptr)
    return fail(ErrorKind::kUsage, "--size: train reads what is there and makes no data set",
                "make one with 'feedrate datagen' or 'feedrate find', or describe one with "
                "--storage=null");
  FEEDRATE_TRY(const FoundDataset found, find_dataset(run, workload, made_for_null(), {stop, {}}));
  FEEDRATE_TRY(TrainingSetup setup, make_setup(run, workload, found.dataset, client));
  setup.warnings.insert(setup.warnings.end(), found.warnings.begin(), found.warnings.end());
  FEEDRATE_CHECK(set_limits(workload, setup.plan));
  FEEDRATE_CHECK(check_training_plan(setup.plan));
  return setup;
}

Result<> TrainOptions::set_limits(const Workload& workload, TrainingPlan& plan) const {
  std::uint64_t count = plan.replica_accelerators();
  if (!accelerators.empty()) {
    FEEDRATE_TRY(count, parse_count(accelerators, "--accelerators", 1, 1'000'000));
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
  const bool limited = !steps.empty() || !time.empty();
  const std::set<std::string>& asked = run.workload.asked;
  // --steps or --time replace the workload's own end of a run; epochs that the user gave still
  // hold.
  if (limited && !asked.contains("epochs")) plan.epochs = 0;
  if ((!limited && epochs.empty()) || asked.contains("steps_max"))
    plan.steps_max = workload.steps_max;
  if (!epochs.empty()) {
    FEEDRATE_TRY(plan.epochs, parse_count(epochs, "--epochs", 1, 1'000'000));
  }
  if (!steps.empty()) {
    FEEDRATE_TRY(plan.steps_max, parse_count(steps, "--steps", 1, std::uint64_t{1} << 40U));
  }
  if (!time.empty()) {
    FEEDRATE_TRY(plan.time_max, parse_duration(time, "--time"));
    if (plan.time_max.count() == 0)
      return fail(ErrorKind::kUsage, "--time: 0 is too short", "write it like 30s");
  }
  return {};
}

}  // namespace feedrate

#include "feedrate/find/runner.h"

#include <utility>

#include "feedrate/base/random.h"

namespace feedrate {

TrialRunner experiment_runner(const TrainingSetup& setup, RunHooks hooks) {
  // Measuring the rate of one read without company takes a dozen reads, so it is done once for the
  // whole search.
  const auto stream_rate = std::make_shared<std::optional<StreamRate>>();
  return [&setup, hooks = std::move(hooks), stream_rate](const TrialRequest& request,
                                                         StepObserver& observer) {
    TrainingPlan plan = setup.plan;
    plan.stream_rate = stream_rate;
    plan.replicas = request.accelerators / plan.replica_accelerators();
    plan.readers = request.load.readers;
    plan.prefetch_batches = request.load.prefetch_batches;
    plan.transfer_bytes = request.load.transfer_bytes;
    plan.buffer_bytes = request.load.buffer_bytes;
    // The observer of the search ends a trial, so epochs do not limit it.
    plan.epochs = 0;
    plan.start_samples = request.start_samples;
    // A job reads its labels once, and the search is about what comes after.
    plan.labels_known = true;
    // The framework's client begins anew in each trial, so each has an order of its own.
    if (plan.client == ClientKind::kFaithful) plan.seed = combine_seeds(plan.seed, request.number);
    if (request.free_steps) {
      plan.timing.compute = Duration(1);
      plan.slow_ranks.clear();
    }
    RunHooks trial = hooks;
    trial.observer = &observer;
    return run_training_once(setup, plan, trial);
  };
}

}  // namespace feedrate

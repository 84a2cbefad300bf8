// How many accelerators can this storage keep fed? Doubling, then bisection, over trials.
//
// A trial runs until the 95 % confidence interval of the sustained utilisation (batch means over
// steps, corrected for the prefetch window) lies wholly on one side of the threshold, or its time
// is up; then the mean decides and the trial says that it was not decided. Accelerators come in
// whole replicas of the plan.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "feedrate/engine/train.h"
#include "feedrate/result/run_result.h"

namespace feedrate {

struct FindOptions {
  double au_threshold = 0.9;
  std::uint32_t accelerators_max = 65536;  // one replica at least
  Duration budget{};                       // of the whole search; trials share what is left
};

// One trial's run. `accelerators` is all that changes from one to the next, but for one last trial
// with more readers that tells a full window from a saturated storage.
using TrialRunner = std::function<Result<RunResult>(
    std::uint32_t accelerators, std::uint32_t readers, Duration time_max, StepObserver& observer)>;
// Told before each trial and after it.
struct FindObserver {
  std::function<void(std::uint32_t accelerators, std::uint32_t readers, Duration time_max)>
      trial_begins;
  std::function<void(const TrialResult&)> trial_ends;
};

// `accelerators_by_data`: as many as the data set allows a step for. Errors of the runner end the
// search; an INVALID run is one (kInvalidRun).
Result<FindResult> find_accelerators(const FindOptions& options, const TrainingPlan& plan,
                                     std::uint64_t accelerators_by_data, const TrialRunner& run,
                                     const FindObserver& observer, const std::stop_token& stop);

}  // namespace feedrate

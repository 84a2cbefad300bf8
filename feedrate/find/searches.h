// Does the work of `find`: the search for N, then the one with the framework's habits, in one
// budget.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "feedrate/experiment/reported.h"
#include "feedrate/experiment/training.h"
#include "feedrate/find/limits.h"
#include "feedrate/result/find_result.h"

namespace feedrate {

// A search whose settings are all decided and checked.
struct SearchSetup {
  TrainingSetup training;
  FindOptions find;                   // Without the budget, which SearchClock deals out.
  std::uint64_t replica_samples = 0;  // The samples that each replica needs to be measured.
  std::uint64_t by_data = 0;  // The accelerators for which the data set has samples for a step.
  std::uint32_t several = 1;  // The replicas of a trial whose steps take no time.
};

// Returns the search with this training that has as many reads in flight, and so far ahead, as
// help, where `find` does not keep them as they are; the framework's client keeps its habits. Fails
// with kUsage where the data set is too small for one replica.
Result<SearchSetup> search_setup(TrainingSetup training, FindOptions find);

struct FindSetup {
  SearchSetup first;
  // The search with the framework's habits; none where it is not wanted, and the error where it
  // cannot be made, which the report then tells.
  std::optional<Result<SearchSetup>> framework;
  SearchLimits limits;
  bool just_written = false;      // Whether the data set was written just before.
  std::function<Instant()> wall;  // Tells the time of this host.
  Instant begin{};                // When the budget began, by `wall`.
};

// What somebody who waits for the searches can hook into them. All members may be empty.
struct FindHooks {
  RunHooks run;  // Of it the stop and the watch are used.
  std::function<FindObserver(ClientKind)> observer;
};

// The report's envelope has only what the searches themselves know. The first search's answer
// stands, whatever happens to the second.
Reported<FindReport> find(const FindSetup& setup, const FindHooks& hooks);

}  // namespace feedrate

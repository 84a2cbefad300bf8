// How many accelerators can this storage keep fed? A search for a noisy, monotone, saturating curve
// that knows what it does not know: its answer is a number with an interval.
//
// First it learns what the storage moves, and how evenly, with more and more reads in flight and
// accelerators that take no time; then it tries numbers of accelerators where the answer is
// uncertain, until both sides of it are proven, each at two times of the search, or the budget is
// spent. docs/guide/find.md says how a verdict is reached; noise.h holds the statistics.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "feedrate/engine/train.h"
#include "feedrate/result/find_result.h"

namespace feedrate {

struct FindOptions {
  double au_threshold = 0.9;
  std::uint32_t accelerators_max = 65536;  // one replica at least
  bool max_given = false;                  // the user's own limit
  std::uint32_t at_least = 0;              // 0: find the number; else: are this many fed?
  Duration budget{};                       // of the whole search; 0: until sure
  std::uint64_t samples_max = 0;           // of all trials together; 0: no limit
  // Returns the time since the search began, its own work included. It is empty on the virtual
  // clock, where trials cost the time they last.
  std::function<Duration()> elapsed;
  // Returns true once the search has to end, whatever the budget says. It may be empty.
  std::function<bool()> out_of_time;
  // The most reads in flight that the search may ask for, and the most bytes of batches read ahead,
  // over all accelerators. One read and two batches ahead for each accelerator are always allowed.
  std::uint64_t inflight_max = 1024;
  bool bound_inflight = false;  // even at the price of fewer accelerators
  std::uint64_t read_ahead_max = std::uint64_t{64} << 30U;
  // Whether a trial goes on where the last one ended, so that the costs of a byte's first and
  // second reading are kept apart. The framework's client begins anew each time.
  bool goes_on = true;
  // Settings that the user or the framework has decided, and that the search leaves as they are.
  bool keep_readers = false, keep_prefetch = false, keep_transfer = false;
};

// The load that a trial puts on the storage.
struct TrialLoad {
  std::uint32_t readers = 1;           // per replica
  std::uint32_t prefetch_batches = 2;  // per replica
  std::uint64_t transfer_bytes = 0;
  std::uint64_t buffer_bytes = 0;  // of one reactor
};
struct TrialRequest {
  std::uint64_t number = 0;  // of the trial: seeds differ from one to the next
  std::uint32_t accelerators = 1;
  TrialLoad load;
  // Samples that earlier trials have read; this one goes on behind them.
  std::uint64_t start_samples = 0;
  bool free_steps = false;  // steps take no time, which shows what the storage moves
};
using TrialRunner = std::function<Result<RunResult>(const TrialRequest&, StepObserver& observer)>;

// Is told before each trial, and after it.
struct FindObserver {
  std::function<void(const TrialRequest&, Duration time)> trial_begins;
  std::function<void(const TrialResult&)> trial_ends;
  // Is told the answer as far as it is known.
  std::function<void(const FindResult&)> known;
};

// Returns the fewest reads in flight of one replica: one for each of its readers, where the search
// may not choose their number, and all parts of a sample that is read in several at once.
std::uint64_t reads_of_a_replica(const FindOptions& options, const TrainingPlan& plan);

// Searches for the answer. `accelerators_by_data` is the largest number that the data set allows a
// step for. `several` is the number of replicas in a trial with free steps (one for each reactor).
// An error of the runner ends the search, and so does an INVALID run (kInvalidRun). A trial that
// cannot be measured does not: it is no evidence.
Result<FindResult> find_accelerators(const FindOptions& options, const TrainingPlan& plan,
                                     std::uint64_t accelerators_by_data, std::uint32_t several,
                                     const TrialRunner& run, const FindObserver& observer,
                                     const std::stop_token& stop);

}  // namespace feedrate

// Runs emulated training: accelerators that consume batches, loaders that read them from storage.
//
// An accelerator is arithmetic on completion times: step k starts when its batch is complete and
// the group's previous step has ended, and takes `compute`; the group's step ends with its slowest
// accelerator (data parallelism with a barrier each step). A late wake-up never counts as work.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/engine/reader_stats.h"
#include "feedrate/engine/step_guest.h"
#include "feedrate/engine/stream_rate.h"
#include "feedrate/engine/training_plan.h"
#include "feedrate/result/run_result.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct TrainingOutcome {
  Instant begin{};                // first read issued
  Instant ended{};                // when its last accelerator stopped
  std::vector<StepRecord> steps;  // of the whole group
  Duration first_batch{};         // until the last accelerator had its first batch
  ReaderStats readers{Instant{}};
  std::vector<CpuTime> cpu_times;  // per reactor
  CpuTime process_cpu_time;        // everything, worker threads included
  StreamRate stream_rate;
  std::uint64_t buffers = 0;  // of all reactors: no more reads than that are in flight
  std::vector<std::string> warnings;
  std::optional<Error> fatal;     // what ended the run early (on_error stop)
  std::vector<HostPause> pauses;  // of the reactor that this host held back longest
  HostCounters host_counters;     // what they counted during the run
  unsigned host_cores = 1;        // that this process may use
  bool interrupted = false;
  bool cut = false;        // by the observer, perhaps within a step
  bool let_go = false;     // reads that did not come back are still in flight
  bool simulated = false;  // on the virtual clock
};

// One training run as a job. `observer` and `guest` may be null; all that is handed over by
// reference must outlive it.
class TrainingRun final : public Job {
 public:
  TrainingRun(ReactorGroup& group, StorageFactory storage, const TrainingPlan& plan,
              StepObserver* observer, TrainingProgress& progress, StepGuest* guest = nullptr);
  ~TrainingRun() override;
  void start(unsigned index, Reactor& reactor) override;
  void finish(unsigned index) override;

  // Once, after the group has run. `interrupted`: it was stopped from outside.
  TrainingOutcome outcome(bool interrupted);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Runs that job alone on the group.
TrainingOutcome run_training(ReactorGroup& group, const StorageFactory& storage,
                             const TrainingPlan& plan, StepObserver* observer,
                             TrainingProgress& progress, const std::stop_token& stop,
                             StepGuest* guest = nullptr);

// The steady state of a run: the steps (first, last], and what the storage kept up in them.
//
// Sustained utilisation is nominal compute time over wall time, from the end of one step to the end
// of a later one, everything that accelerators wait for included. Left out are the first step, a
// transient after it (MSER-5, where there are steps enough to tell, and windows that fill, half of
// the run at most), and the end of a run whose loaders had nothing left to read. Batches that were
// consumed from a stock which shrank meanwhile do not count: the storage did not deliver them in
// that time. Where steps are late now and then, both ends are late ones, which end with an empty
// window. With the framework's client over several epochs it is whole epochs, their restarts
// included, so that both ends are at one phase.
struct SteadyState {
  std::size_t first = 0, last = 0;
  double batches = 0;  // a replica's, those of a shrinking stock left out
  double seconds = 0;  // 0: fewer than two steps, nothing was measured
  double utilisation = 0;
  // How much more it may be in the long run: while a stock still grows, the storage delivers more
  // than is consumed, and whether that will reach the accelerators cannot be told yet.
  double more = 0;
};
SteadyState steady_state(const TrainingPlan& plan, const std::vector<StepRecord>& steps);

// The figures of a run as a RunResult; names and settings are the caller's to fill in.
RunResult summarise_training(const TrainingPlan& plan, const TrainingOutcome& outcome);

}  // namespace feedrate

// Proves where the bytes of a run came from, by the device's or the network's own counters, and by
// what the page cache held of the data set before, during and after it.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "feedrate/dataset/dataset.h"
#include "feedrate/engine/training_plan.h"
#include "feedrate/host/proc_files.h"
#include "feedrate/result/run_result.h"

namespace feedrate {

// A run does not count if more of its bytes than this came from the page cache, where storage was
// to be measured.
inline constexpr double kPageCacheShareMax = 0.05;

struct WitnessOptions {
  bool direct = false;       // around the page cache
  bool drop_behind = false;  // bytes that were read are dropped from the page cache again
  HostRoots roots = {};
};

// Watches one run, on a thread of its own. It is made before the run; finish() is called once,
// after it.
class IoWitness {
 public:
  // `dataset` and `progress` must outlive it. `steps_per_epoch` > 0.
  IoWitness(const Dataset& dataset, const TrainingProgress& progress, std::uint64_t steps_per_epoch,
            WitnessOptions options);
  IoWitness(const IoWitness&) = delete;
  ~IoWitness();

  // Fills in result.io, except for the bytes of the epochs, which the engine counted.
  void finish(RunResult& result);

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Works out the shares from what was counted. `moved` are the bytes that reads moved.
void judge_origin(bool direct, std::uint64_t moved, IoLedger& io);

// For runs whose bytes nobody counts apart: returns whether the files lie in this host's memory,
// fills in result.io then, and adds the reason why the run does not count.
bool judge_place(bool storage_wanted, const Dataset& dataset, RunResult& result);

// Adds the reason if the run does not count. `storage_wanted` is false when the page cache may
// serve.
void judge_io(bool storage_wanted, RunResult& result);

}  // namespace feedrate

// What checkpoints ask of storage: size, bandwidth, how often, what a failure costs.
// docs/guide/plan.md has every formula with an example worked out by hand.
#pragma once

#include "feedrate/base/quantity.h"
#include "feedrate/plan/figure.h"
#include "feedrate/workload/checkpoint_shards.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {

struct CheckpointJob {
  ModelShape model;
  Parallelism parallelism;
  Precision precision;
  Seconds stall_budget{60};                        // training may stand still this long for one
  BytesPerSecond available_write, available_read;  // what the storage gives; 0: the budget decides
  // Time between failures of one accelerator and all that goes with it.
  Seconds failure_time{hours(50000)};
  Seconds restart{300};                        // from a failure to the first read of the checkpoint
  BytesPerSecond snapshot{26.4 * 1073741824};  // accelerator to host memory, each
  Count changed{0.1};                          // share that an incremental checkpoint writes
  Count kept{3};
  Count loads{1};           // replicas that load the final model at once
  Seconds load_budget{60};  // within this time
  MoneyPerSecond accelerator_cost;
  Bytes accelerator_memory;  // of one; 0: not known
};

// A way to checkpoint, at its best interval.
struct CheckpointPace {
  Seconds blocked, interval;
  Count overhead;  // share of time: blocked, and work done again after failures
};

struct CheckpointNeed {
  CheckpointSize size;
  BytesPerSecond write, rank_write;  // within the stall budget: of all, of the largest rank
  Seconds write_time;                // at the available bandwidth, else the budget
  Seconds mean_time_between_failures;
  CheckpointPace synchronous, asynchronous;
  Bytes incremental;
  Bytes restart_read;
  Seconds restart_time;  // restart and read
  Count goodput;         // synchronous, restarts included
  Bytes capacity;        // kept ones and the one being written
  Bytes final_model, load;
  Bytes state_per_accelerator;
};
CheckpointNeed checkpoint_need(const CheckpointJob& job);
Section checkpoint_section(const CheckpointJob& job, const CheckpointNeed& need);

// Young 1974: the interval that loses least, sqrt(2 x MTBF x cost), when cost << MTBF.
Seconds young_interval(Seconds mean_time_between_failures, Seconds cost);

}  // namespace feedrate

// The demand of checkpoints on storage: size, bandwidth, how often one is written, and what a
// failure costs. docs/guide/plan.md has every formula with an example worked out by hand.
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
  std::string precision_source =
      "Adam in mixed precision, argonne-lcf/dlio_benchmark base_checkpointing.py";
  // The longest time that training may stand still for one checkpoint.
  Setting<Seconds> stall_budget{Seconds(60), "--stall-budget"};
  BytesPerSecond available_write, available_read;  // what the storage gives; 0: the budget decides
  // The mean time between failures of one accelerator and everything that goes with it.
  Setting<Seconds> failure_time{
      hours(50000), "--mtbf",
      "50,000 h an accelerator: MLPerf Storage v2.0 release; Llama 3 on 16,384 H100 had 50,677 h"};
  // The time from a failure to the first read of the checkpoint.
  Setting<Seconds> restart{Seconds(300), "--restart-time"};
  // The bandwidth from each accelerator to host memory.
  Setting<BytesPerSecond> snapshot{
      BytesPerSecond(26.4 * 1073741824), "--snapshot-bandwidth",
      "26.4 GiB/s measured over PCIe Gen4 x16 (gds-report.pages.dev/theory)"};
  Setting<Count> changed{Count(0.1), "--changed"};  // share that an incremental checkpoint writes
  Setting<Count> kept{Count(3), "--keep"};
  Setting<Count> loads{Count(1), "--replicas"};  // replicas that load the final model at once
  Setting<Seconds> load_budget{Seconds(60), "--load-time"};
  MoneyPerSecond accelerator_cost;
  Bytes accelerator_memory;   // of one; 0: not known
  std::string memory_source;  // for a model alone; "": the figures of its training have it
};

// A way to checkpoint, at its best interval.
struct CheckpointPace {
  Seconds blocked;   // training stands still for one
  Seconds interval;  // of training between two
  Count overhead;    // share of time: blocked, and work done again after failures
  Count goodput;     // share of time in training that lasts, with restarts
};

struct CheckpointNeed {
  CheckpointSize size;
  BytesPerSecond write, rank_write;  // within the stall budget: of all, of the largest rank
  Seconds write_time;                // at the available bandwidth, else at the budget's
  Seconds mean_time_between_failures;
  CheckpointPace synchronous, asynchronous;
  BytesPerSecond write_behind;  // asynchronous: one is written before the next begins
  Bytes incremental;
  BytesPerSecond incremental_write;  // within the stall budget
  Seconds incremental_interval;
  Bytes restart_read;
  Seconds restart_time;  // restart and read
  Bytes capacity;        // kept ones and the one being written
  Bytes final_model, load;
  Bytes state_per_accelerator;
};
CheckpointNeed checkpoint_need(const CheckpointJob& job);
Section checkpoint_section(const CheckpointJob& job, const CheckpointNeed& need);

}  // namespace feedrate

// The demand of a training job on storage, by arithmetic alone. docs/guide/plan.md has every
// formula with an example worked out by hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "feedrate/base/quantity.h"
#include "feedrate/plan/figure.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

struct TrainingJob {
  Workload workload;
  AcceleratorTiming timing;
  Count accelerators{1};
  Parallelism parallelism;     // data: replicas; tensor x pipeline accelerators share one
  bool shared_timing = false;  // ModelShape::shared_timings of the model
  Count utilisation{0.9};      // AU to be reached
  Setting<Count> accelerators_per_host{Count(8), "--accelerators-per-host"};
  Bytes transfer;                         // largest single read of the client
  Bytes host_memory, accelerator_memory;  // of one; 0: not known
  std::string memory_source;
  std::string epochs_source, dataset_source;  // "" : of the workload
  BytesPerSecond available_read;              // what the storage gives; 0: not known
  MoneyPerSecond accelerator_cost;            // of one; 0: not asked for
};

// Returns the job of so many accelerators, each a replica of its own, with the workload's threshold
// and the transfers of its loader or, where it has none of its own, of the native client.
TrainingJob training_job(const Workload& workload, const AcceleratorTiming& timing,
                         std::uint64_t accelerators);

struct TrainingDemand {
  Count readers;                   // model replicas: each reads its own samples
  Count reader_batch;              // samples that one reader takes in a step
  Bytes sample, batch;             // one sample as it is read, and what one reader takes in a step
  PerSecond samples;               // of all readers, at the AU asked for
  BytesPerSecond per_accelerator;  // when it never waits (AU 1)
  BytesPerSecond full, mean;       // of all: at AU 1, and at the AU asked for
  BytesPerSecond peak;             // all prefetch windows refilled within one step of computing
  BytesPerSecond per_host;         // mean
  Bytes windows;                   // bytes that all prefetch windows hold
  PerSecond opens, operations, label_opens;
  Count hosts;
  Bytes stored, read;  // the data set, and the part of it that one epoch reads
  Bytes labels_at_start, index_at_start;
  BytesPerSecond reached;  // of all, with what the storage gives; `mean` where that is not known
  Seconds epoch;           // the time of one epoch at that rate
  Bytes later;             // bytes that each epoch but the first reads from storage
  Bytes total;             // of all epochs
  Seconds time;            // of all epochs; those that read nothing go at AU 1
  // The following are for the framework's loader, whose first step waits until all workers have
  // their first batch.
  Count steps;                        // of an epoch
  Seconds fill, run;                  // of the first step, and of an epoch with it
  PerSecond with_first, after_first;  // samples: the first step counted, and not
  Bytes benchmark;  // the smallest data set that the rules of MLPerf Storage allow
};
TrainingDemand training_demand(const TrainingJob& job);
// Returns the same job at the step times of the other set, `measured` for `storage-benchmark` and
// the other way round; they can differ by a factor of four. It is nullopt where that set has no
// step time, or where the user's own is planned with.
std::optional<TrainingJob> with_other_timing(const TrainingJob& job);
// Returns the part of a key for what is counted at the timing of this set: "measured", "benchmark".
std::string timing_key(std::string_view set);

// Returns the demand as figures with their formulas.
Section training_section(const TrainingJob& job, const TrainingDemand& demand);
// Says whether the data set fits into the memory that the accelerators have beside a model of
// `model_state` each; "" when the memory of one is not known.
std::string fits_accelerators(const TrainingJob& job, const TrainingDemand& demand,
                              Bytes model_state);
// Returns what the parallelism moves between accelerators, for each accelerator and step. It is no
// storage traffic. `batch` is the samples of one model replica; 0, not known, leaves out what
// depends on it.
Section network_section(const ModelShape& model, const Parallelism& parallelism, Count batch);

}  // namespace feedrate

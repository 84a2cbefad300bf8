// Finds the newest checkpoint that is whole, reads it as all ranks of a restarted job do, and
// checks every byte on the way. One that is damaged is left out, with the reason, and the next
// older is tried.
//
// A job of another topology reads just what each of its ranks needs; there is no sum of such a
// part, so its bytes are compared with those that were written.
#pragma once

#include <optional>
#include <stop_token>

#include "feedrate/checkpoint/reshape.h"
#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

struct CheckpointRestoreJob {
  std::string directory;
  std::string local;  // The node-local directory of two levels; it is read instead where it can be.
  std::optional<std::uint64_t> step;  // Only this step is tried when it is set.
  bool verify = true;                 // When false, bytes are read and not checked.
  // Return the topology of the job that reads, and the model before it was scaled, where the ranks
  // are not those that wrote. When they are empty each rank reads what it wrote.
  std::function<Result<Parallelism>(const CheckpointManifest&)> topology;
  std::function<Result<ModelShape>(const CheckpointManifest&)> model;
  // With a topology: how many jobs of it read at once, and whether they read only the weights, as
  // when a model is loaded.
  std::uint64_t replicas = 1;
  bool weights_only = false;
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t reads_at_once = 4;  // Of one rank.
};

struct SkippedCheckpoint {
  std::uint64_t step = 0;
  std::string reason;
};

struct CheckpointRestoreSummary {
  CheckpointManifest manifest;  // The manifest of what was restored.
  std::string directory;        // The directory that it was read from.
  bool other_topology = false;
  Parallelism topology;          // The topology of the job that read it.
  std::uint64_t steps_read = 1;  // The restored step and those that it builds upon.
  std::uint64_t bytes = 0;       // Read by all ranks.
  std::uint64_t needed_bytes = 0;
  Duration elapsed{};  // From the first read to the end of the slowest rank.
  std::vector<RankTime> ranks;
  Histogram read_latency;                  // In ns.
  std::vector<SkippedCheckpoint> skipped;  // The newest comes first.
};

// Fails with kNotFound when there is no whole one; the message names what was skipped and why.
Result<CheckpointRestoreSummary> restore_checkpoint(ReactorGroup& group,
                                                    const StorageFactory& storage,
                                                    const CheckpointRestoreJob& job,
                                                    CheckpointProgress& progress,
                                                    const std::stop_token& stop);

}  // namespace feedrate

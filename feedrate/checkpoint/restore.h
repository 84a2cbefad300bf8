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
  std::string local;                  // node-local directory of two levels: read where it can be
  std::optional<std::uint64_t> step;  // only this one
  bool verify = true;                 // false: bytes are read and not looked at
  // Of the job that reads, where each rank does not just read what it wrote; and the model, not
  // scaled. Empty: it does.
  std::function<Result<Parallelism>(const CheckpointManifest&)> topology;
  std::function<Result<ModelShape>(const CheckpointManifest&)> model;
  // With a topology: so many jobs of it read at once, and only the weights: a model is loaded.
  std::uint64_t replicas = 1;
  bool weights_only = false;
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t reads_at_once = 4;  // of a rank
};

struct SkippedCheckpoint {
  std::uint64_t step = 0;
  std::string reason;
};

struct CheckpointRestoreSummary {
  CheckpointManifest manifest;  // of what was restored
  std::string directory;        // where it was read from
  bool other_topology = false;
  Parallelism topology;          // of the job that read it
  std::uint64_t steps_read = 1;  // it and those that it builds upon
  std::uint64_t bytes = 0;       // read by all ranks
  std::uint64_t needed_bytes = 0;
  Duration elapsed{};  // reading it, from the first read to the end of the slowest rank
  std::vector<RankTime> ranks;
  Histogram read_latency;                  // ns
  std::vector<SkippedCheckpoint> skipped;  // newest first
};

// kNotFound when there is no whole one: the message names what was skipped and why.
Result<CheckpointRestoreSummary> restore_checkpoint(ReactorGroup& group,
                                                    const StorageFactory& storage,
                                                    const CheckpointRestoreJob& job,
                                                    CheckpointProgress& progress,
                                                    const std::stop_token& stop);

}  // namespace feedrate

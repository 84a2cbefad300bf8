// Finds the newest checkpoint that is whole, reads it as all ranks of a restarted job do, and
// checks every byte on the way. One that is damaged is left out, with the reason, and the next
// older is tried.
#pragma once

#include <optional>

#include "feedrate/checkpoint/write.h"

namespace feedrate {

struct CheckpointRestoreJob {
  std::string directory;
  std::optional<std::uint64_t> step;  // only this one
  bool verify = true;                 // false: bytes are read and not looked at
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t reads_at_once = 4;  // of a rank
};

struct SkippedCheckpoint {
  std::uint64_t step = 0;
  std::string reason;
};

struct CheckpointRestoreSummary {
  CheckpointManifest manifest;  // of what was restored
  Duration elapsed{};           // reading it, from the first read to the end of the slowest rank
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

// Writes checkpoints of an emulated job, as many after another as are asked for.
//
// Each rank is one coroutine that writes its files one after another, several blocks at a time, and
// syncs each; ranks are dealt out over the reactors. When all are done the first reactor publishes
// (store.h) and then removes those that are no longer kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/checkpoint/layout.h"
#include "feedrate/checkpoint/manifest.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/stats/histogram.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct CheckpointWriteJob {
  std::string directory;
  CheckpointManifest head;  // what all have in common: no ranks, step is that of the first
  std::vector<RankFiles> ranks;
  const CheckpointLayout* layout = nullptr;
  std::uint64_t count = 1;  // checkpoints, their steps `step_stride` apart
  std::uint64_t step_stride = 1;
  std::uint64_t keep = 0;  // newest ones; 0: all
  Duration between{};      // from the end of one to the begin of the next: training
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t writes_at_once = 4;  // of a rank
};

struct CheckpointProgress {
  std::atomic<std::uint64_t> bytes_total = 0, bytes_done = 0;
};

struct RankTime {
  std::uint64_t rank = 0, bytes = 0;
  Duration elapsed{};
};

struct WrittenCheckpoint {
  std::uint64_t step = 0, bytes = 0;
  Duration
      elapsed{};  // from the first write until it is durable and visible: training stands still
  Duration publish{};           // of which after the last rank was done
  std::vector<RankTime> ranks;  // each with its syncs
};

struct CheckpointWriteSummary {
  std::vector<WrittenCheckpoint> written;
  Histogram write_latency, sync_latency;  // ns
  // What one core makes and sums up of this content when nothing is written.
  double generation_bytes_per_second = 0;
};

// kUsage for a directory that is not ours, kNoSpace before anything is written when one does not
// fit, kCancelled when stopped. After an error the checkpoint that was being written is gone and
// all that were published before are there. The group runs once.
Result<CheckpointWriteSummary> write_checkpoints(ReactorGroup& group, const StorageFactory& storage,
                                                 const CheckpointWriteJob& job,
                                                 CheckpointProgress& progress,
                                                 const std::stop_token& stop);

}  // namespace feedrate

// Replicas of a job that read the same files at once, each replica all of them: a model that is
// loaded, or all ranks of a job that restarts.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

struct LoadJob {
  std::string directory;  // The directory of the files; on storage without data it need not exist.
  std::vector<RankFiles> ranks;  // The ranks of one replica.
  std::uint64_t replicas = 1;
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t at_once = 4;  // The reads of one rank that are in flight at once.
};

struct LoadSummary {
  std::vector<Duration> ready;  // For each replica, the time until its slowest rank has all.
  std::uint64_t bytes = 0;      // Read by all replicas.
  Histogram read_latency;       // In ns.
};

// Fails with kShortRead when a file is shorter than `ranks` says. This is the one run that the
// group can make.
Result<LoadSummary> load_files(ReactorGroup& group, const StorageFactory& storage,
                               const LoadJob& job, CheckpointProgress& progress,
                               const std::stop_token& stop);

}  // namespace feedrate

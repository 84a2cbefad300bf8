// Replicas of a job that read the same files at once, each of them whole: a model that is loaded,
// or all ranks of a job that restarts.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

struct LoadJob {
  std::string directory;         // of the files; on storage without data it need not be there
  std::vector<RankFiles> ranks;  // of one replica
  std::uint64_t replicas = 1;
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t at_once = 4;  // reads of a rank
};

struct LoadSummary {
  std::vector<Duration> ready;  // of each replica: until its slowest rank has all
  std::uint64_t bytes = 0;      // read by all
  Histogram read_latency;       // ns
};

// kShortRead when a file is shorter than `ranks` has it. The group runs once.
Result<LoadSummary> load_files(ReactorGroup& group, const StorageFactory& storage,
                               const LoadJob& job, CheckpointProgress& progress,
                               const std::stop_token& stop);

}  // namespace feedrate

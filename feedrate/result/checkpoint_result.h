// What `checkpoint` and `restore` have to say, as plain values; text and JSON are views of them.
// docs/checkpoint-schema.md describes the JSON. Durations are in seconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/result/run_result.h"

namespace feedrate {

struct RankTimeResult {
  std::uint64_t rank = 0, bytes = 0;
  double seconds = 0;
};

// One checkpoint, written or read. By MLPerf Storage's definitions the slowest rank gives the
// duration, and the rank with the lowest rate the throughput of each, syncs included
// (mlcommons/storage Submission_guidelines.md 2.2).
struct CheckpointPass {
  std::uint64_t step = 0, bytes = 0;
  double seconds = 0;          // until it is durable and visible; reading: until all is checked
  double publish_seconds = 0;  // of which after the last rank was done
  double slowest_rank_seconds = 0, slowest_rank_bytes_per_second = 0;
  double bytes_per_second = 0;  // aggregate: bytes / seconds
  std::vector<RankTimeResult> ranks;
  void summarise();  // fills the derived figures from `ranks`, `bytes` and `seconds`
};

struct CheckpointResult {
  std::string verb;  // "checkpoint", "restore"
  std::string model, title, directory, layout, storage, io, clock;
  std::string kept_on;  // the directory, for reading; "" where nothing was kept
  std::uint64_t tensor = 1, pipeline = 1, data = 1, ranks_written = 1;
  std::uint32_t zero_stage = 0;
  double scale = 1;
  std::uint64_t files = 0;
  std::uint64_t kept = 0;  // 0: all
  std::uint64_t block_bytes = 0, at_once = 0;
  unsigned threads = 1;
  std::vector<CheckpointPass> passes;
  LatencySummary write_latency, sync_latency, read_latency;
  double generation_bytes_per_second = 0;  // of one core, when nothing is written
  bool verified = false;
  std::vector<std::string> skipped;  // restore: "step 20: why"
  std::vector<std::string> warnings;
  HostFacts host;
  std::uint64_t ranks() const { return tensor * pipeline * data; }
};

std::string checkpoint_to_text(const CheckpointResult& result);
std::string checkpoint_to_json(const CheckpointResult& result);

}  // namespace feedrate

// What `checkpoint`, `restore` and `compact` have to say, as plain values. Durations are in
// seconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/report.h"

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
  std::uint64_t stored_bytes = 0;       // of which written: fewer when it is incremental
  std::optional<std::uint64_t> parent;  // incremental: the step it builds upon
  // From when training stopped for it: until the one before was written, until training went on,
  // until every byte was durable, until a restart finds it, until the shared level has it.
  double waited_seconds = 0, blocked_seconds = 0, persisted_seconds = 0, restorable_seconds = 0,
         shared_seconds = 0;
  double seconds = 0;          // until it is durable and visible; reading: until all is checked
  double publish_seconds = 0;  // of which after the last rank was done
  std::uint64_t slowest_rank = 0;
  double slowest_rank_seconds = 0, slowest_rank_bytes_per_second = 0;
  double bytes_per_second = 0;  // aggregate: stored_bytes / seconds
  std::vector<RankTimeResult> ranks;
  void summarise();  // fills the derived figures from `ranks`, `bytes` and `seconds`
};

// Of a run that fails, seconds: what its time went into.
struct GoodputResult {
  double accelerator_mtbf_seconds = 0, mtbf_seconds = 0;  // of one; of the job
  double interval_seconds = 0, restart_seconds = 0;
  double restore_seconds = 0;  // reading one checkpoint
  double elapsed_seconds = 0;  // the sum of these:
  double lasting_seconds = 0, lost_seconds = 0, blocked_seconds = 0, restarting_seconds = 0,
         restoring_seconds = 0;
  std::uint64_t failures = 0, while_writing = 0, while_restarting = 0, checkpoints = 0;
  // By Daly's formula from what one checkpoint and one restart took; and the best there is.
  double closed_form = 0, best_interval_seconds = 0, best_goodput = 0;
  double goodput() const { return fraction_of(lasting_seconds); }
  double fraction_of(double seconds) const {  // of all the time
    return elapsed_seconds > 0 ? seconds / elapsed_seconds : 0;
  }
  // Failures come faster than it can save and restart.
  bool no_progress() const { return closed_form < 0.01 && goodput() < 0.01; }
};

// Of one figure over all checkpoints.
struct Spread {
  double median = 0, lowest = 0, highest = 0;
};

// `verb` is "checkpoint" or "restore".
struct CheckpointResult : Envelope {
  std::string model, title, layout;
  std::string kept_on;  // the directory, for reading; "" where nothing was kept
  std::uint64_t tensor = 1, pipeline = 1, data = 1, ranks_written = 1;
  std::uint32_t zero_stage = 0;
  double scale = 1;
  std::uint64_t files = 0;
  std::uint64_t kept = 0;  // 0: all
  std::uint64_t block_bytes = 0, at_once = 0;
  unsigned threads = 1;
  bool asynchronous = false, incremental = false;
  std::string local;                        // node-local level; "": there is one level
  std::uint64_t snapshot_memory_bytes = 0;  // of the host
  double write_limit_bytes_per_second = 0;  // of what is written behind training; 0: none
  // restore: the job that reads where it is not the one that wrote, and what of the bytes it needs;
  // the step and those that it builds upon.
  std::string read_by;
  std::uint64_t needed_bytes = 0, steps_read = 1;
  std::vector<CheckpointPass> passes;
  std::optional<GoodputResult> goodput;
  LatencySummary write_latency, sync_latency, read_latency;
  double generation_bytes_per_second = 0;  // of one core, when nothing is written
  bool verified = false;
  std::vector<std::string> skipped;  // restore: "step 20: why"
  std::uint64_t ranks() const { return tensor * pipeline * data; }
  bool writes() const { return verb == "checkpoint"; }

  // What follows from the passes; none of them: all 0.
  Spread spread(double CheckpointPass::* figure) const;
  const CheckpointPass* median_pass() const;  // by its seconds; null: there is none
  double median_rank_seconds() const;         // of that pass
  double waited_seconds_max() const;
  std::uint64_t whole_passes() const;   // that build upon no other
  std::uint64_t stored_bytes() const;   // of all passes
  double incremental_fraction() const;  // of the bytes of incremental ones that was stored
};

// Of `compact`.
struct CompactResult : Envelope {
  std::uint64_t step = 0, bytes = 0;
  std::uint64_t steps_read = 1;  // 1: it was whole already; 0: none, an error came first
  double seconds = 0;
  std::vector<std::uint64_t> removed;  // steps
  double bytes_per_second() const { return seconds > 0 ? static_cast<double>(bytes) / seconds : 0; }
};

std::string verdict_of(const CheckpointResult& result);
std::string verdict_of(const CompactResult& result);

}  // namespace feedrate

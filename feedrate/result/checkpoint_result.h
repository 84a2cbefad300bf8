// The results of `checkpoint`, `restore` and `compact` as plain values. Durations are in seconds,
// sizes in bytes.
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

// One checkpoint that was written or read. By MLPerf Storage's definitions the slowest rank gives
// the duration, and the rank with the lowest rate gives the throughput of each; syncs are included
// (mlcommons/storage Submission_guidelines.md 2.2).
struct CheckpointPass {
  std::uint64_t step = 0, bytes = 0;
  // Of `bytes`, those that were written: fewer when it is incremental.
  std::uint64_t stored_bytes = 0;
  // The step that an incremental one builds upon; none for a whole one.
  std::optional<std::uint64_t> parent;
  // Each of these counts from the moment when training stopped for this checkpoint. They end when
  // the one before was written, when training went on, when every byte was durable, when a restart
  // would find the checkpoint, and when the shared level has it.
  double waited_seconds = 0, blocked_seconds = 0, persisted_seconds = 0, restorable_seconds = 0,
         shared_seconds = 0;
  double seconds = 0;  // Writing ends when it is durable and visible, reading when all is checked.
  double publish_seconds = 0;  // The part of `seconds` after the last rank was done.
  std::uint64_t slowest_rank = 0;
  double slowest_rank_seconds = 0, slowest_rank_bytes_per_second = 0;
  double bytes_per_second = 0;  // Of all ranks together: stored_bytes / seconds.
  std::vector<RankTimeResult> ranks;
  void summarise();  // Fills the derived figures from `ranks`, `bytes` and `seconds`.
};

// A run with failures (--mtbf), and what its time went into.
struct GoodputResult {
  // The first is of one accelerator, the second of the job.
  double accelerator_mtbf_seconds = 0, mtbf_seconds = 0;
  double interval_seconds = 0, restart_seconds = 0;
  double restore_seconds = 0;  // The time to read one checkpoint.
  double elapsed_seconds = 0;  // The sum of the five that follow.
  double lasting_seconds = 0, lost_seconds = 0, blocked_seconds = 0, restarting_seconds = 0,
         restoring_seconds = 0;
  std::uint64_t failures = 0, while_writing = 0, while_restarting = 0, checkpoints = 0;
  // The goodput by Daly's formula, from what one checkpoint and one restart took; then the interval
  // that the formula finds best, and the goodput with it.
  double closed_form = 0, best_interval_seconds = 0, best_goodput = 0;
  double goodput() const { return fraction_of(lasting_seconds); }
  double fraction_of(double seconds) const {  // A share of all the time of the run.
    return elapsed_seconds > 0 ? seconds / elapsed_seconds : 0;
  }
  // Returns whether failures come faster than the job can save and restart: less than 1 % of the
  // time is training that lasts, by the formula and by the run.
  bool no_progress() const { return closed_form < 0.01 && goodput() < 0.01; }
};

// One figure over all checkpoints.
struct Spread {
  double median = 0, lowest = 0, highest = 0;
};

// `verb` is "checkpoint" or "restore".
struct CheckpointResult : Envelope {
  std::string model, title, layout;
  std::string kept_on;  // The quoted directory of the checkpoints; "" where nothing was kept.
  std::uint64_t tensor = 1, pipeline = 1, data = 1, ranks_written = 1;
  std::uint32_t zero_stage = 0;
  double scale = 1;
  std::uint64_t files = 0;
  std::uint64_t kept = 0;  // How many of the newest ones are kept; 0 keeps all.
  std::uint64_t block_bytes = 0, at_once = 0;
  unsigned threads = 1;
  bool asynchronous = false, incremental = false;
  // The directory of the node-local level; "" means that there is one level only.
  std::string local;
  // Memory of the host for the copies of asynchronous ones.
  std::uint64_t snapshot_memory_bytes = 0;
  // The limit for what is written while training goes on; 0 means no limit.
  double write_limit_bytes_per_second = 0;
  // Of `restore`: names the job that reads, where it is not the one that wrote; then the bytes that
  // this job needs, and the number of steps that were read, which are the restored one and those
  // that it builds upon.
  std::string read_by;
  std::uint64_t needed_bytes = 0, steps_read = 1;
  std::vector<CheckpointPass> passes;
  std::optional<GoodputResult> goodput;
  LatencySummary write_latency, sync_latency, read_latency;
  // The rate at which one core makes the bytes when nothing is written.
  double generation_bytes_per_second = 0;
  bool verified = false;
  std::vector<std::string> skipped;  // The steps that `restore` left out: "step 20: why".
  std::uint64_t ranks() const { return tensor * pipeline * data; }
  bool writes() const { return verb == "checkpoint"; }

  // These follow from the passes, and are 0 where there is none.
  Spread spread(double CheckpointPass::* figure) const;
  // The pass of median duration; null where there is no pass.
  const CheckpointPass* median_pass() const;
  double median_rank_seconds() const;  // The median over the ranks of the median pass.
  double waited_seconds_max() const;
  std::uint64_t whole_passes() const;  // The number of passes that build upon no other.
  std::uint64_t stored_bytes() const;  // The sum over all passes.
  // The share of the bytes of incremental ones that was stored.
  double incremental_fraction() const;
};

// The result of `compact`.
struct CompactResult : Envelope {
  std::uint64_t step = 0, bytes = 0;
  // 1 where the step was whole already; 0 where an error came before any was read.
  std::uint64_t steps_read = 1;
  double seconds = 0;
  std::vector<std::uint64_t> removed;  // The steps that were removed.
  double bytes_per_second() const { return seconds > 0 ? static_cast<double>(bytes) / seconds : 0; }
};

std::string verdict_of(const CheckpointResult& result);
std::string verdict_of(const CompactResult& result);

}  // namespace feedrate

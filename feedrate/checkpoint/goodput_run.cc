#include "feedrate/checkpoint/goodput_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/load.h"

namespace feedrate {
Result<Stretch> RealGoodput::train(Duration limit) {
  CheckpointWriteJob job = job_;
  job.count = UINT64_MAX;
  job.train_first = true;
  job.stop_after = limit;
  FEEDRATE_TRY(const auto group, setting_.make_group());
  CheckpointProgress progress;
  const Instant begin = group->reactor(0).refresh_now();
  FEEDRATE_TRY(const CheckpointWriteSummary summary,
               write_checkpoints(*group, setting_.storage, setting_.local, job, progress, stop_));
  Stretch stretch;
  stretch.elapsed = group->reactor(0).refresh_now() - begin;
  stretch.saved = summary.written.size();
  stretch.begun = summary.begun;
  for (const WrittenCheckpoint& each : summary.written) stretch.blocked += each.blocked;
  // Training is at most an interval before each checkpoint, and one more that was cut short, unless
  // the failure came while a checkpoint was written.
  const std::uint64_t intervals = stretch.begun + (stretch.begun > stretch.saved ? 0 : 1);
  stretch.training = std::min(job.between * static_cast<std::int64_t>(intervals),
                              std::max(Duration{}, stretch.elapsed - stretch.blocked));
  stretch.blocked = stretch.elapsed - stretch.training;
  if (!summary.written.empty()) newest_ = summary.written.back().step;
  return stretch;
}

Result<Duration> RealGoodput::restore(Duration limit) {
  // No checkpoint is there, so training begins anew and reads nothing.
  if (newest_ == 0) return Duration{};
  FEEDRATE_TRY(const auto group, setting_.make_group());
  CheckpointProgress progress;
  const Instant begin = group->reactor(0).refresh_now();
  FEEDRATE_TRY(const CheckpointRestoreSummary summary,
               restore_checkpoint(*group, setting_.storage, restore_job_, progress, stop_));
  const Duration took = group->reactor(0).refresh_now() - begin;
  if (summary.manifest.step < newest_)
    return fail(ErrorKind::kCorrupt,
                fmt::format("step {} was whole before the failure, a restart finds step {}{}",
                            newest_, summary.manifest.step,
                            summary.skipped.empty() ? "" : ": " + summary.skipped[0].reason));
  return std::min(took, limit);
}

Result<Duration> measure_restore(const GoodputSetting& setting, const CheckpointWriteJob& job,
                                 const std::stop_token& stop) {
  FEEDRATE_TRY(const auto group, setting.make_group());
  CheckpointProgress progress;
  const LoadJob load{job.directory, job.ranks, 1, job.block_bytes, job.writes_at_once};
  FEEDRATE_TRY(const LoadSummary summary,
               load_files(*group, setting.storage, load, progress, stop));
  return summary.ready[0];
}

}  // namespace feedrate

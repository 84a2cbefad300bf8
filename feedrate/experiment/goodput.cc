#include "feedrate/experiment/goodput.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/random.h"
#include "feedrate/base/units.h"
#include "feedrate/checkpoint/goodput_run.h"
#include "feedrate/workload/checkpoint_interval.h"

namespace feedrate {
namespace {

// Checkpoints that cost nothing have no best interval above 0; this part of the time between
// failures loses half a percent.
constexpr int kFreeIntervals = 100;

struct Costs {
  Duration blocked{}, restorable{}, restore{};
};

// Computes the goodput by the formulas. A checkpoint that becomes restorable late makes a failure
// cost more, so that delay counts as a part of the restart.
void add_closed_form(const GoodputJob& job, const Costs& costs, GoodputResult& result) {
  const Seconds mtbf(to_seconds(job.mtbf)), cost(to_seconds(costs.blocked));
  const Duration late = std::max(Duration{}, costs.restorable - costs.blocked);
  const Seconds restart(to_seconds(job.restart + costs.restore + late));
  const Seconds best = std::max(daly_interval(mtbf, cost), Seconds(to_seconds(late)));
  result.closed_form = daly_goodput(mtbf, Seconds(to_seconds(job.interval)), cost, restart).value();
  result.best_interval_seconds = best.value();
  result.best_goodput = daly_goodput(mtbf, best, cost, restart).value();
}

void fill(const GoodputJob& job, const GoodputSummary& summary, GoodputResult& result) {
  result.interval_seconds = to_seconds(job.interval);
  result.restart_seconds = to_seconds(job.restart);
  result.elapsed_seconds = to_seconds(summary.elapsed);
  result.lasting_seconds = to_seconds(summary.lasting);
  result.lost_seconds = to_seconds(summary.lost);
  result.blocked_seconds = to_seconds(summary.blocked);
  result.restarting_seconds = to_seconds(summary.restarting);
  result.restoring_seconds = to_seconds(summary.restoring);
  result.failures = summary.failures;
  result.while_writing = summary.while_writing;
  result.while_restarting = summary.while_restarting;
  result.checkpoints = summary.checkpoints;
}

// Returns the training between two checkpoints where the user gave none: the best by the formula,
// but no shorter than one takes to be restorable.
Duration best_interval(const FailingRun& run, const Costs& costs) {
  const Seconds best =
      daly_interval(Seconds(to_seconds(run.mtbf)), Seconds(to_seconds(costs.blocked)));
  const Duration interval = std::max(from_seconds(best.value()), costs.restorable - costs.blocked);
  // Where checkpoints cost nothing the interval is chosen by what a failure loses.
  return interval > Duration{} ? interval : std::max(Duration(1), run.mtbf / kFreeIntervals);
}

// Adds up times on storage that moves no bytes. `setting` has a storage that is idle: a restart
// reads when nobody writes, and the probe's own storage would still be busy by its clock.
Result<GoodputSummary> run_by_times(const GoodputJob& course, const GoodputSetting& setting,
                                    const CheckpointWriteJob& job, const std::stop_token& stop,
                                    Costs& costs) {
  FEEDRATE_TRY(costs.restore, measure_restore(setting, job, stop));
  ModelledGoodput host(course.interval, costs.blocked, costs.restorable, costs.restore);
  return run_with_failures(course, host);
}

// Writes and reads everything. The formula takes the costs that the run itself had, since those of
// the probe may differ.
Result<GoodputSummary> run_for_real(const GoodputJob& course, const GoodputSetting& setting,
                                    CheckpointWriteJob job, const std::stop_token& stop,
                                    Costs& costs) {
  job.between = course.interval;
  CheckpointRestoreJob restore;
  restore.directory = job.directory;
  restore.local = job.local;
  restore.block_bytes = job.block_bytes;
  restore.reads_at_once = job.writes_at_once;
  RealGoodput host(setting, job, restore, stop);
  FEEDRATE_TRY(const GoodputSummary summary, run_with_failures(course, host));
  const auto reads = static_cast<double>(summary.failures - summary.while_restarting);
  if (reads > 0) costs.restore = from_seconds(to_seconds(summary.restoring) / reads);
  if (summary.checkpoints > 0)
    costs.blocked =
        from_seconds(to_seconds(summary.blocked) / static_cast<double>(summary.checkpoints));
  return summary;
}

// Writes what tells the cost. That is no figure of the run, which an interruption would leave
// valid.
Reported<CheckpointResult> write_probe(const CheckpointSetup& probe, const GoodputSetting& setting,
                                       const RunHooks& hooks, CheckpointWriteSummary& written) {
  const Result<std::unique_ptr<ReactorGroup>> group = setting.make_group();
  if (!group) return {report_checkpoints(probe, {}), fail(group.error())};
  const std::shared_ptr<void> watching = hooks.watch ? hooks.watch(**group) : nullptr;
  CheckpointProgress progress;
  Reported<CheckpointResult> done =
      write_and_report(probe, **group, setting.storage, progress, hooks.stop, written);
  done.figures = false;
  return done;
}

// Puts the settings that a run with failures has beside those of its checkpoints.
void describe_run(const CheckpointSetup& setup, const FailingRun& run, CheckpointResult& result) {
  const bool incremental = setup.job.head.sum_block_bytes > 0;
  result.effective.erase("count");  // The length of the run says how many there are.
  result.effective["restart-time"] = format_duration(run.restart);
  if (!setup.job.data.empty()) return;
  // It says when there are failures, too.
  result.effective["seed"] = std::to_string(setup.job.head.content.seed);
  if (setup.place.carries_data() || incremental)
    result.effective["changed"] = fmt::format("{}", setup.job.head.content.changed);
}

}  // namespace

Reported<CheckpointResult> checkpoint_with_failures(const CheckpointSetup& setup,
                                                    const FailingRun& run, const RunHooks& hooks) {
  CheckpointSetup probe = setup;
  // One checkpoint shows what one costs; incremental ones need more, because the first is whole and
  // costs more than those that follow.
  probe.job.count = setup.job.head.sum_block_bytes > 0 ? 3 : 1;
  probe.job.between = {};
  // The run goes on with the storage of the probe, and what that has drawn is not drawn again.
  const GoodputSetting setting{[&setup] { return setup.world.make_group(); },
                               setup.place.make_storage(setup.job.head.content.seed), setup.local};
  CheckpointWriteSummary written;
  Reported<CheckpointResult> done = write_probe(probe, setting, hooks, written);
  describe_run(setup, run, done.report);
  if (!done.ended) return done;
  const WrittenCheckpoint& one = written.written.back();
  // Waiting is left out: the probe writes without training between checkpoints, so each waits for
  // the one before.
  Costs costs{one.blocked - one.waited, one.restorable - one.waited, {}};
  const Duration interval =
      setup.job.between > Duration{} ? setup.job.between : best_interval(run, costs);
  done.report.effective["every"] = format_duration(interval);
  const GoodputJob course{interval, run.total, run.mtbf, run.restart, setup.job.head.content.seed};
  GoodputSetting idle = setting;
  idle.storage = setup.place.make_storage(combine_seeds(setup.job.head.content.seed, 1));
  const Result<GoodputSummary> summary =
      setup.place.carries_data() ? run_for_real(course, setting, probe.job, hooks.stop, costs)
                                 : run_by_times(course, idle, probe.job, hooks.stop, costs);
  if (!summary) {
    done.ended = fail(summary.error());
    return done;
  }
  GoodputResult& result = done.report.goodput.emplace();
  result.accelerator_mtbf_seconds = to_seconds(run.accelerator_mtbf);
  result.mtbf_seconds = to_seconds(run.mtbf);
  result.restore_seconds = to_seconds(costs.restore);
  fill(course, *summary, result);
  add_closed_form(course, costs, result);
  return done;
}

}  // namespace feedrate

#include "feedrate/request/goodput_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/plan/checkpoint.h"

namespace feedrate {
namespace {

constexpr double kFailuresMax = 1e7;
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

}  // namespace

void GoodputOptions::declare(OptionTable& table) {
  constexpr std::string_view kGroup = "A run that fails";
  table.add(kGroup, {{rows::kMtbf, mtbf_}});
  table.add(kGroup, {{rows::kTime, time_}, {rows::kRestartTime, restart_time_}}, "",
            "--mtbf=50000h");
}

Result<> GoodputOptions::check(bool counts, bool persists, ClockKind clock) const {
  if (!wanted()) return {};
  if (time_.empty())
    return fail(ErrorKind::kUsage, "--time: a run that fails needs its length", "add --time=30d");
  if (counts)
    return fail(ErrorKind::kUsage, "--count: --time says how long a run that fails is",
                "leave --count out");
  if (!persists && clock == ClockKind::kReal)
    return fail(ErrorKind::kUsage,
                "--mtbf: storage that keeps nothing has nothing to restart from on the real clock",
                "add --clock=virtual, or write to a directory");
  return {};
}

Result<> GoodputOptions::resolve_times(GoodputJob& course) const {
  FEEDRATE_TRY(course.total, parse_duration(time_, "--time"));
  if (course.total <= Duration{})
    return fail(ErrorKind::kUsage, "--time: 0 is too short", "write it like 30d");
  course.restart = std::chrono::minutes(5);
  if (restart_time_.empty()) return {};
  FEEDRATE_TRY(course.restart, parse_duration(restart_time_, "--restart-time"));
  if (course.restart < std::chrono::milliseconds(1))
    return fail(
        ErrorKind::kUsage,
        fmt::format("--restart-time: {} is too short, at least 1ms is needed", restart_time_),
        "write it like 60s");
  return {};
}

Result<CheckpointWriteSummary> GoodputOptions::run(const GoodputSetting& setting,
                                                   CheckpointWriteJob job, bool moves_data,
                                                   const std::stop_token& stop,
                                                   GoodputResult& result) const {
  FEEDRATE_TRY(const Duration each, parse_duration(mtbf_, "--mtbf"));
  GoodputJob course;
  FEEDRATE_CHECK(resolve_times(course));
  const std::uint64_t ranks = job.head.parallelism.ranks();
  course.mtbf = from_seconds(to_seconds(each) / static_cast<double>(ranks));
  course.seed = job.head.content.seed;
  if (course.mtbf <= Duration{} ||
      to_seconds(course.total) / to_seconds(course.mtbf) > kFailuresMax)
    return fail(
        ErrorKind::kUsage,
        fmt::format("--mtbf: {} / {} accelerators in {} are more than {} failures", mtbf_,
                    format_count(static_cast<double>(ranks)), time_, format_count(kFailuresMax)),
        "use a longer --mtbf or a shorter --time");
  const Duration wanted_interval = job.between;
  // One checkpoint shows what one costs; incremental ones need more, because the first is whole and
  // costs more than those that follow.
  job.count = job.head.sum_block_bytes > 0 ? 3 : 1;
  job.between = {};
  FEEDRATE_TRY(const auto group, setting.make_group());
  CheckpointProgress progress;
  FEEDRATE_TRY(CheckpointWriteSummary probe,
               write_checkpoints(*group, setting.storage, setting.local, job, progress, stop));
  const WrittenCheckpoint& one = probe.written.back();
  // Waiting is left out: the probe writes without training between checkpoints, so each waits for
  // the one before.
  Costs costs{one.blocked - one.waited, one.restorable - one.waited, {}};
  const Seconds best =
      daly_interval(Seconds(to_seconds(course.mtbf)), Seconds(to_seconds(costs.blocked)));
  course.interval = wanted_interval > Duration{}
                        ? wanted_interval
                        : std::max(from_seconds(best.value()), costs.restorable - costs.blocked);
  // Checkpoints cost nothing here, so the interval is chosen by what a failure loses.
  if (course.interval <= Duration{})
    course.interval = std::max(Duration(1), course.mtbf / kFreeIntervals);
  result.accelerator_mtbf_seconds = to_seconds(each);
  result.mtbf_seconds = to_seconds(course.mtbf);
  GoodputSummary summary;
  if (!moves_data) {
    FEEDRATE_TRY(costs.restore, measure_restore(setting, job, stop));
    ModelledGoodput host(course.interval, costs.blocked, costs.restorable, costs.restore);
    FEEDRATE_TRY(summary, run_with_failures(course, host));
  } else {
    job.between = course.interval;
    CheckpointRestoreJob restore;
    restore.directory = job.directory;
    restore.local = job.local;
    restore.block_bytes = job.block_bytes;
    restore.reads_at_once = job.writes_at_once;
    RealGoodput host(setting, job, restore, stop);
    FEEDRATE_TRY(summary, run_with_failures(course, host));
    // The formula takes the costs that the run itself had, since those of the probe may differ.
    const auto reads = static_cast<double>(summary.failures - summary.while_restarting);
    if (reads > 0) costs.restore = from_seconds(to_seconds(summary.restoring) / reads);
    if (summary.checkpoints > 0)
      costs.blocked =
          from_seconds(to_seconds(summary.blocked) / static_cast<double>(summary.checkpoints));
  }
  result.restore_seconds = to_seconds(costs.restore);
  fill(course, summary, result);
  add_closed_form(course, costs, result);
  return probe;
}

}  // namespace feedrate

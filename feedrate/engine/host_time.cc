#include "feedrate/engine/host_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/host/cgroup.h"
#include "feedrate/host/system.h"
#include "feedrate/stats/confidence.h"

namespace feedrate {
namespace {

constexpr std::int64_t kTicksPerSecond = 100;  // of /proc/stat, on every Linux (USER_HZ)
// Schedulers and guests stand still for so long now and then without anybody having stopped us.
// This much of a short run is told, but does not make it INVALID.
constexpr double kStoppedMin = 0.1;  // [s]

Duration overlap(const HostPause& pause, Instant begin, Instant end) {
  return std::max(Duration{}, std::min(pause.end, end) - std::max(pause.begin, begin));
}

// Utilisation from the lengths of steps: that of a mean step, and how sure it is.
struct Utilisation {
  double low = 0, high = 0;
};
Utilisation utilisation_of(double compute, const std::vector<double>& seconds) {
  const ConfidenceInterval mean = batch_means(seconds);
  const double shortest = std::max(compute, mean.mean - mean.half_width);
  return {compute / (mean.mean + mean.half_width), compute / shortest};
}

// Whether steps during which processors were stolen change the utilisation.
bool stolen_time_matters(const TrainingPlan& plan, const TrainingOutcome& outcome) {
  std::vector<double> all, calm;
  for (std::size_t i = 1; i < outcome.steps.size(); ++i) {
    const Instant begin = outcome.steps[i - 1].end, end = outcome.steps[i].end;
    all.push_back(to_seconds(end - begin));
    const bool hit = std::ranges::any_of(outcome.pauses, [&](const HostPause& pause) {
      return pause.kind == PauseKind::kStolen && overlap(pause, begin, end) > Duration{};
    });
    if (!hit) calm.push_back(all.back());
  }
  if (calm.size() == all.size() || all.size() < 2) return false;
  if (calm.size() < 2) return true;
  const double compute = to_seconds(plan.timing.compute);
  const Utilisation with = utilisation_of(compute, all), without = utilisation_of(compute, calm);
  return with.high < without.low || without.high < with.low;
}

std::string share_text(double seconds, double of) {
  return fmt::format("{} of {} ({})", format_duration(from_seconds(seconds)),
                     format_duration(from_seconds(of)), format_percent(seconds / of));
}

}  // namespace

HostCounters read_host_counters(const HostRoots& roots) {
  HostCounters counters;
  if (const auto throttled = read_cgroup_throttled_ns(roots))
    counters.throttled = Duration(static_cast<std::int64_t>(*throttled));
  const std::string text = read_host_file(roots.proc + "/stat").value_or("");
  if (const auto times = parse_cpu_times(text))
    counters.stolen = Duration(std::chrono::seconds(1)) / kTicksPerSecond *
                      static_cast<std::int64_t>(times->steal);
  return counters;
}

std::vector<StallPiece> blame_host(std::vector<StallPiece> pieces, Instant begin, Instant start,
                                   std::span<const HostPause> pauses) {
  auto pause = std::ranges::find_if(pauses, [&](const HostPause& p) { return p.end > begin; });
  if (pause == pauses.end() || pause->begin >= start) return pieces;
  if (pieces.empty() || pieces.back().until < start)
    pieces.push_back({start, StallCause::kQueue, StallPiece::kUnnamed, 0});
  std::vector<StallPiece> cut;
  Instant from = begin;
  for (const StallPiece& piece : pieces) {
    while (from < piece.until) {
      while (pause != pauses.end() && pause->end <= from) ++pause;
      const bool held = pause != pauses.end() && pause->begin <= from;
      StallPiece part = piece;
      if (held) part = {pause->end, StallCause::kHost, StallPiece::kUnnamed, 0};
      if (!held && pause != pauses.end()) part.until = std::min(part.until, pause->begin);
      part.until = std::min(part.until, piece.until);
      cut.push_back(part);
      from = part.until;
    }
  }
  return cut;
}

HostTime summarise_host_time(const TrainingOutcome& outcome) {
  HostTime time;
  if (outcome.steps.empty()) return time;
  const Instant end = outcome.steps.back().end;
  for (const HostPause& pause : outcome.pauses) {
    const double seconds = to_seconds(overlap(pause, outcome.begin, end));
    if (pause.kind == PauseKind::kStopped) time.stopped_seconds += seconds;
    if (pause.kind == PauseKind::kQuota) time.quota_seconds += seconds;
    if (pause.kind == PauseKind::kStolen) time.stolen_seconds += seconds;
  }
  time.throttled_cpu_seconds = to_seconds(outcome.host_counters.throttled);
  time.stolen_cpu_seconds = to_seconds(outcome.host_counters.stolen);
  return time;
}

void judge_host_time(const TrainingPlan& plan, const TrainingOutcome& outcome, RunResult& result) {
  const HostTime& time = result.host_time;
  if (result.seconds <= 0) return;
  if (time.stopped_seconds > kHostShareMax * result.seconds) {
    const std::string stopped = "this process was stopped for " +
                                share_text(time.stopped_seconds, result.seconds) +
                                ": by SIGSTOP, Ctrl-Z, a debugger or a freezer; ";
    if (time.stopped_seconds > kStoppedMin)
      result.invalid_reasons.push_back(
          stopped + "what the storage can do was not measured: run it again, and let it run");
    else
      result.warnings.push_back(stopped + "the run is too short to even that out");
  }
  // Quotas that hold back for less than what is noticed as a pause are still counted. The kernel
  // adds up what each processor was held back, for every group above ours as well, and counts at
  // the ends of its periods: the sum may be longer than the run, and no run is held back for longer
  // than it takes.
  const double quota = std::min(
      result.seconds,
      std::max(time.quota_seconds, time.throttled_cpu_seconds / std::max(1U, outcome.host_cores)));
  if (quota > kHostShareMax * result.seconds)
    result.invalid_reasons.push_back(fmt::format(
        "the CPU quota of this control group held this process back for {}; raise it (cpu.max, "
        "CPUQuota=, 'docker run --cpus', limits.cpu), or use fewer accelerators",
        share_text(quota, result.seconds)));
  if (time.stolen_seconds <= 0) return;
  const std::string stolen = fmt::format("the hypervisor took this host's processors away for {}",
                                         share_text(time.stolen_seconds, result.seconds));
  if (stolen_time_matters(plan, outcome))
    result.invalid_reasons.push_back(
        stolen +
        ", and the utilisation without those steps is another; run it again when the "
        "hypervisor's host is less busy");
  else
    result.warnings.push_back(stolen + "; without those steps the utilisation is the same");
}

}  // namespace feedrate

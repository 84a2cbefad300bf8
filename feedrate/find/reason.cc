#include "feedrate/find/reason.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/units.h"

namespace feedrate {
namespace {

// A reactor thread that is this busy has nothing left to give.
constexpr double kCpuBusy = 0.92;
// The storage is the limit where at least this share of what it moved without accelerators reached
// them.
constexpr double kAllOfIt = 0.93;

double most_moved(const FindResult& result) {
  double most = 0;
  for (const DepthPoint& point : result.depths) most = std::max(most, point.bytes_per_second);
  return most;
}

// Returns the trial with the most reads in flight, of those whose transfers are as large as the
// first's.
const DepthPoint& deepest(const FindResult& result) {
  const DepthPoint* last = &result.depths.front();
  for (const DepthPoint& point : result.depths)
    if (point.transfer_bytes == last->transfer_bytes &&
        point.reads_in_flight > last->reads_in_flight)
      last = &point;
  return *last;
}

// Returns the trial with the next smaller number of reads in flight.
const DepthPoint& before(const FindResult& result, const DepthPoint& last) {
  const DepthPoint* found = &result.depths.front();
  for (const DepthPoint& point : result.depths)
    if (point.transfer_bytes == last.transfer_bytes &&
        point.reads_in_flight < last.reads_in_flight &&
        point.reads_in_flight > found->reads_in_flight)
      found = &point;
  return *found;
}

// Names the cause that most accelerator time was lost to after start-up; empty where none was lost.
std::string largest_loss(const RunResult& run) {
  const StallShare* largest = nullptr;
  for (const StallShare& share : run.stalls.causes)
    if (share.cause != "startup" &&
        (largest == nullptr ||
         share.own_ns + share.carried_ns > largest->own_ns + largest->carried_ns))
      largest = &share;
  if (largest == nullptr || largest->own_ns + largest->carried_ns <= 0) return {};
  const auto lost = static_cast<double>(largest->own_ns + largest->carried_ns);
  return fmt::format("{} ({} of accelerator time)", largest->cause,
                     format_percent(lost / static_cast<double>(run.stalls.wall_ns)));
}

// Explains an answer that the search's own limit bounds: no evidence says that the storage has no
// more to give, and the search was not allowed to ask it for more.
void explain_own_limit(const FindOptions& options, OwnLimit limit, const std::string& rates,
                       FindResult& result) {
  constexpr std::uint64_t kTimesMore = 4, kInflightMost = 1'000'000;  // the limit of --max-inflight
  constexpr std::uint64_t kShare = 4;  // of a host's memory may be read ahead
  if (limit == OwnLimit::kReadsInFlight) {
    const std::string most = format_count(static_cast<double>(options.inflight_max));
    const std::string more = fmt::format(
        "--max-inflight={}", std::min(kInflightMost, kTimesMore * options.inflight_max));
    result.limited_by = "--max-inflight";
    result.reason = fmt::format(
        "no more than {} reads in flight were tried, and all of them were busy: {} tries more; {}",
        most, more, rates);
    result.findings.push_back(fmt::format(
        "the answer is for at most {} reads in flight over all accelerators; the storage may feed "
        "more with more of them: {}",
        most, more));
    return;
  }
  std::string memory = format_bytes(kShare * kTimesMore * options.read_ahead_max);
  std::erase(memory, ' ');  // as it is to be typed
  const std::string more = "--memory=" + memory;
  result.limited_by = "--memory";
  result.reason = fmt::format(
      "batches read ahead fill the {} that they may, a quarter of a host's memory, and readers "
      "waited for room: a host with {} would be asked for more; {}",
      format_bytes(options.read_ahead_max), more, rates);
  result.findings.push_back(fmt::format(
      "the answer is for {} of batches read ahead; the storage may feed more with more: {}",
      format_bytes(options.read_ahead_max), more));
}

void explain_starving(const FindOptions& options, OwnLimit own_limit, const RunResult& beyond,
                      FindResult& result) {
  const std::string need =
      fmt::format("{} need{} {} to stay at AU {}", beyond.job.accelerators,
                  beyond.job.accelerators == 1 ? "s" : "",
                  format_rate(beyond.job.demand_bytes_per_second * beyond.job.accelerators *
                              result.job.au_threshold),
                  format_percent(result.job.au_threshold));
  // All looks at that number count, since the last one may have been too short to tell.
  double arrived = beyond.sustained_bytes_per_second;
  for (const FindPoint& point : result.points)
    if (point.accelerators == beyond.job.accelerators && point.utilisation > 0)
      arrived = point.utilisation * beyond.job.demand_bytes_per_second * beyond.job.accelerators;
  const std::string got = format_rate(arrived);
  const double cpu = beyond.seconds > 0
                         ? (beyond.cpu_user_seconds + beyond.cpu_system_seconds) / beyond.seconds
                         : 0;  // no step ended
  // The CPU comes first: a client that is busy all the time also keeps the storage from moving
  // more.
  if (beyond.busiest_reactor_utilisation + beyond.busiest_reactor_waiting >= kCpuBusy ||
      (beyond.reactors > 0 && cpu >= kCpuBusy * beyond.reactors)) {
    result.limited_by = "client-cpu";
    result.reason = fmt::format(
        "this host's CPU is the limit: {}, {} arrived with {:.2f} cores busy ({} reactor threads, "
        "the busiest {})",
        need, got, cpu, beyond.reactors, format_percent(beyond.busiest_reactor_utilisation));
    return;
  }
  const double most = most_moved(result);
  // What a short run moved while it began and ended is not the storage's rate.
  const double moved =
      std::max({beyond.read_bytes_per_second, beyond.sustained_bytes_per_second, arrived});
  if (result.saturated && moved >= kAllOfIt * most) {
    const DepthPoint& last = deepest(result);
    const DepthPoint& fewer = before(result, last);
    result.limited_by = "storage";
    result.reason = fmt::format(
        "the storage is saturated at {}: more reads in flight moved no more ({} with {}, {} with "
        "{}); {}",
        format_rate(most), format_rate(fewer.bytes_per_second), fewer.reads_in_flight,
        format_rate(last.bytes_per_second), last.reads_in_flight, need);
    return;
  }
  if (own_limit != OwnLimit::kNone && !result.saturated)
    return explain_own_limit(options, own_limit, fmt::format("{}, {} arrived", need, got), result);
  result.limited_by = "unknown";
  const std::string loss = largest_loss(beyond);
  result.reason = fmt::format("cause not established; {}, {} arrived{}", need, got,
                              loss.empty() ? "" : ", and most time was lost to " + loss);
}

// Names what ended a search whose question is still open.
std::string ended_text(const FindOptions& options, const FindResult& result) {
  if (options.out_of_time && options.out_of_time()) return "--wall ended the search";
  if (options.budget.count() > 0) return "the budget ended";
  if (result.samples_read)
    return fmt::format("the search ended after {} samples, as one without --budget does,",
                       format_count(static_cast<double>(result.samples_max)));
  return "the search ended";
}

std::string unmeasured_text(const FindOptions& options, const FindResult& result) {
  constexpr double kWorthAWord = 0.1;  // of the budget, where it was left
  const double left = result.budget_seconds - result.spent_seconds;
  if (left <= kWorthAWord * result.budget_seconds)
    return ended_text(options, result) + " before a number of accelerators was looked at";
  return fmt::format(
      "the {} that were left of the budget are too short for a look at a number of accelerators",
      format_duration(from_seconds(left)));
}

// A number just beyond the answer can be proven by the looks at others.
std::string unproven_text(const FindOptions& options, const FindResult& result) {
  const auto starved = std::ranges::find(result.points, "not-fed", &FindPoint::verdict);
  const std::string ended = ended_text(options, result);
  if (starved == result.points.end()) return ended + " before any number was proven not to be fed";
  return fmt::format("{} before a number just beyond the answer was looked at; {} {} not fed",
                     ended, starved->accelerators, starved->accelerators == 1 ? "is" : "are");
}

// The search can only be bound by --max-inflight below what --max and the data set allow.
bool is_bound_by_inflight(const FindOptions& options, std::uint64_t accelerators_by_data,
                          const FindResult& result) {
  return options.bound_inflight &&
         result.limit < std::min<std::uint64_t>(options.accelerators_max, accelerators_by_data);
}

// Says what to use where the data set is too small.
std::string more_data(const TrainingPlan& plan) {
  return plan.dataset->plan() ? "a larger --size" : "more data";
}

// Names what allows no more than the limit: "--max=6 allows".
std::string limit_text(const FindOptions& options, const TrainingPlan& plan,
                       std::uint64_t accelerators_by_data, const FindResult& result) {
  if (is_bound_by_inflight(options, accelerators_by_data, result))
    return fmt::format("--max-inflight={} allows", options.inflight_max);
  if (options.accelerators_max > accelerators_by_data)
    return fmt::format("the data set allows; use {}", more_data(plan));
  return options.max_given ? fmt::format("--max={} allows", options.accelerators_max)
                           : "are tried without --max";
}

// Says what the rate alone allows, where no number of accelerators was looked at. The trials are
// asked, since the depth is only set once all of them are made.
void reckon_by_rate(const FindOptions& options, const TrainingPlan& plan,
                    std::uint64_t accelerators_by_data, FindResult& result) {
  double samples = 0;  // a second
  for (const TrialResult& trial : result.trials)
    if (trial.free_steps && std::isfinite(trial.samples_per_second))
      samples = std::max(samples, trial.samples_per_second);
  const double one =
      options.au_threshold * plan.timing.batch_samples / to_seconds(plan.timing.compute);
  const double most = result.limit / plan.replica_accelerators();
  const double fed = std::floor(samples / one);
  result.by_rate = static_cast<std::uint32_t>(std::min(fed, most)) * plan.replica_accelerators();
  if (fed > most)
    result.reason +=
        fmt::format("; the rate alone would feed more than the {} that {}", result.by_rate,
                    limit_text(options, plan, accelerators_by_data, result));
  result.rate_bytes_per_second = samples * plan.dataset->mean_sample_bytes();
}

}  // namespace

void settle_points(std::uint32_t low, std::uint32_t high, FindResult& result) {
  for (FindPoint& point : result.points) {
    if (point.verdict != "open") continue;
    if (point.accelerators <= low) point.verdict = "fed";
    if (point.accelerators > high) point.verdict = "not-fed";
  }
}

void explain(const FindOptions& options, const TrainingPlan& plan,
             std::uint64_t accelerators_by_data, OwnLimit own_limit, FindResult& result) {
  // The best evidence comes first: a number beyond the answer that was measured explains it. Only
  // without one do the question, the budget or a limit.
  if (result.interrupted) {
    result.limited_by = "interrupted";
    result.reason = "the search was interrupted";
    if (!result.measured) reckon_by_rate(options, plan, accelerators_by_data, result);
    return;
  }
  if (result.beyond) {
    explain_starving(options, own_limit, *result.beyond, result);
    return;
  }
  if (options.at_least > 0) {
    result.limited_by = result.answer == "pass" ? "--at-least" : "unknown";
    result.reason = result.answer == "pass"
                        ? fmt::format("only {} were asked about", options.at_least)
                        : ended_text(options, result) + " before the answer was certain";
    return;
  }
  if (!result.measured) {
    result.limited_by = "unknown";
    result.reason = unmeasured_text(options, result);
    return;
  }
  if (result.accelerators_low < result.limit) {
    result.limited_by = "unknown";
    result.reason = unproven_text(options, result);
    return;
  }
  if (is_bound_by_inflight(options, accelerators_by_data, result)) {
    result.limited_by = "--max-inflight";
    result.reason = fmt::format(
        "--max-inflight={} is the limit: each accelerator needs a read in flight; the storage may "
        "feed more",
        options.inflight_max);
    return;
  }
  if (options.accelerators_max <= accelerators_by_data) {
    result.limited_by = "--max";
    result.most_tried = !options.max_given;
    result.reason =
        options.max_given
            ? fmt::format("the search ended at --max={}; the storage may feed more",
                          options.accelerators_max)
            : fmt::format("{} are fed, and no more were tried; --max={} tries more", result.limit,
                          std::min(1'000'000U, 10 * options.accelerators_max));
    return;
  }
  result.limited_by = "data-set";
  const std::string remedy = more_data(plan);
  if (plan.client == ClientKind::kFaithful) {
    result.reason = fmt::format(
        "{} cannot be measured: an epoch of {} samples would be one step, the first, and that does "
        "not count as the framework's loader starts anew each epoch; use {}",
        accelerators_by_data + plan.replica_accelerators(),
        format_count(static_cast<double>(plan.dataset->samples())), remedy);
    return;
  }
  result.reason = fmt::format(
      "{} is all that the data set allows: one more global batch of {} samples would not fit in "
      "{}; use {}",
      accelerators_by_data, plan.timing.batch_samples,
      format_count(static_cast<double>(plan.dataset->samples())), remedy);
}

}  // namespace feedrate

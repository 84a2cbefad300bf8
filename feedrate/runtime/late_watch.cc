#include "feedrate/runtime/late_watch.h"

#include <algorithm>

namespace feedrate {
namespace {

constexpr Duration kRanInterval = std::chrono::milliseconds(5);
constexpr Duration kCountInterval = std::chrono::milliseconds(250);
constexpr std::size_t kGapsMax = 64;

}  // namespace

LateWatch::LateWatch(Thread thread, Judge judge, Instant now)
    : thread_(std::move(thread)),
      judge_(std::move(judge)),
      turn_begin_(now),
      due_(now),
      ran_at_(now),
      waited_at_(now),
      ran_(thread_.ran()),
      waited_(thread_.waited()) {}

std::optional<HostPause> LateWatch::before_wait(Instant now, Duration limit) {
  due_ = now + limit;
  return look_at(turn_begin_, now);
}

std::optional<HostPause> LateWatch::after_wait(Instant now) {
  const auto pause = look_at(due_, now);
  turn_begin_ = now;
  if (now - ran_at_ >= kRanInterval) {
    ran_at_ = now;
    ran_ = thread_.ran();
  }
  if (now - waited_at_ >= kCountInterval) {
    waited_at_ = now;
    waited_ = thread_.waited();
  }
  return pause;
}

std::optional<HostPause> LateWatch::look_at(Instant begin, Instant now) {
  if (now - begin < kLate) return std::nullopt;
  const Duration ran = thread_.ran();
  const Duration idle = now - begin - (ran - ran_);
  ran_ = ran;
  ran_at_ = now;
  if (idle < kLate) return std::nullopt;
  const Duration waited = thread_.waited();
  const auto kind = judge_(now - idle, now, waited - waited_);
  waited_ = waited;
  waited_at_ = now;
  if (!kind) return std::nullopt;
  return HostPause{now - idle, now, *kind};
}

HeartBeat::HeartBeat(std::function<HostCounters()> counters, Instant now)
    : counters_(std::move(counters)), last_(now), counted_at_(now), counted_(counters_()) {}

void HeartBeat::beat(Instant now) {
  const std::lock_guard lock(mutex_);
  const bool late = now - last_ >= kInterval + LateWatch::kLate;
  if (late) add_gap(last_ + kInterval, now);
  last_ = now;
  if (now - counted_at_ < kCountInterval) return;
  counted_at_ = now;
  counted_ = counters_();
}

void HeartBeat::add_gap(Instant begin, Instant end) {
  if (gaps_.size() == kGapsMax) gaps_.erase(gaps_.begin());
  const HostCounters now = counters_();
  Gap gap{begin, end, {}};
  if (now.throttled - counted_.throttled >= (end - begin) / 2)
    gap.kind = PauseKind::kQuota;
  else if (now.stolen - counted_.stolen >= (end - begin) / 2)
    gap.kind = PauseKind::kStolen;
  gaps_.push_back(gap);
  counted_ = now;
  counted_at_ = end;
}

std::optional<PauseKind> HeartBeat::judge(Instant begin, Instant end, Duration waited) {
  const std::lock_guard lock(mutex_);
  // The heart-beat's thread is not awake again yet.
  if (end - last_ >= kInterval + LateWatch::kLate) {
    add_gap(last_ + kInterval, end);
    last_ = end;
  }
  const Duration half = (end - begin) / 2;
  Duration missed{}, quota{}, stolen{};
  for (const Gap& gap : gaps_) {
    const Duration both = std::max(Duration{}, std::min(gap.end, end) - std::max(gap.begin, begin));
    missed += both;
    if (gap.kind == PauseKind::kQuota) quota += both;
    if (gap.kind == PauseKind::kStolen) stolen += both;
  }
  if (quota >= half) return PauseKind::kQuota;
  // Only this thread was late: its processor's share of the quota was used up, or it was blocked or
  // busy.
  if (missed < half)
    return counters_().throttled - counted_.throttled >= half ? std::optional(PauseKind::kQuota)
                                                              : std::nullopt;
  if (stolen >= half) return PauseKind::kStolen;
  if (waited >= half) return std::nullopt;  // others had the cores
  return PauseKind::kStopped;
}

}  // namespace feedrate

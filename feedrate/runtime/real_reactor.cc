#include "feedrate/runtime/real_reactor.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "feedrate/base/text.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);
constexpr Duration kStuck = std::chrono::seconds(3);

std::string_view words_for(IoKind kind) {
  switch (kind) {
    case IoKind::kOpen:
      return "the opening";
    case IoKind::kRead:
    case IoKind::kReadFile:
      return "a read";
    case IoKind::kWrite:
      return "a write";
    case IoKind::kSync:
      return "the syncing";
    case IoKind::kClose:
      return "the closing";
  }
  return "a call";
}

}  // namespace

RealReactor::RealReactor(OffloadPool* pool) : pool_(pool), event_fd_(eventfd(0, EFD_CLOEXEC)) {
  FEEDRATE_ASSERT(event_fd_ >= 0);
  refresh_now();
}

RealReactor::~RealReactor() { close(event_fd_); }

Instant RealReactor::refresh_now() {
  now_ = monotonic_now();
  return now_;
}

void RealReactor::prepare_thread() { prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0); }

void RealReactor::wake() {
  if (remote_pending_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_fd_, &one, sizeof one);
}

void RealReactor::post_remote(std::span<const std::coroutine_handle<>> waiters) {
  // The lock is held over wake(), as the owner may otherwise finish and destroy this reactor in
  // between.
  const std::lock_guard lock(mutex_);
  remote_.insert(remote_.end(), waiters.begin(), waiters.end());
  wake();
}

void RealReactor::stop_remote() {
  const std::lock_guard lock(mutex_);
  stop_requested_ = true;
  wake();
}

void RealReactor::take_remote() {
  if (!remote_pending()) return;
  const std::lock_guard lock(mutex_);
  remote_pending_.store(false, std::memory_order_release);
  ready_.insert(ready_.end(), remote_.begin(), remote_.end());
  remote_.clear();
  if (stop_requested_ && !stopping_) stop();
}

void RealReactor::watch_lateness(LateWatch::Judge judge) {
  late_.emplace(LateWatch::Thread{thread_cpu_time, thread_run_delay}, std::move(judge),
                refresh_now());
}

std::optional<Duration> RealReactor::begin_wait() {
  const bool at_once = remote_pending() || !ready_.empty();
  const bool endless = timers_.empty() && !late_ && in_flight_.count() == 0;
  if (endless) return at_once ? std::optional(Duration(0)) : std::nullopt;
  // The clock is read, since now_ is the start of a turn that may have been a long one.
  const Instant now = monotonic_now();
  Duration limit = late_ ? LateWatch::kBeat : kLookInterval;
  if (!timers_.empty()) {
    const Duration left = timers_.next_deadline() - now;
    limit = std::min(limit, left.count() <= 0 ? Duration(0) : std::max(left, kTimerCoalescing));
  }
  if (at_once) limit = Duration(0);
  waiting_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (late_)
    if (const auto pause = late_->before_wait(now, limit)) add_pause(*pause);
  return limit;
}

void RealReactor::end_wait() {
  refresh_now();
  waiting_since_.store(0, std::memory_order_relaxed);
  if (now_ - looked_at_ >= kLookInterval) look_for_stuck();
  if (late_)
    if (const auto pause = late_->after_wait(now_)) add_pause(*pause);
}

void RealReactor::look_for_stuck() {
  looked_at_ = now_;
  const IoRequest* const oldest = in_flight_.oldest();
  const std::lock_guard lock(stuck_mutex_);
  if (oldest == nullptr || now_ - oldest->since < kStuck) {
    stuck_.reset();
    return;
  }
  const char* const name = oldest->name != nullptr ? oldest->name : oldest->path;
  stuck_ = StuckIo{fmt::format("{} of {}", words_for(oldest->kind),
                               quote_path(name == nullptr ? "a file" : name)),
                   oldest->since, in_flight_.count()};
}

std::optional<StuckIo> RealReactor::stuck() const {
  const Instant since{Duration(waiting_since_.load(std::memory_order_relaxed))};
  const std::lock_guard lock(stuck_mutex_);
  if (stuck_) return stuck_;
  // A wait that is noted has a time limit, so an old note means a call that hangs in the kernel.
  if (since != Instant{} && monotonic_now() - since >= kStuck)
    return StuckIo{"a call into the kernel", since, 1};
  return std::nullopt;
}

bool RealReactor::goes_on() {
  if (live_tasks_ == 0) return false;
  if (!stopping_ || let_go_after_ == Duration{} || in_flight_.count() == 0) return true;
  const Instant latest = now_ - let_go_after_;
  if (stopped_at_ > latest || in_flight_.oldest()->since > latest || !in_flight_.all_read())
    return true;
  look_for_stuck();
  has_let_go_ = true;
  return false;
}

void RealReactor::offload_job(OffloadJob& job) {
  FEEDRATE_ASSERT(pool_ != nullptr);
  pool_->submit([this, &job] {
    job.execute();
    const std::coroutine_handle<> waiter = job.waiter;
    post_remote({&waiter, 1});
  });
}

}  // namespace feedrate

#include "feedrate/runtime/real_reactor.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

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
  // The lock is held over wake(): the owner may otherwise finish and destroy this reactor between.
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
  if (timers_.empty() && !late_) return at_once ? std::optional(Duration(0)) : std::nullopt;
  // Not now_: the turn that ends here may have been a long one.
  const Instant now = monotonic_now();
  Duration limit = LateWatch::kBeat;
  if (!timers_.empty()) {
    const Duration left = timers_.next_deadline() - now;
    const Duration wanted = left.count() <= 0 ? Duration(0) : std::max(left, kTimerCoalescing);
    limit = late_ ? std::min(limit, wanted) : wanted;
  }
  if (at_once) limit = Duration(0);
  if (late_)
    if (const auto pause = late_->before_wait(now, limit)) add_pause(*pause);
  return limit;
}

void RealReactor::end_wait() {
  refresh_now();
  if (late_)
    if (const auto pause = late_->after_wait(now_)) add_pause(*pause);
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

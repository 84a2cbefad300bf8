#include "feedrate/runtime/real_reactor.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

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
  // The limit of open files may be so low. There is no reactor then, and nothing to return from
  // here.
  if (event_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  refresh_now();
}

RealReactor::~RealReactor() { close(event_fd_); }

Instant RealReactor::refresh_now() {
  loop_.now = monotonic_now();
  return loop_.now;
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

void RealReactor::wake_for_shares() {
  const std::lock_guard lock(mutex_);
  share_asked_ = true;
  wake();
}

void RealReactor::take_remote() {
  if (!remote_pending()) return;
  const std::lock_guard lock(mutex_);
  remote_pending_.store(false, std::memory_order_release);
  loop_.ready.insert(loop_.ready.end(), remote_.begin(), remote_.end());
  remote_.clear();
  if (stop_requested_ && !stopping_) stop();
  if (std::exchange(share_asked_, false)) stop_asked_shares();
}

void RealReactor::watch_lateness(LateWatch::Judge judge) {
  late_.emplace(LateWatch::Thread{thread_cpu_time, thread_run_delay}, std::move(judge),
                refresh_now());
}

std::optional<Duration> RealReactor::begin_wait() {
  const bool at_once = remote_pending() || !loop_.ready.empty();
  const bool endless = loop_.timers.empty() && !late_ && loop_.in_flight.count() == 0;
  if (endless) return at_once ? std::optional(Duration(0)) : std::nullopt;
  // The clock is read, since loop_.now is the start of a turn that may have been a long one.
  const Instant now = monotonic_now();
  Duration limit = late_ ? LateWatch::kBeat : kLookInterval;
  if (!loop_.timers.empty()) {
    const Duration left = loop_.timers.next_deadline() - now;
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
  if (loop_.now - looked_at_ >= kLookInterval) look_for_stuck();
  if (late_)
    if (const auto pause = late_->after_wait(loop_.now)) add_pause(*pause);
}

void RealReactor::look_for_stuck() {
  looked_at_ = loop_.now;
  const IoRequest* const oldest = loop_.in_flight.oldest();
  const std::lock_guard lock(stuck_mutex_);
  if (oldest == nullptr || loop_.now - oldest->since < kStuck) {
    stuck_.reset();
    return;
  }
  const char* const name = oldest->name != nullptr ? oldest->name : oldest->path;
  stuck_ = StuckIo{fmt::format("{} of {}", words_for(oldest->kind),
                               quote_path(name == nullptr ? "a file" : name)),
                   oldest->since, loop_.in_flight.count()};
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
  if (loop_.live_tasks == 0) return false;
  if (!stopping_ || loop_.let_go_after == Duration{} || loop_.in_flight.count() == 0) return true;
  const Instant latest = loop_.now - loop_.let_go_after;
  if (loop_.stopped_at > latest || loop_.in_flight.oldest()->since > latest ||
      !loop_.in_flight.all_read())
    return true;
  look_for_stuck();
  loop_.has_let_go = true;
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

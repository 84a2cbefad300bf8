// What the two real-time reactors share: the monotonic clock, the queue of coroutines posted from
// other threads, and worker threads. Private to runtime/.
#pragma once

#include "feedrate/runtime/reactor.h"

namespace feedrate {

// Timers due within this of one another share one wake-up: a wake-up costs 30 to 80 us of CPU on
// the machines measured, so one core still drives some 20,000 accelerators at 3.5 ms steps.
inline constexpr Duration kTimerCoalescing = std::chrono::microseconds(50);

class RealReactor : public Reactor {
 public:
  explicit RealReactor(OffloadPool* pool);
  ~RealReactor() override;

  Instant refresh_now() override;
  bool is_virtual() const override { return false; }
  void post_remote(std::span<const std::coroutine_handle<>> waiters) override;
  void stop_remote() override;
  void offload_job(OffloadJob& job) override;
  void watch_lateness(LateWatch::Judge judge) override;
  std::optional<StuckIo> stuck() const override;

 protected:
  // Takes over what other threads posted. Call with the owner's thread only.
  void take_remote();
  bool remote_pending() const { return remote_pending_.load(std::memory_order_acquire); }
  int event_fd() const { return event_fd_; }
  // How long the loop may wait for I/O, by the timers; nullopt when there are none and nobody
  // watches. Begins the wait; end_wait() must follow.
  std::optional<Duration> begin_wait();
  // The loop goes on: takes the time, and note of what held this thread back.
  void end_wait();
  // There is more to do; false, too, once reads that do not come back are let go of.
  bool goes_on();
  // Per-thread settings of the thread that calls run().
  static void prepare_thread();

 private:
  void wake();
  void wake_for_shares() override;
  OffloadPool* pool_;
  int event_fd_ = -1;
  std::atomic<bool> remote_pending_ = false;
  std::mutex mutex_;
  std::vector<std::coroutine_handle<>> remote_;
  bool stop_requested_ = false, share_asked_ = false;
  std::optional<LateWatch> late_;

  void look_for_stuck();
  Instant looked_at_{};
  mutable std::mutex stuck_mutex_;
  std::optional<StuckIo> stuck_;
  // Since when this thread has been in the kernel; 0 while it is not, or may be for long.
  std::atomic<Duration::rep> waiting_since_ = 0;
};

}  // namespace feedrate

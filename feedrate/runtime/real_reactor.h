// The common part of the two real-time reactors: the monotonic clock, the queue of coroutines
// posted from other threads, and worker threads. Private to runtime/.
#pragma once

#include "feedrate/runtime/reactor.h"

namespace feedrate {

// Timers that are due within this of one another share one wake-up. A wake-up costs 30 to 80 us of
// CPU on the machines measured, so one core still drives some 20,000 accelerators at 3.5 ms steps.
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
  // Takes over what other threads posted. To be called on the owner's thread only.
  void take_remote();
  bool remote_pending() const { return remote_pending_.load(std::memory_order_acquire); }
  int event_fd() const { return event_fd_; }
  // Begins a wait, which end_wait() must follow. Returns how long the loop may wait for I/O, by the
  // timers; nullopt when there are none and nobody watches.
  std::optional<Duration> begin_wait();
  // Ends a wait: takes the time, and notes what held this thread back.
  void end_wait();
  // Returns whether there is more to do. It is false as well once reads that do not come back are
  // let go of.
  bool goes_on();
  // Makes the settings of the thread that calls run().
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
  // The time since which this thread has been in the kernel; 0 while it is not, or while it may be
  // there for long.
  std::atomic<Duration::rep> waiting_since_ = 0;
};

}  // namespace feedrate

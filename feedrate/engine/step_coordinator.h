// Lets the accelerators of all reactors agree on when each step begins and ends. Private to
// engine/.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "feedrate/engine/step_guest.h"
#include "feedrate/engine/train.h"
#include "feedrate/runtime/barrier.h"

namespace feedrate {

class StepCoordinator {
 public:
  StepCoordinator(const TrainingPlan& plan, StepObserver* observer, TrainingProgress& progress,
                  const StepGuest* guest)
      : plan_(plan),
        observer_(observer),
        progress_(progress),
        guest_(guest),
        barrier_(plan.replicas, [this] { complete_step(); }),
        pause_(plan.replicas, [this] { step_end_ = resumed_ = std::max(step_end_, resume_); }) {}

  void begin(Instant now) {
    begin_ = step_end_ = resumed_ = now;
    begun_.store(true, std::memory_order_release);
  }
  Instant begin_time() const { return begin_; }
  Instant step_end() const { return step_end_; }
  bool stop() const { return stop_; }
  Barrier& barrier() { return barrier_; }
  void leave(Reactor& reactor) {
    over_.store(true, std::memory_order_relaxed);
    {
      const std::lock_guard lock(end_mutex_);
      ended_ = std::max(ended_, reactor.now());
    }
    barrier_.leave(reactor);
    pause_.leave(reactor);
  }
  // Returns whether the group stops for its guest before its next step.
  bool guest_due() const { return guest_due_; }
  // Each accelerator arrives here when its reactor's part of the guest is done. Afterwards
  // step_end() is the time at which they go on.
  Barrier& pause() { return pause_; }
  // To be called under the lock of pause().
  void resume_at(Instant now) { resume_ = std::max(resume_, now); }
  // One step of one replica. Its stalls are placed before its compute (compute_step says why).
  struct Step {
    std::uint32_t rank = 0;
    Instant ready{};  // When its first batch was there.
    Instant start{}, end{};
    Duration compute{};
    bool ran_out = false;
    std::vector<StallPiece> pieces = {};  // What it had waited for.
  };
  // To be called under the barrier's lock.
  void contribute(const Step& step) {
    if (contributions_++ == 0 || step.end > pending_slowest_.end) pending_slowest_ = step;
    if (steps_.empty()) first_batch_ = std::max(first_batch_, step.ready - begin_);
    pending_.ran_out = pending_.ran_out || step.ran_out;
  }
  // Returns whether some accelerator has finished, so that the run is over or will be soon. May be
  // called on any thread.
  bool over() const { return over_.load(std::memory_order_relaxed); }
  bool begun() const { return begun_.load(std::memory_order_acquire); }
  // Return the replica that ended the last whole step, and the number of whole steps. They may be
  // called wherever step_end() may.
  const Step& slowest() const { return slowest_; }
  std::size_t steps() const { return steps_.size(); }
  void fail_with(const Error& error) {
    const std::lock_guard lock(end_mutex_);
    if (!error_) error_ = error;
  }
  void move_to(TrainingOutcome& outcome) {
    outcome.begin = begin_;
    outcome.ended = ended_;
    outcome.cut = outcome.cut || cut_;
    outcome.steps = std::move(steps_);
    outcome.first_batch = first_batch_;
    outcome.fatal = std::move(error_);
  }

 private:
  void complete_step();

  const TrainingPlan& plan_;
  StepObserver* observer_;
  TrainingProgress& progress_;
  const StepGuest* guest_;
  Instant begin_{}, step_end_{};
  Instant resume_{}, resumed_{};  // When the guest last let the group go on.
  bool stop_ = false, guest_due_ = false;
  bool cut_ = false;  // The observer cut the run short.
  std::atomic<bool> over_ = false, begun_ = false;
  StepRecord pending_;
  Step pending_slowest_, slowest_;
  std::uint32_t contributions_ = 0;
  std::vector<StepRecord> steps_;
  Duration first_batch_{};
  std::mutex end_mutex_;  // of the two below
  Instant ended_{};
  std::optional<Error> error_;
  Barrier barrier_, pause_;
};

}  // namespace feedrate

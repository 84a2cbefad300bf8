// Where the accelerators of all reactors agree on when each step begins and ends. Private to
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
    barrier_.leave(reactor);
    pause_.leave(reactor);
  }
  // Whether the group stops for its guest before its next step.
  bool guest_due() const { return guest_due_; }
  // Each accelerator arrives when its reactor's part is done; then step_end() is when they go on.
  Barrier& pause() { return pause_; }
  void resume_at(Instant now) { resume_ = std::max(resume_, now); }  // under its lock
  // One replica's step. Its stalls are put before its compute (compute_step says why).
  struct Step {
    std::uint32_t rank = 0;
    Instant ready{};  // its first batch
    Instant start{}, end{};
    Duration compute{};
    bool ran_out = false;
    std::vector<StallPiece> pieces = {};  // what it had waited for
  };
  // Called under the barrier's lock.
  void contribute(const Step& step) {
    if (contributions_++ == 0 || step.end > pending_slowest_.end) pending_slowest_ = step;
    if (steps_.empty()) first_batch_ = std::max(first_batch_, step.ready - begin_);
    pending_.ran_out = pending_.ran_out || step.ran_out;
  }
  // Some accelerator is through: the run is over, or will be soon. Any thread.
  bool over() const { return over_.load(std::memory_order_relaxed); }
  bool begun() const { return begun_.load(std::memory_order_acquire); }
  // The replica that ended the last whole step, and the number of whole steps. To be called where
  // step_end() may be.
  const Step& slowest() const { return slowest_; }
  std::size_t steps() const { return steps_.size(); }
  void fail_with(const Error& error) {
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = error;
  }
  void move_to(TrainingOutcome& outcome) {
    outcome.begin = begin_;
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
  Instant resume_{}, resumed_{};  // after the guest was there last
  bool stop_ = false, guest_due_ = false;
  bool cut_ = false;  // by the observer
  std::atomic<bool> over_ = false, begun_ = false;
  StepRecord pending_;
  Step pending_slowest_, slowest_;
  std::uint32_t contributions_ = 0;
  std::vector<StepRecord> steps_;
  Duration first_batch_{};
  std::mutex error_mutex_;
  std::optional<Error> error_;
  Barrier barrier_, pause_;
};

}  // namespace feedrate

#include "feedrate/engine/step_coordinator.h"

namespace feedrate {

void StepCoordinator::complete_step() {
  if (contributions_ < plan_.replicas) {  // A replica has left, so this is not a whole step.
    stop_ = true;
    return;
  }
  contributions_ = 0;
  std::swap(slowest_, pending_slowest_);
  pending_.end = step_end_ = slowest_.end;
  const double batch = static_cast<double>(plan_.replicas) * plan_.timing.batch_samples;
  // The stock is what readers have delivered so far, in batches of the whole group, less what the
  // steps have consumed.
  pending_.stock_batches =
      static_cast<double>(progress_.samples.load(std::memory_order_relaxed)) / batch -
      static_cast<double>(steps_.size() + 1);
  steps_.push_back(pending_);
  pending_ = {};
  progress_.steps.store(steps_.size(), std::memory_order_relaxed);
  stop_ = (plan_.steps_max > 0 && steps_.size() >= plan_.steps_max) ||
          (plan_.time_max.count() > 0 && step_end_ - begin_ >= plan_.time_max);
  if (observer_ != nullptr && observer_->on_step(steps_.size() - 1, steps_.back()))
    stop_ = cut_ = true;
  guest_due_ = guest_ != nullptr && !stop_ && guest_->due(steps_.size(), step_end_ - resumed_);
}

}  // namespace feedrate

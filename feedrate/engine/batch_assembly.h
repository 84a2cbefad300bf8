// Turns samples as they arrive into batches that are complete at a known instant. One per
// accelerator, on its reactor's thread.
//
// In order (random access): sample number s belongs to batch s / batch_samples, as with PyTorch's
// loaders; a slow sample holds up its own batch. Any order (interleaved sequential files): batches
// fill in order of arrival, after the shuffle buffer has its fill, as with tf.data.
#pragma once

#include <cstdint>
#include <deque>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"

namespace feedrate {

class BatchAssembly {
 public:
  BatchAssembly(bool in_order, std::uint32_t batch_samples, std::uint64_t shuffle_buffer_samples)
      : in_order_(in_order), batch_samples_(batch_samples), held_back_(shuffle_buffer_samples) {}

  // `count` samples from number `first` on are in memory.
  void deliver(std::uint64_t first, std::uint64_t count, Instant now) {
    delivered_ += count;
    if (in_order_)
      deliver_in_order(first, count, now);
    else
      while (delivered_ >= held_back_ &&
             delivered_ - held_back_ >= (completed_ + 1) * batch_samples_)
        complete(now);
  }
  // No more samples will come: what the shuffle buffer holds back is handed out.
  void end_of_input(Instant now) {
    while (!in_order_ && delivered_ >= (completed_ + 1) * batch_samples_) complete(now);
  }
  bool has_batch() const { return !ready_.empty(); }
  Instant take_batch() {
    const Instant ready = ready_.front();
    ready_.pop_front();
    ++taken_;
    return ready;
  }
  std::uint64_t waiting_samples() const { return delivered_ - taken_ * batch_samples_; }
  std::uint64_t batches_taken() const { return taken_; }
  std::uint64_t batches_complete() const { return completed_; }
  // Whether samples from number `first` on belong to the first incomplete batch.
  bool is_next(std::uint64_t first) const {
    return !in_order_ || first / batch_samples_ == completed_;
  }

 private:
  void deliver_in_order(std::uint64_t first, std::uint64_t count, Instant now) {
    const std::uint64_t batch = first / batch_samples_;
    FEEDRATE_ASSERT((first + count - 1) / batch_samples_ == batch && batch >= completed_);
    while (missing_.size() <= batch - completed_) missing_.push_back(batch_samples_);
    missing_[batch - completed_] -= count;
    while (!missing_.empty() && missing_.front() == 0) {
      missing_.pop_front();
      complete(now);
    }
  }
  void complete(Instant now) {
    ++completed_;
    ready_.push_back(now);
  }

  bool in_order_;
  std::uint64_t batch_samples_, held_back_;
  std::uint64_t delivered_ = 0, completed_ = 0, taken_ = 0;
  std::deque<std::uint64_t> missing_;  // per batch from completed_ on
  std::deque<Instant> ready_;
};

}  // namespace feedrate

// How the loader knows what a batch is waiting for. Plain values of one reactor's thread; the
// times are those that the loader already has, so keeping them costs a few stores a sample.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "feedrate/stats/stall_ledger.h"

namespace feedrate {

// Follows one reader's current piece of work through its stages, in order.
class StallTrace {
 public:
  // A reader takes a piece of work of this file and epoch: until now none was free for it.
  void restart(Instant now, std::uint64_t file, std::uint64_t epoch) {
    steps_.resize(1);
    steps_.front() = {now, StallCause::kQueue};
    last_ = now;
    file_ = file;
    epoch_ = epoch;
    bytes_ = 0;
  }
  // From the last step's end until now it was this.
  void add(StallCause cause, Instant until) {
    if (until > last_) [[unlikely]]
      extend(cause, until);
  }
  // A read of `bytes` ended now; its first byte came at `first_byte`.
  void add_read(Instant first_byte, Instant now, std::uint64_t bytes) {
    add(StallCause::kFirstByte, std::min(first_byte, now));
    add(StallCause::kTransfer, now);
    bytes_ = bytes;
  }
  struct Step {
    Instant until{};
    StallCause cause = StallCause::kQueue;
  };
  const std::vector<Step>& steps() const { return steps_; }
  std::uint64_t file() const { return file_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void extend(StallCause cause, Instant until) {
    if (steps_.empty()) return;  // of no piece of work
    last_ = until;
    if (steps_.back().cause == cause)
      steps_.back().until = until;
    else
      steps_.push_back({until, cause});
  }

  std::vector<Step> steps_;
  Instant last_{};
  std::uint64_t file_ = StallPiece::kUnnamed, epoch_ = 0, bytes_ = 0;
};

// The causes for which the first incomplete batch of an accelerator has been waiting. At any
// instant that is what the sample went through that came next: of several that are lacking, the
// one that is nearest.
class StallChain {
 public:
  // Waiting before this does not matter: the accelerator is busy.
  void busy_until(Instant end) { busy_until_ = end; }

  // Samples for the first incomplete batch came now.
  void advance(const StallTrace& trace, Instant now) {
    const Instant from = std::max(covered_, busy_until_);
    covered_ = now;
    if (now <= from) return;
    Instant at = from;
    for (const StallTrace::Step& step : trace.steps()) {
      const Instant until = std::min(step.until, now);
      if (until <= at) continue;
      push({until, step.cause, trace.file(), trace.bytes()}, until - at);
      at = until;
    }
    if (at < now) push({now, StallCause::kQueue, StallPiece::kUnnamed, 0}, now - at);
  }
  // That batch is complete; what follows is about the next one.
  std::vector<StallPiece> take() { return std::exchange(pieces_, {}); }

 private:
  // Shorter pieces are not worth naming their file.
  static constexpr Duration kNotable = std::chrono::microseconds(20);

  void push(StallPiece piece, Duration length) {
    if (length < kNotable) piece.file = StallPiece::kUnnamed;
    const bool same = !pieces_.empty() && pieces_.back().cause == piece.cause &&
                      pieces_.back().file == piece.file;
    if (same)
      pieces_.back().until = piece.until;
    else
      pieces_.push_back(piece);
  }

  Instant covered_{}, busy_until_{};
  std::vector<StallPiece> pieces_;
};

}  // namespace feedrate

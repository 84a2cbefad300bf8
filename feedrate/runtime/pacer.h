// Keeps a stream of bytes within a bandwidth, whoever sends them. Any thread.
#pragma once

#include <algorithm>
#include <mutex>

#include "feedrate/base/units.h"

namespace feedrate {

class Pacer {
 public:
  explicit Pacer(double bytes_per_second) : bytes_per_second_(bytes_per_second) {}
  // Returns when `bytes` more may be sent. After a pause that is at once, however long the pause
  // was.
  Instant reserve(Instant now, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const Instant at = std::max(now, next_);
    next_ = at + from_seconds(static_cast<double>(bytes) / bytes_per_second_);
    return at;
  }

 private:
  double bytes_per_second_;
  std::mutex mutex_;
  Instant next_{};
};

}  // namespace feedrate

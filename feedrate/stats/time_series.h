// Sums over equal intervals of a run. The memory is bounded: when a run outgrows kIntervalsMax
// intervals, they are merged in pairs and become twice as wide, and nothing that was added is lost.
// A plain value, not locked.
#pragma once

#include <cstddef>
#include <vector>

#include "feedrate/base/units.h"

namespace feedrate {

class TimeSeries {
 public:
  static constexpr std::size_t kIntervalsMax = 4096;

  // Interval i is [origin + i * width, origin + (i + 1) * width). width > 0.
  TimeSeries(Instant origin, Duration width);

  // Times before the origin count for the first interval.
  void add(Instant at, double value);
  // Spreads weight * (end - begin), in seconds, over the intervals that [begin, end) overlaps, each
  // by its exact share. Adds nothing when end <= begin.
  void add_interval(Instant begin, Instant end, double weight = 1);
  // Adds the sums of `other`. It must have the same origin, and the same width but for doublings.
  void merge(const TimeSeries& other);

  Duration width() const { return width_; }
  // Returns the sums up to the last interval that was added to.
  const std::vector<double>& values() const { return values_; }
  double total() const;

 private:
  std::size_t index_of(Instant at);  // widens the intervals when it has to
  void double_width();

  Instant origin_;
  Duration width_;
  std::vector<double> values_;
};

}  // namespace feedrate

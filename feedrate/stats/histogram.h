// A log-linear histogram of non-negative integers (nanoseconds, bytes): 64 buckets an octave, so a
// bucket is at most 1/64 of its value wide and its middle is within 1/128 of every value in it.
// Merging is exact: any grouping and order gives the same histogram. A plain value, not locked.
// Memory grows with the largest value seen: 8 B a bucket, 30 KB at most.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/random.h"

namespace feedrate {

class Histogram {
 public:
  // The lowest value of a bucket, and the number of values in it.
  using Bucket = std::pair<std::uint64_t, std::uint64_t>;

  void record(std::uint64_t value) {
    const std::size_t bucket = bucket_of(value);
    if (bucket >= counts_.size()) counts_.resize(bucket + 1);
    ++counts_[bucket];
    ++count_;
    sum_ += value;
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
  }
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact
  std::uint64_t max() const { return max_; }                    // exact
  double sum() const { return static_cast<double>(sum_); }      // exact but for the conversion
  double mean() const { return count_ == 0 ? 0 : sum() / static_cast<double>(count_); }

  // Returns the smallest recorded value that at least `fraction` (0 to 1) of the values do not
  // exceed, to within 1/128; exactly below 128 and at fractions 0 and 1. It is 0 when empty.
  std::uint64_t quantile(double fraction) const;

  // Returns every bucket that holds something, in order. With min, max and sum they are the whole
  // histogram.
  std::vector<Bucket> buckets() const;
  // Makes a histogram from its stored form. Returns kCorrupt when that is not what one histogram
  // gives.
  static Result<Histogram> from_buckets(std::span<const Bucket> buckets, std::uint64_t min,
                                        std::uint64_t max, double sum);

  bool operator==(const Histogram& other) const = default;

 private:
  static constexpr unsigned kSubBits = 6;
  // Values below 128 have a bucket each; above, the top 7 bits name the bucket.
  static std::size_t bucket_of(std::uint64_t value) {
    const unsigned width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kSubBits + 1) return static_cast<std::size_t>(value);
    const unsigned shift = width - kSubBits - 1;
    return (std::size_t{shift} << kSubBits) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t lower_bound_of(std::size_t bucket);
  static std::uint64_t middle_of(std::size_t bucket);

  std::vector<std::uint64_t> counts_;  // ends with a bucket that holds something
  std::uint64_t count_ = 0, min_ = ~std::uint64_t{0}, max_ = 0;
  Uint128 sum_ = 0;
};

}  // namespace feedrate

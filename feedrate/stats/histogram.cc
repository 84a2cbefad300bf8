#include "feedrate/stats/histogram.h"

#include <algorithm>
#include <cmath>

namespace feedrate {
namespace {

constexpr std::uint64_t kCountMax = std::uint64_t{1} << 62U;

// fraction * count is rounded up to a rank; up to this much above a whole number is a rounding
// error.
constexpr double kRankSlack = 1e-12;

std::unexpected<Error> not_a_histogram(const char* why) {
  return fail(ErrorKind::kCorrupt, std::string("histogram: ") + why,
              "the file was changed, or is not of this version");
}

}  // namespace

std::uint64_t Histogram::lower_bound_of(std::size_t bucket) {
  if (bucket < (std::size_t{2} << kSubBits)) return bucket;
  const std::size_t shift = (bucket >> kSubBits) - 1;
  return std::uint64_t{bucket - (shift << kSubBits)} << shift;
}

std::uint64_t Histogram::middle_of(std::size_t bucket) {
  if (bucket < (std::size_t{2} << kSubBits)) return bucket;
  const std::size_t shift = (bucket >> kSubBits) - 1;
  return lower_bound_of(bucket) + (std::uint64_t{1} << shift) / 2;
}

void Histogram::merge(const Histogram& other) {
  if (counts_.size() < other.counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double fraction) const {
  if (count_ == 0) return 0;
  if (!(fraction > 0)) return min_;
  if (fraction >= 1) return max_;
  const double wanted = fraction * static_cast<double>(count_) * (1 - kRankSlack);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(wanted)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return std::clamp(middle_of(bucket), min_, max_);
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> filled;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket)
    if (counts_[bucket] > 0) filled.emplace_back(lower_bound_of(bucket), counts_[bucket]);
  return filled;
}

Result<Histogram> Histogram::from_buckets(std::span<const Bucket> buckets, std::uint64_t min,
                                          std::uint64_t max, double sum) {
  Histogram histogram;
  if (buckets.empty()) return histogram;
  std::uint64_t next = 0;
  for (const auto& [low, count] : buckets) {
    const std::size_t bucket = bucket_of(low);
    if (low < next || lower_bound_of(bucket) != low)
      return not_a_histogram("a bucket is out of order or does not exist");
    if (count == 0 || count > kCountMax - histogram.count_)
      return not_a_histogram("a bucket's count is zero or too large");
    histogram.counts_.resize(bucket + 1);
    histogram.counts_[bucket] = count;
    histogram.count_ += count;
    next = low + 1;
  }
  if (bucket_of(min) != bucket_of(buckets.front().first) ||
      bucket_of(max) + 1 != histogram.counts_.size() || min > max)
    return not_a_histogram("min or max lies outside its bucket");
  // The sum went through a double, so rounding is allowed for.
  const double count = static_cast<double>(histogram.count_);
  const double slack = 1 + 1e-9;
  if (!(sum * slack >= static_cast<double>(min) * count &&
        sum <= static_cast<double>(max) * count * slack))
    return not_a_histogram("the sum does not fit the values");
  histogram.min_ = min;
  histogram.max_ = max;
  histogram.sum_ = static_cast<Uint128>(sum);
  return histogram;
}

}  // namespace feedrate

#include "feedrate/stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

// Returns values of all magnitudes.
std::vector<std::uint64_t> wide_values(std::uint64_t seed, std::size_t count) {
  RandomStream random(seed);
  std::vector<std::uint64_t> values(count);
  for (std::uint64_t& value : values) value = random.next() >> random.below(64);
  return values;
}

Histogram histogram_of(const std::vector<std::uint64_t>& values) {
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.record(value);
  return histogram;
}

TEST(Histogram, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, OneValueIsEveryQuantile) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{127}, std::uint64_t{128},
        std::uint64_t{1'000'000'007}, kMax - 1, kMax}) {
    Histogram histogram;
    histogram.record(value);
    for (const double fraction : {-1.0, 0.0, 0.001, 0.5, 1.0, 2.0, std::nan("")})
      EXPECT_EQ(histogram.quantile(fraction), value);
    EXPECT_EQ(histogram.min(), value);
    EXPECT_EQ(histogram.max(), value);
    EXPECT_EQ(histogram.sum(), static_cast<double>(value));
  }
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  for (std::uint64_t percent = 1; percent <= 100; ++percent)
    EXPECT_EQ(histogram.quantile(static_cast<double>(percent) / 100), percent);
  EXPECT_EQ(histogram.quantile(0.001), 1U);
  EXPECT_EQ(histogram.quantile(0.991), 100U);
  EXPECT_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, QuantilesAreWithinOnePercent) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto values = wide_values(seed, 1 + seed * 37);
    const Histogram histogram = histogram_of(values);
    std::sort(values.begin(), values.end());
    for (const double fraction : {0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const double wanted = std::ceil(fraction * static_cast<double>(values.size()) - 1e-9);
      const auto rank = static_cast<std::size_t>(std::max(wanted, 1.0)) - 1;
      const double exact = static_cast<double>(values[rank]);
      EXPECT_NEAR(static_cast<double>(histogram.quantile(fraction)), exact, exact / 128) << seed;
    }
    EXPECT_EQ(histogram.min(), values.front());
    EXPECT_EQ(histogram.max(), values.back());
  }
}

TEST(Histogram, BucketsAreNarrow) {
  RandomStream random(2);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t value = random.next() >> random.below(64);
    Histogram histogram;
    histogram.record(value);
    const auto [low, count] = histogram.buckets().at(0);
    ASSERT_EQ(count, 1U);
    ASSERT_LE(low, value);
    ASSERT_LE(value - low, low / 64);
  }
}

TEST(Histogram, MergingIsExactInAnyOrder) {
  const auto a = wide_values(1, 500);
  const auto b = wide_values(2, 50);
  const auto c = wide_values(3, 5);
  std::vector<std::uint64_t> all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  const Histogram expected = histogram_of(all);

  Histogram left = histogram_of(a);  // (a + b) + c
  left.merge(histogram_of(b));
  left.merge(histogram_of(c));
  Histogram tail = histogram_of(c);  // (c + b) + a
  tail.merge(histogram_of(b));
  tail.merge(histogram_of(a));
  Histogram with_nothing = left;
  with_nothing.merge(Histogram());
  Histogram from_nothing;
  from_nothing.merge(left);
  EXPECT_EQ(left, expected);
  EXPECT_EQ(tail, expected);
  EXPECT_EQ(with_nothing, expected);
  EXPECT_EQ(from_nothing, expected);
}

TEST(Histogram, BucketsRoundTrip) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto values = wide_values(seed, seed * 11);
    for (std::uint64_t& value : values) value >>= 20U;  // the sum must fit a double exactly
    const Histogram histogram = histogram_of(values);
    const auto again = Histogram::from_buckets(histogram.buckets(), histogram.min(),
                                               histogram.max(), histogram.sum());
    ASSERT_TRUE(again.has_value()) << again.error().render();
    EXPECT_EQ(*again, histogram);
  }
}

TEST(Histogram, ForeignBucketsAreRefused) {
  const std::vector<Histogram::Bucket> good = {{1, 2}, {100, 1}, {1024, 3}};
  const double sum = 2 + 100 + 3 * 1024;
  EXPECT_TRUE(Histogram::from_buckets(good, 1, 1024, sum).has_value());
  const auto refused = [](std::vector<Histogram::Bucket> buckets, std::uint64_t min,
                          std::uint64_t max, double all) {
    const auto result = Histogram::from_buckets(buckets, min, max, all);
    return result ? "no error" : result.error().render();
  };
  const auto error = [](const std::string& why) {
    return "error: histogram: " + why +
           "\nhint:  the file was changed, or is not of this version\n";
  };
  const std::string place = error("a bucket is out of order or does not exist");
  const std::string count = error("a bucket's count is zero or too large");
  const std::string ends = error("min or max lies outside its bucket");
  const std::string total = error("the sum does not fit the values");
  EXPECT_EQ(refused({{100, 1}, {1, 2}}, 1, 100, 102), place);
  EXPECT_EQ(refused({{100, 1}, {100, 2}}, 100, 100, 300), place);
  EXPECT_EQ(refused({{1, 2}, {1025, 3}}, 1, 1025, 3077), place);  // no lower bound of ours
  EXPECT_EQ(refused({{1, 0}}, 1, 1, 0), count);
  EXPECT_EQ(refused({{1, kMax}, {2, kMax}}, 1, 2, 1e20), count);
  EXPECT_EQ(refused(good, 2, 1024, sum), ends);
  EXPECT_EQ(refused(good, 1, 2048, sum), ends);
  EXPECT_EQ(refused(good, 1, 1024, 1), total);
  EXPECT_EQ(refused(good, 1, 1024, std::nan("")), total);
  EXPECT_EQ(refused(good, 1, 1024, std::numeric_limits<double>::infinity()), total);
}

TEST(HistogramSpeed, RecordIsNanoseconds) {
  constexpr int kCalls = 5'000'000;
  RandomStream random(1);
  std::vector<std::uint64_t> values(4096);
  for (std::uint64_t& value : values) value = 50'000 + random.below(5'000'000);
  Histogram histogram;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) histogram.record(values[static_cast<unsigned>(i) % 4096]);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - begin;
  std::printf("record %.2f ns\n", elapsed.count() / kCalls);
  EXPECT_EQ(histogram.count(), static_cast<std::uint64_t>(kCalls));
  EXPECT_LT(elapsed.count() / kCalls, 500);
}

}  // namespace
}  // namespace feedrate

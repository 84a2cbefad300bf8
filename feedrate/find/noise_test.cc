#include "feedrate/find/noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

std::vector<double> white(std::size_t count, double deviation, std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(1 + deviation * random.normal());
  return values;
}

// The series is x = 1 + phi (x - 1) + e: a mean of T intervals has variance sigma^2 / (1 - phi)^2 /
// T for large T.
std::vector<double> correlated(std::size_t count, double phi, double deviation,
                               std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<double> values;
  double off = 0;
  for (std::size_t i = 0; i < count; ++i) {
    off = phi * off + deviation * random.normal();
    values.push_back(1 + off);
  }
  return values;
}

TEST(Noise, OfIndependentValuesIsVarianceTimesInterval) {
  constexpr double kInterval = 0.02, kDeviation = 0.1;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Noise noise;
    noise.add(white(20'000, kDeviation, seed), kInterval, 0);
    // The largest of three estimates from a few blocks is somewhat above the truth as a rule.
    const double right = kDeviation * kDeviation * kInterval;
    EXPECT_GT(noise.constant(), 0.5 * right) << seed;
    EXPECT_LT(noise.constant(), 4 * right) << seed;
  }
}

TEST(Noise, OfManyTrialsIsExact) {
  constexpr double kInterval = 0.02, kDeviation = 0.1;
  Noise noise;
  for (std::uint64_t trial = 1; trial <= 200; ++trial)
    noise.add(white(64, kDeviation, trial), kInterval, 0);
  EXPECT_NEAR(noise.constant() / (kDeviation * kDeviation * kInterval), 1, 0.15);
  EXPECT_LE(noise.correlation_seconds(), 4 * kInterval);
  EXPECT_NEAR(noise.standard_error(4), std::sqrt(noise.constant() / 4), 1e-12);
}

TEST(Noise, OfACorrelatedSeriesIsItsLongRunVariance) {
  constexpr double kInterval = 0.02, kPhi = 0.9, kDeviation = 0.02;
  const double right = std::pow(kDeviation / (1 - kPhi), 2) * kInterval;
  Noise noise;
  for (std::uint64_t trial = 1; trial <= 100; ++trial)
    noise.add(correlated(1024, kPhi, kDeviation, trial), kInterval, 0);
  EXPECT_NEAR(noise.constant() / right, 1, 0.4);
  // The variance of single values alone would say ten times too little.
  const double naive = kDeviation * kDeviation / (1 - kPhi * kPhi) * kInterval;
  EXPECT_GT(noise.constant(), 5 * naive);
  // The time constant is 1 / -ln(0.9) = 9.5 intervals.
  EXPECT_GT(noise.correlation_seconds(), 4 * kInterval);
  EXPECT_LT(noise.correlation_seconds(), 40 * kInterval);
}

TEST(Noise, OfEqualValuesIsNone) {
  Noise noise;
  noise.add(std::vector<double>(256, 7.0), 0.02, 0);
  EXPECT_EQ(noise.constant(), 0);
  EXPECT_EQ(noise.standard_error(1), 0);
}

TEST(Noise, IsUnknownUntilEnoughWasSeen) {
  Noise noise;
  EXPECT_TRUE(std::isinf(noise.constant()));
  EXPECT_TRUE(std::isinf(noise.standard_error(1)));
  EXPECT_EQ(noise.correlation_seconds(), 0);
  noise.add(white(3, 0.1, 1), 0.02, 0);               // too few
  noise.add(std::vector<double>(100, 0.0), 0.02, 0);  // nothing was read
  noise.add(white(100, 0.1, 1), 0.02, 1000);          // no block is long enough
  EXPECT_TRUE(std::isinf(noise.constant()));
  noise.add(white(100, 0.1, 1), 0.02, 0);
  EXPECT_TRUE(std::isfinite(noise.constant()));
}

TEST(Noise, OnlyTheRatioToTheMeanMatters) {
  std::vector<double> values = white(1000, 0.1, 1);
  Noise one, thousand;
  one.add(values, 0.02, 0);
  for (double& value : values) value *= 1000;
  thousand.add(values, 0.02, 0);
  EXPECT_NEAR(thousand.constant() / one.constant(), 1, 1e-9);
}

TEST(SequenceWidth, IsWiderThanANormalIntervalAndGrowsSlowlyBeyondItsNarrowest) {
  constexpr double kAlpha = 0.05;
  double least = 1e9;
  double narrowest = 0;
  for (double batches = 1; batches <= 1e6; batches *= 1.25) {
    const double width = sequence_width(batches, 16, kAlpha);
    EXPECT_GT(width, 2.2) << batches;
    if (width < least) narrowest = batches;
    least = std::min(least, width);
  }
  EXPECT_GT(narrowest, 4);
  EXPECT_LT(narrowest, 64);
  EXPECT_GT(sequence_width(1, 16, kAlpha), 1.3 * least);
  EXPECT_LT(sequence_width(1e6, 16, kAlpha), 2 * least);
  EXPECT_GT(sequence_width(100, 16, 0.01), sequence_width(100, 16, 0.05));
}

TEST(Noise, OfTwoIsWhatBothSaw) {
  RandomStream random(1);
  std::vector<double> values(4000);
  for (double& value : values) value = 1 + 0.1 * random.normal();
  Noise all, first, second;
  all.add(std::span(values).first(2000), 0.01, 0);
  all.add(std::span(values).last(2000), 0.01, 0);
  first.add(std::span(values).first(2000), 0.01, 0);
  second.add(std::span(values).last(2000), 0.01, 0);
  EXPECT_NE(first.constant(), all.constant());
  first.add(second);
  EXPECT_DOUBLE_EQ(first.constant(), all.constant());
  EXPECT_DOUBLE_EQ(first.correlation_seconds(), all.correlation_seconds());
}

// This is what the sequence is for: a mean of nothing but noise, looked at after every batch,
// leaves it in few of many series, while it leaves the normal interval in most.
TEST(SequenceWidth, HoldsHoweverOftenItIsLookedAt) {
  constexpr int kSeries = 400, kBatches = 1000;
  int left = 0, left_normal = 0;
  for (int series = 0; series < kSeries; ++series) {
    RandomStream random(static_cast<std::uint64_t>(series) + 1);
    double sum = 0;
    bool out = false, out_normal = false;
    for (int batch = 1; batch <= kBatches; ++batch) {
      sum += random.normal();
      const double off = std::abs(sum) / std::sqrt(batch);
      out = out || off > sequence_width(batch, 16, 0.05);
      out_normal = out_normal || off > 1.96;
    }
    left += out ? 1 : 0;
    left_normal += out_normal ? 1 : 0;
  }
  EXPECT_LE(left, kSeries / 20);
  EXPECT_GE(left_normal, kSeries / 3);
}

}  // namespace
}  // namespace feedrate

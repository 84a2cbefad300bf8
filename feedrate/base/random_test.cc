#include "feedrate/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace feedrate {
namespace {

// The figures are fixed: a change of the generator changes every published run and must be noticed.
TEST(RandomStream, GivesTheSameValuesForEver) {
  RandomStream splitmix(0);  // the first outputs of SplitMix64 for seed 0
  EXPECT_EQ(splitmix.next(), 0xE220A8397B1DCDAFULL);
  EXPECT_EQ(splitmix.next(), 0x6E789E6AA1B965F4ULL);
  EXPECT_EQ(splitmix.next(), 0x06C45D188009454FULL);
}

TEST(RandomStream, PurposeAndIndexNameIndependentStreams) {
  std::set<std::uint64_t> first_values;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (std::uint64_t purpose = 1; purpose <= 6; ++purpose)
      for (std::uint64_t index = 0; index < 50; ++index)
        first_values.insert(RandomStream(seed, static_cast<SeedPurpose>(purpose), index).next());
  EXPECT_EQ(first_values.size(), 20U * 6U * 50U);
  EXPECT_NE(combine_seeds(1, 2), combine_seeds(2, 1));
  EXPECT_EQ(RandomStream(5, SeedPurpose::kContent, 9).next(),
            RandomStream(5, SeedPurpose::kContent, 9).next());
}

TEST(RandomStream, BelowStaysBelowAndIsEven) {
  RandomStream random(11);
  std::array<int, 7> seen{};
  for (int draw = 0; draw < 70'000; ++draw) ++seen.at(random.below(7));
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);
  for (int draw = 0; draw < 100; ++draw) EXPECT_EQ(random.below(1), 0U);
  for (int draw = 0; draw < 1000; ++draw) EXPECT_LT(random.below(1ULL << 63U), 1ULL << 63U);
}

TEST(RandomStream, UniformLiesInTheHalfOpenUnitInterval) {
  RandomStream random(12);
  double sum = 0;
  for (int draw = 0; draw < 100'000; ++draw) {
    const double value = random.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

TEST(RandomStream, ExponentialAndNormalHaveTheirMoments) {
  RandomStream random(13);
  double exponential = 0, normal = 0, squares = 0;
  constexpr int kDraws = 200'000;
  for (int draw = 0; draw < kDraws; ++draw) {
    const double gap = random.exponential();
    ASSERT_TRUE(std::isfinite(gap) && gap >= 0);
    exponential += gap;
    const double value = random.normal();
    ASSERT_TRUE(std::isfinite(value));
    normal += value;
    squares += value * value;
  }
  EXPECT_NEAR(exponential / kDraws, 1, 0.01);
  EXPECT_NEAR(normal / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

TEST(NormalQuantile, AgreesWithTheDistributionFunction) {
  // phi(x) = erfc(-x / sqrt 2) / 2 is exact to double precision in the C library.
  for (double p = 1e-12; p < 0.5; p *= 1.31) {
    const double x = normal_quantile(p);
    const double slope = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    const double error = (std::erfc(-x / std::numbers::sqrt2) / 2 - p) / slope;
    EXPECT_LT(std::abs(error), 1.3e-9 * std::max(1.0, std::abs(x))) << "p = " << p;
    EXPECT_NEAR(normal_quantile(1 - p), -x, p > 1e-6 ? 1e-8 : 1e-3) << "p = " << p;
  }
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.99), 2.3263478740408408, 3e-9);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 3e-9);
}

}  // namespace
}  // namespace feedrate

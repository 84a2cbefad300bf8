#include "feedrate/stats/confidence.h"

#include <gtest/gtest.h>

#include <vector>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

TEST(Confidence, TooFewBatchesSayNothing) {
  EXPECT_FALSE(batch_means({}).bounded());
  const double one[] = {3};
  EXPECT_FALSE(batch_means(one).bounded());
  EXPECT_EQ(batch_means(one).mean, 3);
}

TEST(Confidence, WorkedExample) {
  const double means[] = {0.90, 0.92, 0.94, 0.96};  // s = 0.02582, t(3) = 3.182
  const ConfidenceInterval interval = batch_means(means);
  EXPECT_TRUE(interval.bounded());
  EXPECT_NEAR(interval.mean, 0.93, 1e-12);
  EXPECT_NEAR(interval.half_width, 3.182 * 0.0258199 / 2, 1e-6);
}

TEST(Confidence, EqualBatchesLeaveNoDoubt) {
  const double means[] = {0.5, 0.5, 0.5};
  EXPECT_EQ(batch_means(means).half_width, 0);
}

TEST(Confidence, StudentFollowsTheTableAndGoesOnSmoothly) {
  EXPECT_FALSE(std::isfinite(student_t_95(0)));
  EXPECT_EQ(student_t_95(1), 12.706);
  EXPECT_EQ(student_t_95(30), 2.042);
  EXPECT_NEAR(student_t_95(31), 2.040, 0.0006);  // the published values
  EXPECT_NEAR(student_t_95(40), 2.021, 0.0006);
  EXPECT_NEAR(student_t_95(60), 2.000, 0.0006);
  EXPECT_NEAR(student_t_95(100), 1.984, 0.0006);
  EXPECT_NEAR(student_t_95(1'000'000), 1.960, 0.0006);
  for (std::size_t freedom = 1; freedom < 200; ++freedom)
    EXPECT_GT(student_t_95(freedom), student_t_95(freedom + 1));
}

// 95 % of many intervals of normal batches must hold the true mean.
TEST(Confidence, CoverageIsWhatItSays) {
  RandomStream random(17);
  for (const std::size_t batches : {3U, 8U, 40U}) {
    constexpr int kTrials = 20'000;
    int covered = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<double> means(batches);
      for (double& mean : means) mean = 0.9 + 0.01 * random.normal();
      const ConfidenceInterval interval = batch_means(means);
      covered += std::abs(interval.mean - 0.9) <= interval.half_width ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(covered) / kTrials, 0.95, 0.008) << batches;
  }
}

}  // namespace
}  // namespace feedrate

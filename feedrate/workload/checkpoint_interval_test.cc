// Tests the interval of checkpoints against what it must be: the best one, and its limits.
#include "feedrate/workload/checkpoint_interval.h"

#include <gtest/gtest.h>

#include <cmath>

namespace feedrate {
namespace {

TEST(CheckpointInterval, DalysIntervalIsTheBestOne) {
  // The interval is Young's first term where a checkpoint costs little, and the time between
  // failures where it costs twice that.
  EXPECT_NEAR(daly_interval(Seconds(2e8), Seconds(1)).value() / 2e4, 1, 1e-4);
  EXPECT_EQ(daly_interval(Seconds(100), Seconds(200)), Seconds(100));
  for (const double cost : {1.0, 30.0, 300.0}) {
    const Seconds mtbf(3600), best = daly_interval(mtbf, Seconds(cost));
    const Count goodput = daly_goodput(mtbf, best, Seconds(cost), Seconds(60));
    for (const double factor : {0.8, 1.25}) {
      const Count other = daly_goodput(mtbf, best * Count(factor), Seconds(cost), Seconds(60));
      EXPECT_LT(other, goodput) << cost << " " << factor;
    }
  }
}

TEST(CheckpointInterval, OneThatCostsNothingHasTheGoodputOfItsLimit) {
  const Seconds mtbf(3600), none(0);
  EXPECT_EQ(daly_interval(mtbf, none), none);
  EXPECT_NEAR(daly_goodput(mtbf, none, none, Seconds(60)).value(), std::exp(-60.0 / 3600), 1e-12);
  EXPECT_NEAR(daly_goodput(mtbf, Seconds(1e-3), none, Seconds(60)).value(),
              daly_goodput(mtbf, none, none, Seconds(60)).value(), 1e-6);
  EXPECT_EQ(daly_goodput(mtbf, none, Seconds(1), Seconds(60)), Count(0)) << "no training at all";
}

}  // namespace
}  // namespace feedrate

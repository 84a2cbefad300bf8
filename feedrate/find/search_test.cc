#include "feedrate/find/search.h"

#include <gtest/gtest.h>

#include <vector>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

// A storage whose rate is known to 1.4 % once it was measured for 1 s.
Noise some_noise() {
  Noise noise;
  for (std::uint64_t trial = 1; trial <= 50; ++trial) {
    RandomStream random(trial);
    std::vector<double> values;
    for (int i = 0; i < 256; ++i) values.push_back(1 + 0.1 * random.normal());
    noise.add(values, 0.02, 0);
  }
  return noise;
}

class CurveTest : public testing::Test {
 protected:
  void look(std::uint32_t replicas, double value, double seconds, double at = 1) {
    curve.add(replicas, {.at = at, .seconds = seconds, .value = value});
  }
  Noise noise = some_noise();
  Curve curve{0.9, noise};
};

TEST_F(CurveTest, WhatIsClearIsFedOrStarves) {
  look(10, 0.98, 10);
  look(12, 0.84, 10);
  EXPECT_EQ(curve.verdict(10), Verdict::kFed);
  EXPECT_EQ(curve.verdict(12), Verdict::kStarve);
  EXPECT_EQ(curve.fed(), 10U);
  EXPECT_EQ(curve.starving(), 12U);
  EXPECT_FALSE(curve.contradicts_itself());
  EXPECT_EQ(curve.verdict(11), Verdict::kOpen) << "nobody looked";
}

TEST_F(CurveTest, WhatIsNearTheThresholdIsOpenUntilItWasSeenForLong) {
  look(10, 0.91, 1);
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  EXPECT_EQ(curve.fed(), 0U);
  EXPECT_EQ(curve.starving(), std::nullopt);
  look(10, 0.91, 100);
  EXPECT_EQ(curve.verdict(10), Verdict::kFed);
}

TEST_F(CurveTest, TheLastLookIsJudgedAsOneThatIsNotRepeated) {
  // It is 0.04 off after 1.5 s, where a standard error is 0.011: enough for one look, but not for
  // many.
  look(10, 0.93, 1.5);
  ASSERT_EQ(curve.verdict(10), Verdict::kOpen);
  curve.look_last();
  EXPECT_EQ(curve.verdict(10), Verdict::kFed);
}

TEST_F(CurveTest, AtTheThresholdToATwentiethOfAPointIsTheEdge) {
  look(10, 0.9, 20);
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  look(10, 0.9, 20'000);
  EXPECT_EQ(curve.verdict(10), Verdict::kEdge);
  EXPECT_EQ(curve.fed(), 0U);
  EXPECT_EQ(curve.starving(), std::nullopt);
}

TEST_F(CurveTest, NothingIsDecidedByATrialThatMeasuredNothing) {
  look(10, 0, 0);
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  EXPECT_EQ(curve.half_width(10), 1) << "nothing is known of it";
}

TEST_F(CurveTest, NothingIsDecidedBeforeNoiseIsKnown) {
  const Noise unknown;
  Curve blind(0.9, unknown);
  blind.add(10, {.at = 1, .seconds = 10, .value = 0.2});
  EXPECT_EQ(blind.verdict(10), Verdict::kOpen);
}

TEST_F(CurveTest, WithoutAStepThereIsOnlyAnUpperBound) {
  curve.add(10, {.at = 1, .seconds = 5, .value = 1, .of_steps = false});
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen) << "at most 100 % does not feed";
  curve.add(11, {.at = 1, .seconds = 5, .value = 0.4, .of_steps = false});
  EXPECT_EQ(curve.verdict(11), Verdict::kStarve);
}

TEST_F(CurveTest, AStockThatStillGrewIsNotHeldAgainstTheStorage) {
  curve.add(10, {.at = 1, .seconds = 100, .value = 0.8, .more = 0.15});
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  curve.add(11, {.at = 1, .seconds = 100, .value = 0.8, .more = 0.02});
  EXPECT_EQ(curve.verdict(11), Verdict::kStarve);
}

TEST_F(CurveTest, StepsThatWereAllLateKnowTheirOwnNoise) {
  look(10, 0.88, 1);
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  curve.add(11, {.at = 1, .seconds = 1, .value = 0.88, .own_constant = 1e-7, .own_freedom = 20});
  EXPECT_EQ(curve.verdict(11), Verdict::kStarve);
  EXPECT_LT(curve.estimate(11).starving_error, curve.estimate(11).error);
  // The reported half width must be the one that decided the number.
  EXPECT_LT(0.88 + curve.half_width(11), 0.9);
  EXPECT_GT(0.88 + curve.half_width(10), 0.9);
}

// Nine seconds that one read took, once, say nothing of how often such reads come.
TEST_F(CurveTest, OneLongWaitDoesNotStarve) {
  curve.add(10, {.at = 1, .seconds = 10, .value = 0.1, .one_wait = 8.9});
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  EXPECT_FALSE(curve.capacity().has_value()) << "it is no rate";
  for (int look = 0; look < 3; ++look)
    curve.add(11, {.at = 1, .seconds = 10, .value = 0.1, .one_wait = 8.9});
  EXPECT_EQ(curve.verdict(11), Verdict::kStarve) << "it comes again and again";
}

TEST_F(CurveTest, ALookIsNoShorterThanTheLongestReads) {
  look(10, 0.99, 5);
  EXPECT_EQ(curve.verdict(10), Verdict::kFed);
  curve.reads_take(6);
  EXPECT_EQ(curve.verdict(10), Verdict::kOpen);
  EXPECT_GE(curve.shortest_look(), 6);
}

TEST_F(CurveTest, FedAboveWhatStarvesIsNotOneCurve) {
  look(10, 0.8, 50);
  look(12, 0.99, 50);
  EXPECT_TRUE(curve.contradicts_itself());
}

TEST_F(CurveTest, WhatStarvesTellsWhatTheStorageFeeds) {
  look(20, 0.8, 50);
  look(32, 0.5, 50);
  const auto capacity = curve.capacity();
  ASSERT_TRUE(capacity.has_value());
  EXPECT_NEAR(capacity->fed, 16, 1e-9);
  EXPECT_NEAR(capacity->seconds, 100, 1e-9);
  EXPECT_NEAR(curve.crossing(1), 16 / 0.9, 1e-9);
  EXPECT_NEAR(curve.predicted(40, 16 / 0.9), 0.4, 1e-9);
  EXPECT_EQ(curve.predicted(10, 16 / 0.9), 1);
  EXPECT_FALSE(curve.limited_otherwise());
}

TEST_F(CurveTest, WhatStarvesAlikeAtEveryNumberIsNotTheStoragesRate) {
  look(10, 0.8, 50);
  look(20, 0.8, 50);
  EXPECT_FALSE(curve.capacity().has_value());
  EXPECT_TRUE(curve.limited_otherwise());
  EXPECT_EQ(curve.below_threshold(), (std::pair<std::uint32_t, std::uint32_t>(2, 10)));
}

TEST_F(CurveTest, AFewLooksAreDecidedByAllOfThem) {
  look(19, 0.88, 2);  // 16.7 fed: alone it says nothing yet
  ASSERT_EQ(curve.verdict(19), Verdict::kOpen);
  look(25, 0.66, 300);
  look(30, 0.55, 300);
  EXPECT_EQ(curve.verdict(19), Verdict::kStarve);
}

TEST_F(CurveTest, TwoTimesThatDifferSayThatTheStorageChanged) {
  look(10, 0.95, 20, 10);
  EXPECT_FALSE(curve.changed(10, 0.01));
  EXPECT_EQ(curve.apart(10), 0);
  look(10, 0.952, 20, 50);
  EXPECT_FALSE(curve.changed(10, 0.01));
  EXPECT_EQ(curve.apart(10), 40);
  look(11, 0.95, 20, 10);
  look(11, 0.80, 20, 50);
  EXPECT_TRUE(curve.changed(11, 0.01));
  EXPECT_NEAR(curve.halves(11).first, 0.80, 1e-9);
  EXPECT_NEAR(curve.halves(11).second, 0.95, 1e-9);
  EXPECT_FALSE(curve.changed(12, 0.01)) << "nobody looked";
  // The storage did not change either where the stock still grew at the first of the two looks.
  curve.add(13, {.at = 10, .seconds = 20, .value = 0.80, .more = 0.14});
  look(13, 0.95, 20, 50);
  EXPECT_FALSE(curve.changed(13, 0.01));
  // The same holds where one of them was reckoned from a part of an epoch, which is less sure than
  // its noise.
  curve.add(14, {.at = 10, .seconds = 20, .value = 0.80, .reckoned = 0.06});
  look(14, 0.95, 20, 50);
  EXPECT_FALSE(curve.changed(14, 0.01));
}

TEST_F(CurveTest, OtherSettingsForgetWhatWasNotFed) {
  look(8, 0.99, 20);
  look(9, 0.905, 1);
  look(12, 0.7, 20);
  const Curve before = curve;
  curve.forget_from(12);
  EXPECT_EQ(curve.looks().size(), 1U);
  EXPECT_EQ(curve.fed(), 8U);
  curve.take_from(before);
  EXPECT_EQ(curve.looks().size(), 3U);
}

TEST_F(CurveTest, DecidingTakesLongerTheNearerTheThresholdIs) {
  EXPECT_GT(curve.seconds_to_decide(0.91), 10 * curve.seconds_to_decide(0.99));
  EXPECT_NEAR(curve.seconds_to_decide(0.9) / curve.seconds_to_decide(0.902), 1, 0.01);
  // The named time must be enough to decide.
  for (const double value : {0.8, 0.88, 0.91, 0.95}) {
    Curve fresh(0.9, noise);
    fresh.add(10, {.at = 1, .seconds = 1.05 * fresh.seconds_to_decide(value), .value = value});
    EXPECT_EQ(fresh.verdict(10), value < 0.9 ? Verdict::kStarve : Verdict::kFed) << value;
  }
}

}  // namespace
}  // namespace feedrate

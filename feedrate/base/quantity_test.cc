#include "feedrate/base/quantity.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace feedrate {
namespace {

// The units of a formula are checked when it compiles.
static_assert(std::is_same_v<decltype(Bytes(1) / Seconds(1)), BytesPerSecond>);
static_assert(std::is_same_v<decltype(BytesPerSecond(1) * Seconds(1)), Bytes>);
static_assert(std::is_same_v<decltype(Bytes(1) / BytesPerSecond(1)), Seconds>);
static_assert(std::is_same_v<decltype(Count(1) / Seconds(1)), PerSecond>);
static_assert(std::is_same_v<decltype(PerSecond(1) * Bytes(1)), BytesPerSecond>);
static_assert(std::is_same_v<decltype(MoneyPerSecond(1) * Seconds(1)), Money>);
static_assert(!std::is_convertible_v<double, Bytes>);
static_assert(!std::is_convertible_v<Bytes, Seconds>);
static_assert(!std::is_constructible_v<Seconds, Bytes>);

TEST(Quantity, ComputesAndCompares) {
  const BytesPerSecond demand = Count(400) * Bytes(114660.07) / Seconds(0.224);
  EXPECT_NEAR(demand.value(), 204.75e6, 1e4);
  EXPECT_LT(Bytes(1) + Bytes(2), Bytes(4));
  EXPECT_EQ(Bytes(5) - Bytes(2), Bytes(3));
  EXPECT_EQ(root(Seconds(8) * Seconds(2)), Seconds(4));
  EXPECT_EQ(hours(2), Seconds(7200));
}

TEST(Quantity, WholeCountsForgiveTheLastBit) {
  EXPECT_EQ(whole(Count(7) / Count(0.7)), Count(10));
  EXPECT_EQ(whole(Count(10.001)), Count(11));
  EXPECT_EQ(whole(Count(0)), Count(0));
}

}  // namespace
}  // namespace feedrate

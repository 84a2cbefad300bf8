#include "feedrate/stats/time_series.h"

#include <gtest/gtest.h>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kOrigin{seconds(1000)};

TEST(TimeSeries, AddGoesToItsInterval) {
  TimeSeries series(kOrigin, seconds(1));
  EXPECT_TRUE(series.values().empty());
  series.add(kOrigin, 1);
  series.add(kOrigin + milliseconds(999), 2);
  series.add(kOrigin + seconds(1), 4);
  series.add(kOrigin + milliseconds(3500), 8);
  series.add(kOrigin - seconds(5), 16);  // before the origin
  EXPECT_EQ(series.values(), (std::vector<double>{19, 4, 0, 8}));
  EXPECT_EQ(series.total(), 31);
}

TEST(TimeSeries, IntervalsAreSpreadByTheirShare) {
  TimeSeries series(kOrigin, seconds(1));
  series.add_interval(kOrigin + milliseconds(500), kOrigin + milliseconds(2250));
  EXPECT_EQ(series.values(), (std::vector<double>{0.5, 1, 0.25}));
  series.add_interval(kOrigin + seconds(1), kOrigin + seconds(2), 10);
  EXPECT_EQ(series.values(), (std::vector<double>{0.5, 11, 0.25}));
  series.add_interval(kOrigin + seconds(2), kOrigin + seconds(3));  // adds no fourth interval
  series.add_interval(kOrigin + seconds(9), kOrigin + seconds(9));
  series.add_interval(kOrigin + seconds(9), kOrigin + seconds(8));
  EXPECT_EQ(series.values(), (std::vector<double>{0.5, 11, 1.25}));
  series.add_interval(kOrigin - seconds(2), kOrigin + milliseconds(1500));
  EXPECT_EQ(series.values(), (std::vector<double>{3.5, 11.5, 1.25}));
}

TEST(TimeSeries, MemoryIsBoundedAndNothingIsLost) {
  TimeSeries series(kOrigin, seconds(1));
  for (int i = 0; i < 100'000; ++i) series.add(kOrigin + seconds(i), 1);
  EXPECT_LE(series.values().size(), TimeSeries::kIntervalsMax);
  EXPECT_EQ(series.width(), seconds(32));
  EXPECT_EQ(series.total(), 100'000);
  EXPECT_EQ(series.values().front(), 32);
  series.add_interval(kOrigin, kOrigin + seconds(1'000'000));
  EXPECT_EQ(series.width(), seconds(256));
  EXPECT_EQ(series.total(), 1'100'000);
  series.add(kOrigin + std::chrono::hours(1'000'000), 1);  // 114 years
  EXPECT_LE(series.values().size(), TimeSeries::kIntervalsMax);
  EXPECT_EQ(series.total(), 1'100'001);
}

// Each amount that is added is a multiple of 1/1024 s, so that the sums are exact.
TimeSeries random_series(std::uint64_t seed, std::int64_t length_seconds) {
  RandomStream random(seed);
  TimeSeries series(kOrigin, seconds(1));
  const auto instant = [&] {
    const auto tick = random.below(static_cast<std::uint64_t>(length_seconds) * 512);
    return kOrigin + Duration(static_cast<std::int64_t>(tick) * 1'953'125);
  };
  for (int i = 0; i < 200; ++i) {
    series.add(instant(), static_cast<double>(random.below(100)));
    const Instant a = instant();
    const Instant b = instant();
    series.add_interval(std::min(a, b), std::max(a, b));
  }
  return series;
}

void expect_same(const TimeSeries& a, const TimeSeries& b) {
  EXPECT_EQ(a.width(), b.width());
  ASSERT_EQ(a.values().size(), b.values().size());
  for (std::size_t i = 0; i < a.values().size(); ++i)
    EXPECT_NEAR(a.values()[i], b.values()[i], 1e-9 * (1 + a.values()[i])) << i;
}

TEST(TimeSeries, MergingIsAssociativeWhateverTheWidths) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const TimeSeries a = random_series(seed, 100);
    const TimeSeries b = random_series(seed + 100, 5'000);
    const TimeSeries c = random_series(seed + 200, 40'000);
    TimeSeries left = a;
    left.merge(b);
    left.merge(c);
    TimeSeries right = c;
    right.merge(b);
    right.merge(a);
    expect_same(left, right);
    EXPECT_NEAR(left.total(), a.total() + b.total() + c.total(), 1e-9 * left.total());
  }
}

}  // namespace
}  // namespace feedrate

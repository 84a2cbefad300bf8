#include "feedrate/stats/transient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

TEST(Transient, IsWhatDiffersAtTheBeginning) {
  std::vector<double> values(15, 1.0);
  for (int i = 0; i < 85; ++i) values.push_back(1.2);
  EXPECT_EQ(transient_length(values), 15U);
}

TEST(Transient, NothingIsLeftOutOfWhatIsEqual) {
  EXPECT_EQ(transient_length(std::vector<double>(100, 0.224)), 0U);
}

TEST(Transient, IsNeverMoreThanHalf) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i < 80 ? 100 - i : 20);
  EXPECT_LE(transient_length(values), 50U);
  EXPECT_GE(transient_length(values), 40U);
}

TEST(Transient, OfFewerThanTwentyValuesCannotBeTold) {
  std::vector<double> values(19, 1.0);
  values.front() = 50;
  EXPECT_EQ(transient_length(values), 0U);
  EXPECT_EQ(transient_length({}), 0U);
}

// Plain MSER cuts more than a tenth off 28 of these series, and what it leaves is the calmer part.
TEST(Transient, OfNoiseThatStaysAsItIsThereIsSeldomAny) {
  constexpr double kAgain = 0.98;
  int cut = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RandomStream random(seed);
    std::vector<double> values;
    double state = 0;
    for (int i = 0; i < 8000; ++i) {
      state = kAgain * state + std::sqrt(1 - kAgain * kAgain) * random.normal();
      values.push_back(std::exp(state));
    }
    cut += transient_length(values) > values.size() / 10 ? 1 : 0;
  }
  EXPECT_LE(cut, 14);
}

TEST(Transient, ALongOneAmongManyValuesIsSeen) {
  RandomStream random(1);
  std::vector<double> values;
  for (int i = 0; i < 4000; ++i) values.push_back((i < 1200 ? 1.5 : 1.0) + 0.1 * random.normal());
  EXPECT_NEAR(static_cast<double>(transient_length(values)), 1200, 50);
}

}  // namespace
}  // namespace feedrate

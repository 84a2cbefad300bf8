#include "feedrate/stats/transient.h"

#include <gtest/gtest.h>

#include <vector>

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

}  // namespace
}  // namespace feedrate

// Tests emulated failures against the closed form. Seeds are fixed, and runs are long enough for a
// bar of 2 %.
#include "feedrate/checkpoint/goodput.h"

#include <gtest/gtest.h>

#include <cmath>

namespace feedrate {
namespace {

// The formula of J. T. Daly, Future Generation Computer Systems 22 (2006) 303-312.
// plan/checkpoint.h has it with units, but this folder may not include that one.
double closed_form(double mtbf, double interval, double cost, double restart) {
  return interval / (mtbf * std::exp(restart / mtbf) * (std::exp((interval + cost) / mtbf) - 1));
}

struct Case {
  double mtbf, interval, cost, restart, read;  // In seconds.
};

double simulated(const Case& each, double failures, std::uint64_t seed = 1) {
  ModelledGoodput host(from_seconds(each.interval), from_seconds(each.cost),
                       from_seconds(each.cost), from_seconds(each.read));
  const GoodputJob job{from_seconds(each.interval), from_seconds(each.mtbf * failures),
                       from_seconds(each.mtbf), from_seconds(each.restart), seed};
  const auto summary = run_with_failures(job, host);
  EXPECT_TRUE(summary);
  const Duration sum = summary->lasting + summary->lost + summary->blocked + summary->restarting +
                       summary->restoring;
  EXPECT_NEAR(to_seconds(sum), to_seconds(summary->elapsed), 1e-3);
  EXPECT_NEAR(static_cast<double>(summary->failures), failures, 5 * std::sqrt(failures));
  return summary->goodput();
}

TEST(Goodput, IsTheClosedFormsWithinTwoPercent) {
  for (const Case& each :
       {Case{11124, 600, 30, 300, 60}, Case{11124, 1200, 120, 300, 240},
        Case{3600, 300, 60, 60, 60}, Case{3600, 1800, 60, 600, 60}, Case{600, 60, 30, 10, 20},
        Case{86400, 7200, 600, 900, 600}, Case{300, 300, 300, 100, 100}}) {
    const double exact = closed_form(each.mtbf, each.interval, each.cost, each.restart + each.read);
    EXPECT_NEAR(simulated(each, 20'000) / exact, 1, 0.02) << each.mtbf << " " << each.interval;
  }
}

TEST(Goodput, TheSameSeedIsTheSameRun) {
  const Case each{11124, 600, 30, 300, 60};
  EXPECT_EQ(simulated(each, 240, 7), simulated(each, 240, 7));
  EXPECT_NE(simulated(each, 240, 7), simulated(each, 240, 8));
}

TEST(Goodput, WithoutFailuresOnlyCheckpointsCost) {
  ModelledGoodput host(std::chrono::seconds(90), std::chrono::seconds(10), std::chrono::seconds(10),
                       std::chrono::seconds(1));
  const GoodputJob job{std::chrono::seconds(90),
                       std::chrono::seconds(100'000),
                       std::chrono::hours(1'000'000),
                       {},
                       1};
  const auto summary = run_with_failures(job, host);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->failures, 0U);
  EXPECT_EQ(summary->checkpoints, 1000U);
  EXPECT_DOUBLE_EQ(summary->goodput(), 0.9);
}

// A checkpoint that is written behind training blocks little, but is restorable late, and the next
// one waits for it.
TEST(Goodput, WrittenBehindTraining) {
  ModelledGoodput host(std::chrono::seconds(100), std::chrono::seconds(1),
                       std::chrono::seconds(150), std::chrono::seconds(1));
  const auto stretch = host.train(std::chrono::seconds(1000));
  ASSERT_TRUE(stretch);
  // Checkpoints begin at 100, 250, 400, 550, 700, 850 and 1000 s. Six of them are restorable in
  // time, the last of these at 1000 s.
  EXPECT_EQ(stretch->saved, 6U);
  EXPECT_EQ(stretch->elapsed, stretch->training + stretch->blocked);
  EXPECT_EQ(to_seconds(stretch->blocked), 6 * 1 + 6 * 49);
}

}  // namespace
}  // namespace feedrate

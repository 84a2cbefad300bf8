// Tests what follows from the figures of a result against arithmetic done by hand.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

TEST(Latency, IsSummedUpInMilliseconds) {
  Histogram histogram;
  for (int i = 0; i < 90; ++i) histogram.record(1000000);  // 1 ms
  for (int i = 0; i < 9; ++i) histogram.record(10000000);  // 10 ms
  histogram.record(100000000);                             // 100 ms
  const LatencySummary summary = summarise_latency(histogram);
  constexpr double kBucket = 1.0 / 64;  // The relative width of a bucket.
  EXPECT_EQ(summary.count, 100U);
  EXPECT_NEAR(summary.mean_ms, (90 * 1 + 9 * 10 + 1 * 100) / 100.0, 2.8 * kBucket);
  EXPECT_NEAR(summary.p50_ms, 1, kBucket);
  EXPECT_NEAR(summary.p99_ms, 10, 10 * kBucket);
  EXPECT_NEAR(summary.p999_ms, 100, 100 * kBucket);
  EXPECT_NEAR(summary.max_ms, 100, 100 * kBucket);
  std::uint64_t count = 0;
  for (const auto& [bound, each] : summary.buckets_ns) count += each;
  EXPECT_EQ(count, 100U);
  EXPECT_EQ(summary.buckets_ns.size(), 3U);
  EXPECT_NEAR(static_cast<double>(summary.buckets_ns[0].first), 1e6, 1e6 * kBucket);
}

TEST(Latency, OfNothingIsNothing) {
  const LatencySummary summary = summarise_latency(Histogram());
  EXPECT_EQ(summary.count, 0U);
  EXPECT_EQ(summary.mean_ms, 0);
  EXPECT_EQ(summary.max_ms, 0);
  EXPECT_TRUE(summary.buckets_ns.empty());
}

TEST(RunFigures, FollowFromCounts) {
  const RunResult run = full_run();
  EXPECT_DOUBLE_EQ(run.moved_over_asked(), 1.05);                    // 2.1e9 / 2e9
  EXPECT_DOUBLE_EQ(run.cpu_seconds_per_gigabyte(), 0.2);             // (0.12 + 0.3) / 2.1
  EXPECT_DOUBLE_EQ(run.reads_per_second(), 360);                     // 900 / 2.5
  EXPECT_DOUBLE_EQ(run.checkpoint_blocked_fraction(), 0.25);         // 0.625 / 2.5
  EXPECT_DOUBLE_EQ(run.processing.cpu_seconds_per_sample(), 0.003);  // 45 / 15,000
  EXPECT_DOUBLE_EQ(run.processing.bytes_per_cpu_second(), 4e7);      // 1.8e9 / 45
  EXPECT_EQ(run.job.replica_accelerators(), 8U);                     // 4 x 2
  EXPECT_DOUBLE_EQ(run.job.replica_demand_bytes_per_second(), 1.6e9);
  EXPECT_DOUBLE_EQ(run.host_time.seconds(),
                   0.34);  // Stopped, quota and stolen are added, but not the sums over processors.
}

TEST(RunFigures, OfNothingAreNothing) {
  const RunResult run;
  EXPECT_EQ(run.moved_over_asked(), 0);
  EXPECT_EQ(run.cpu_seconds_per_gigabyte(), 0);
  EXPECT_EQ(run.reads_per_second(), 0);
  EXPECT_EQ(run.checkpoint_blocked_fraction(), 0);
  EXPECT_EQ(run.processing.cpu_seconds_per_sample(), 0);
  EXPECT_EQ(run.processing.bytes_per_cpu_second(), 0);
  EXPECT_EQ(run.stalls.lost_fraction(), 0);
  EXPECT_EQ(run.stalls.carried_fraction(), 0);
  EXPECT_TRUE(run.stalls.fractions().empty());
  EXPECT_FALSE(run.stalls.worst_place());
  EXPECT_EQ(run.stalls.worst_place_fraction(), 0);
}

TEST(StallFigures, AreSharesOfAllAcceleratorTime) {
  const StallResult stalls = some_stalls();
  EXPECT_EQ(stalls.lost_ns(), 400000);
  EXPECT_DOUBLE_EQ(stalls.lost_fraction(), 0.4);
  EXPECT_DOUBLE_EQ(stalls.carried_fraction(), 0.14);  // 20,000 + 120,000
  const std::vector<StallFraction> fractions = stalls.fractions();
  ASSERT_EQ(fractions.size(), 3U);
  EXPECT_EQ(fractions[0].cause, "first-byte");
  EXPECT_DOUBLE_EQ(fractions[0].fraction, 0.32);  // Own and carried stalls together.
  EXPECT_EQ(fractions[1].cause, "startup");
  EXPECT_DOUBLE_EQ(fractions[1].fraction, 0.05);
  EXPECT_EQ(fractions[2].cause, "open");
  EXPECT_DOUBLE_EQ(fractions[2].fraction, 0.03);
}

TEST(StallFigures, EqualSharesStandByName) {
  StallResult stalls;
  stalls.wall_ns = 100;
  stalls.causes = {{"queue", 10, 0}, {"decode", 0, 10}, {"open", 0, 0}, {"first-byte", 20, 0}};
  std::vector<std::string> order;
  for (const StallFraction& each : stalls.fractions()) order.push_back(each.cause);
  EXPECT_EQ(order, (std::vector<std::string>{"first-byte", "decode", "queue"}))
      << "what cost nothing is left out";
}

TEST(StallFigures, APlaceIsToldOfWhereItCostATenth) {
  StallResult stalls = some_stalls();  // 400,000 ns were lost in all.
  ASSERT_TRUE(stalls.worst_place());
  EXPECT_EQ(stalls.worst_place()->name, "/data/slow") << "a size of reads is no place";
  EXPECT_DOUBLE_EQ(stalls.worst_place_fraction(), 0.25);  // 100,000 ns of them.
  stalls.places.push_back({"open", "directory", "/data/deep", 120000});
  EXPECT_EQ(stalls.worst_place()->name, "/data/deep");
  EXPECT_DOUBLE_EQ(stalls.worst_place_fraction(), 0.3);
  stalls.places = {{"open", "file", "a", 40000}};
  EXPECT_TRUE(stalls.worst_place());
  stalls.places[0].ns = 39999;
  EXPECT_FALSE(stalls.worst_place());
  EXPECT_EQ(stalls.worst_place_fraction(), 0);
}

TEST(FindFigures, TheFormOfAnAnswer) {
  FindResult find;
  EXPECT_EQ(find.form(), "unknown");
  find.rate_bytes_per_second = 1;
  EXPECT_EQ(find.form(), "by-rate");
  find.measured = true;
  EXPECT_EQ(find.form(), "number");
  find.accelerators = 20;
  find.accelerators_low = 19;
  find.accelerators_high = 21;
  EXPECT_EQ(find.form(), "number") << "two wide is narrow";
  find.accelerators_high = 22;
  EXPECT_EQ(find.form(), "range");
  find.accelerators = 30;  // The width is a tenth of it.
  EXPECT_EQ(find.form(), "number");
  find.points = {{22, 0.9, 0.001, 60, 4, "edge"}};
  EXPECT_EQ(find.form(), "edge");
  find.narrower_budget_seconds = 60;
  EXPECT_EQ(find.form(), "number") << "more can be told";
  find.answer = "undecided";
  EXPECT_EQ(find.form(), "verdict");
}

TEST(FindFigures, ABudgetIsTooShortWhereNothingWasMeasured) {
  FindResult find;
  EXPECT_FALSE(find.is_too_short()) << "it had no budget";
  EXPECT_EQ(find.suggested_budget_seconds(), 0);
  find.budget_seconds = 3;
  EXPECT_TRUE(find.is_too_short());
  EXPECT_EQ(find.suggested_budget_seconds(), 30) << "ten times as long";
  find.budget_seconds = 0.5;
  EXPECT_EQ(find.suggested_budget_seconds(), 10) << "ten times a second";
  find.first_look_budget_seconds = 4.5;
  EXPECT_EQ(find.suggested_budget_seconds(), 4.5);
  find.budget_seconds = 0;
  find.samples_max = 7;
  EXPECT_TRUE(find.is_too_short());
  find.interrupted = true;
  EXPECT_FALSE(find.is_too_short()) << "the user was";
  find.interrupted = false;
  find.answer = "undecided";
  EXPECT_FALSE(find.is_too_short());
  find.answer.clear();
  find.measured = true;
  EXPECT_FALSE(find.is_too_short());
  EXPECT_EQ(find.suggested_budget_seconds(), 0);
}

TEST(FindFigures, OfOneNumberAndOfARate) {
  const FindResult find = full_search();
  EXPECT_EQ(find.utilisation_at(17), 0.93);
  EXPECT_EQ(find.utilisation_at(26), 0.88);
  EXPECT_EQ(find.utilisation_at(18), 0);
  EXPECT_DOUBLE_EQ(find.rate_error_of_a_second(), 1.96 * 0.02);  // sqrt(0.0004)
  EXPECT_EQ(FindResult().rate_error_of_a_second(), 0);
}

// A row whose own figures leave its verdict open says what the verdict rests on.
TEST(FindFigures, WhatDecidedAPoint) {
  FindResult find;
  find.job.au_threshold = 0.9;
  const auto by = [&](const char* verdict, double utilisation, double half_width) {
    return decided_by(find, {20, utilisation, half_width, 1, 1, verdict});
  };
  find.points.resize(1);
  EXPECT_EQ(by("fed", 0.91, 0.01), "") << "0.9 is fed";
  EXPECT_EQ(by("fed", 0.909, 0.01), "rate") << "its interval begins at 0.899, and it is alone";
  EXPECT_EQ(by("not-fed", 0.889, 0.01), "");
  EXPECT_EQ(by("not-fed", 0.891, 0.01), "rate") << "its interval ends at 0.901";
  EXPECT_EQ(by("open", 0.9, 0.5), "") << "nothing was decided";
  EXPECT_EQ(by("edge", 0.9, 0.5), "");
  find.points.resize(3);
  EXPECT_EQ(by("fed", 0.909, 0.01), "other-numbers");
  EXPECT_EQ(by("not-fed", 0.891, 0.01), "other-numbers");
}

TEST(FindFigures, TheBudgetThatHoldsAllThatIsOpen) {
  FindReport report = full_find();  // 100 s for 3 numbers, 200 s for 4
  EXPECT_EQ(report.narrower_budget_seconds(), 200);
  EXPECT_EQ(report.narrower_numbers(), 4U);
  EXPECT_EQ(report.narrower_of(), "both");
  report.searches[1].narrower_budget_seconds = 0;
  EXPECT_EQ(report.narrower_budget_seconds(), 100);
  EXPECT_EQ(report.narrower_numbers(), 3U) << "4 are of a search that is done";
  EXPECT_EQ(report.narrower_of(), "");
  report.searches[0].narrower_budget_seconds = 0;
  EXPECT_EQ(report.narrower_budget_seconds(), 0);
  EXPECT_EQ(report.narrower_numbers(), 1U);
  EXPECT_EQ(report.narrower_of(), "");
  report.searches[1].narrower_budget_seconds = 50;
  EXPECT_EQ(report.narrower_of(), "the framework's number");
  report.searches[0].interrupted = true;
  EXPECT_EQ(report.narrower_budget_seconds(), 0);
  report.searches.clear();
  EXPECT_EQ(report.narrower_budget_seconds(), 0);
  EXPECT_EQ(report.narrower_of(), "");
}

TEST(CheckpointFigures, TheSlowestRankAndTheLowestRate) {
  CheckpointPass pass;
  pass.stored_bytes = 600;
  pass.seconds = 4;
  // The slowest rank has most to write, but another one has the lowest rate.
  pass.ranks = {{0, 300, 3}, {1, 100, 2}, {2, 200, 1}, {3, 0, 9}, {4, 50, 0}};
  pass.summarise();
  EXPECT_EQ(pass.slowest_rank, 0U) << "rank 3 moved nothing";
  EXPECT_EQ(pass.slowest_rank_seconds, 3);
  EXPECT_EQ(pass.slowest_rank_bytes_per_second, 50);
  EXPECT_EQ(pass.bytes_per_second, 150);
  pass.ranks = {{2, 200, 1}};
  pass.seconds = 0;
  pass.summarise();
  EXPECT_EQ(pass.slowest_rank, 2U);
  EXPECT_EQ(pass.slowest_rank_seconds, 1) << "of these ranks alone";
  EXPECT_EQ(pass.slowest_rank_bytes_per_second, 200);
  EXPECT_EQ(pass.bytes_per_second, 0);
}

TEST(CheckpointFigures, OfAllPasses) {
  const CheckpointResult result = full_checkpoint();  // Its passes take 4, 2 and 3 seconds.
  const Spread seconds = result.spread(&CheckpointPass::seconds);
  EXPECT_EQ(seconds.median, 3);
  EXPECT_EQ(seconds.lowest, 2);
  EXPECT_EQ(seconds.highest, 4);
  EXPECT_EQ(result.spread(&CheckpointPass::blocked_seconds).median, 4);
  ASSERT_NE(result.median_pass(), nullptr);
  EXPECT_EQ(result.median_pass()->step, 30U);
  EXPECT_EQ(result.median_rank_seconds(), 1.5);  // The ranks take 1.5 and 3 s.
  EXPECT_EQ(result.waited_seconds_max(), 0.25);
  EXPECT_EQ(result.whole_passes(), 2U);
  EXPECT_EQ(result.stored_bytes(), 1500ULL << 20);
  EXPECT_EQ(result.incremental_fraction(), 0.5);
  EXPECT_EQ(result.ranks(), 24U);
  EXPECT_TRUE(result.writes());
  EXPECT_FALSE(full_restore().writes());
}

TEST(CheckpointFigures, OfTwoTheMedianIsTheLarger) {
  CheckpointResult result = full_checkpoint();
  result.passes.pop_back();
  EXPECT_EQ(result.spread(&CheckpointPass::seconds).median, 4);
  EXPECT_EQ(result.median_pass()->step, 10U);
}

TEST(CheckpointFigures, OfNothingAreNothing) {
  const CheckpointResult result;
  EXPECT_EQ(result.spread(&CheckpointPass::seconds).highest, 0);
  EXPECT_EQ(result.median_pass(), nullptr);
  EXPECT_EQ(result.median_rank_seconds(), 0);
  EXPECT_EQ(result.waited_seconds_max(), 0);
  EXPECT_EQ(result.whole_passes(), 0U);
  EXPECT_EQ(result.stored_bytes(), 0U);
  EXPECT_EQ(result.incremental_fraction(), 0);
  CheckpointResult alone = full_checkpoint();
  for (CheckpointPass& pass : alone.passes) pass.ranks.clear();
  EXPECT_EQ(alone.median_rank_seconds(), 0);
}

TEST(GoodputFigures, AreSharesOfTheElapsedTime) {
  const GoodputResult run = a_goodput();
  EXPECT_DOUBLE_EQ(run.goodput(), 0.8);
  EXPECT_DOUBLE_EQ(run.fraction_of(run.lost_seconds), 0.1);
  EXPECT_DOUBLE_EQ(run.fraction_of(run.lasting_seconds + run.lost_seconds + run.blocked_seconds +
                                   run.restarting_seconds + run.restoring_seconds),
                   1);
  EXPECT_FALSE(run.no_progress());
  EXPECT_EQ(GoodputResult().goodput(), 0);
  EXPECT_TRUE(GoodputResult().no_progress());
}

TEST(LoadFigures, FollowFromTheReplicasTimes) {
  const LoadResult load = full_load();
  EXPECT_EQ(load.first_ready_seconds(), 1.5);
  EXPECT_EQ(load.last_ready_seconds(), 2);
  EXPECT_EQ(load.bytes_per_second(), 1e8);  // 200 MB in the time of the last replica.
  EXPECT_EQ(LoadResult().first_ready_seconds(), 0);
  EXPECT_EQ(LoadResult().last_ready_seconds(), 0);
  EXPECT_EQ(LoadResult().bytes_per_second(), 0);
}

TEST(CompactFigures, TheRate) {
  EXPECT_EQ(full_compact().bytes_per_second(), 128 << 20);  // 64 MiB in half a second
  EXPECT_EQ(CompactResult().bytes_per_second(), 0);
}

TEST(PlanFigures, AreFoundByTheirKeys) {
  const PlanPoint point = a_point(8);
  const JobPlan& job = point.jobs.front();
  ASSERT_NE(job.find("training", "epoch"), nullptr);
  EXPECT_EQ(job.find("training", "epoch")->value.value(), 90);
  EXPECT_EQ(job.find("training", "nothing"), nullptr);
  EXPECT_EQ(job.find("nothing", "epoch"), nullptr);
  EXPECT_EQ(full_plan().port.carries(), 1e10);  // 12.5e9 x 0.8
}

TEST(DoctorFigures, CountsByVerdict) {
  DoctorReport report = full_doctor();
  report.findings.push_back(report.findings[1]);
  EXPECT_EQ(report.count(FindingVerdict::kOk), 1U);
  EXPECT_EQ(report.count(FindingVerdict::kWarn), 2U);
  EXPECT_EQ(report.count(FindingVerdict::kBad), 1U);
  EXPECT_EQ(report.count(FindingVerdict::kUnknown), 1U);
}

TEST(HostFactsHere, AreFilled) {
  const HostFacts facts = collect_host_facts("a build");
  EXPECT_FALSE(facts.name.empty());
  EXPECT_TRUE(facts.kernel.starts_with("Linux "));
  EXPECT_FALSE(facts.cpu.empty());
  EXPECT_GT(facts.cores, 0U);
  EXPECT_GT(facts.memory_bytes, 1U << 20);
  EXPECT_EQ(facts.build, "a build");
  ASSERT_EQ(facts.date.size(), 20U);
  EXPECT_EQ(facts.date[10], 'T');
  EXPECT_EQ(facts.date[19], 'Z');
}

}  // namespace
}  // namespace feedrate

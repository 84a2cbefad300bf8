#include <gtest/gtest.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

TEST(TogetherText, BeginsWithTheFirstJobsVerdict) {
  const TogetherReport report = full_together();
  EXPECT_EQ(verdict_of(report), verdict_of(full_run()) + ", beside 1 other job");
  EXPECT_EQ(verdict_of(TogetherReport()), "nothing was run");
  TogetherReport cut = report;
  cut.jobs[0].train->interrupted = false;
  EXPECT_TRUE(verdict_of(cut).ends_with("beside 1 other job (interrupted: partial result)"));
  cut.interrupted = false;
  EXPECT_TRUE(verdict_of(cut).ends_with("beside 1 other job"));
  TogetherReport invalid = report;
  invalid.valid = false;
  invalid.invalid_reasons = {"train bert: a read failed"};
  EXPECT_EQ(verdict_of(invalid), "INVALID: train bert: a read failed");
  TogetherReport empty;
  empty.jobs.resize(1);
  EXPECT_EQ(verdict_of(empty), "nothing was measured, beside 0 other jobs");
}

TEST(TogetherText, CheckpointsMayBeTheFirstJob) {
  TogetherReport report = full_together();
  std::swap(report.jobs[0], report.jobs[1]);
  EXPECT_TRUE(verdict_of(report).starts_with(verdict_of(full_checkpoint()))) << verdict_of(report);
}

TEST(TogetherText, WithoutARateNothingIsCompared) {
  TogetherReport report = full_together();
  report.jobs[0].train->samples_per_second_after_first = 0;
  EXPECT_TRUE(report.jobs[0].rate_alone());
  EXPECT_FALSE(report.jobs[0].lost_fraction());
  EXPECT_TRUE(has_line(report, "  train unet3d: its rate is not known")) << to_text(report);
}

TEST(TogetherText, ALineForEachJobAndThenTheirReports) {
  const TogetherReport report = full_together();
  const std::string text = to_text(report);
  const std::string rate = format_count(full_run().samples_per_second_after_first);
  const std::string alone = format_count(2 * full_run().samples_per_second_after_first);
  EXPECT_TRUE(has_line(
      report, "  train unet3d: " + rate + " samples/s, alone " + alone + " samples/s: 50.0 % lost"))
      << text;
  const std::string written = format_rate(full_checkpoint().median_pass()->bytes_per_second);
  EXPECT_TRUE(has_line(report, "  checkpoint llama3-8b x: " + written)) << text;
  EXPECT_TRUE(has_line(report, verdict_of(full_run())));
  EXPECT_TRUE(has_line(report, verdict_of(full_checkpoint())));
  EXPECT_LT(text.find("\ntrain unet3d\n"), text.find("\ncheckpoint llama3-8b x\n"));
}

TEST(TogetherFigures, WhatWasLost) {
  TogetherReport report = full_together();
  EXPECT_DOUBLE_EQ(*report.jobs[0].lost_fraction(), 0.5);
  EXPECT_TRUE(report.jobs[0].was_alone());
  report.jobs[0].train_alone->samples_per_second_after_first =
      0.9 * full_run().samples_per_second_after_first;
  EXPECT_EQ(report.jobs[0].lost_fraction(), 0);  // a loss is never negative
  EXPECT_FALSE(report.jobs[1].rate_alone());
  EXPECT_FALSE(report.jobs[1].lost_fraction());
  EXPECT_FALSE(report.jobs[1].was_alone());
  report.jobs[1].checkpoint_alone = full_checkpoint();
  report.jobs[1].checkpoint_alone->passes.clear();
  EXPECT_FALSE(report.jobs[1].lost_fraction());
  EXPECT_TRUE(report.jobs[1].was_alone());
  EXPECT_NE(to_text(report).find("its rate alone is not known"), std::string::npos);
}

// A job that hung while the others went on must not look fed.
TEST(TogetherFigures, AJobThatHungIsToldAndItsRateCountsTheWait) {
  TogetherReport report = full_together();
  const double before = *report.jobs[0].rate();
  report.jobs[0].stuck_seconds = report.jobs[0].train->seconds;
  EXPECT_DOUBLE_EQ(*report.jobs[0].rate(), before / 2);
  const std::string told =
      "no step for the last " + format_duration(from_seconds(report.jobs[0].stuck_seconds));
  EXPECT_NE(to_text(report).find("lost, " + told), std::string::npos) << to_text(report);
  EXPECT_NE(verdict_of(report).find("; train unet3d made " + told), std::string::npos);
}

}  // namespace
}  // namespace feedrate

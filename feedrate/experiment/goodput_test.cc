// Tests runs that fail as an experiment: what they cost is learnt first, then the run and the
// closed form must agree.
#include "feedrate/experiment/goodput.h"

#include <cmath>
#include <thread>

#include "feedrate/experiment/transfer_testing.h"

namespace feedrate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

FailingRun failing(Duration mtbf, Duration total, Duration restart) {
  return {.accelerator_mtbf = mtbf * 4, .mtbf = mtbf, .total = total, .restart = restart};
}

TEST(GoodputExperiment, CheckpointsThatCostNothingLoseWhatTheRestartsTake) {
  const CheckpointSetup setup = tiny_checkpoints(described_transfer("null"), "x");
  const Reported<CheckpointResult> done =
      checkpoint_with_failures(setup, failing(hours(10), hours(20'000), minutes(5)), {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  ASSERT_TRUE(done.report.goodput);
  const GoodputResult& result = *done.report.goodput;
  EXPECT_EQ(result.accelerator_mtbf_seconds, 144'000);
  EXPECT_EQ(result.mtbf_seconds, 36'000);
  EXPECT_EQ(result.interval_seconds, 360);  // A hundredth of the time between failures.
  EXPECT_EQ(result.best_interval_seconds, 0);
  EXPECT_NEAR(result.best_goodput, std::exp(-300.0 / 36'000), 1e-9);
  EXPECT_NEAR(result.goodput(), result.closed_form, 0.01);
  EXPECT_GT(result.failures, 1500U);
  const auto& used = done.report.effective;
  EXPECT_EQ(used.at("every"), "6m 00s");
  EXPECT_EQ(used.at("restart-time"), "5m 00s");
  EXPECT_EQ(used.at("seed"), "1");
  EXPECT_FALSE(used.contains("count"));
  EXPECT_FALSE(used.contains("changed"));
}

TEST(GoodputExperiment, TheBestIntervalFollowsFromWhatOneCosts) {
  const ModelFile file("bandwidth: 10kB/s\n");
  CheckpointSetup setup = tiny_checkpoints(described_transfer(file.storage()), "x");
  const FailingRun run = failing(hours(10), hours(20'000), minutes(5));
  const Reported<CheckpointResult> done = checkpoint_with_failures(setup, run, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  ASSERT_EQ(done.report.passes.size(), 1U);
  const GoodputResult& best = done.report.goodput.value();
  const double cost = done.report.passes[0].blocked_seconds;
  EXPECT_NEAR(best.interval_seconds, std::sqrt(2 * 36'000 * cost), 0.1 * best.interval_seconds);
  EXPECT_NEAR(best.interval_seconds, best.best_interval_seconds, 1e-6);
  EXPECT_NEAR(best.goodput(), best.closed_form, 0.02);
  EXPECT_GT(best.restore_seconds, 1);
  // An interval that was given holds, and loses more.
  setup.job.between = minutes(10);
  const Reported<CheckpointResult> given = checkpoint_with_failures(setup, run, {});
  EXPECT_EQ(given.report.goodput.value().interval_seconds, 600);
  EXPECT_EQ(given.report.effective.at("every"), "10m 00s");
  EXPECT_LT(given.report.goodput->closed_form, best.closed_form);
}

TEST(GoodputExperiment, TheIntervalIsNoShorterThanOneTakesToBeWrittenBehind) {
  const ModelFile file("bandwidth: 1kB/s\n");
  CheckpointSetup setup = tiny_checkpoints(described_transfer(file.storage()), "x");
  setup.job.asynchronous = true;
  setup.job.snapshot_bytes_per_second = 1e9;
  const Reported<CheckpointResult> done =
      checkpoint_with_failures(setup, failing(hours(1), hours(500), minutes(5)), {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  const CheckpointPass& one = done.report.passes.at(0);
  EXPECT_NEAR(done.report.goodput.value().interval_seconds,
              one.restorable_seconds - one.blocked_seconds, 1);
}

TEST(GoodputExperiment, IncrementalOnesNeedThreeToTellTheirCost) {
  const ModelFile file("bandwidth: 100kB/s\n");
  CheckpointSetup setup = tiny_checkpoints(described_transfer(file.storage()), "x");
  setup.job.head.sum_block_bytes = setup.job.head.content.block_bytes;
  setup.job.head.content.changed = 0.1;
  const Reported<CheckpointResult> done =
      checkpoint_with_failures(setup, failing(hours(10), hours(1000), minutes(5)), {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  ASSERT_EQ(done.report.passes.size(), 3U);
  EXPECT_LT(done.report.passes[2].blocked_seconds, done.report.passes[0].blocked_seconds / 2);
  EXPECT_EQ(done.report.effective.at("changed"), "0.1");
}

TEST_F(TransferTest, OnRealStorageEverythingIsWrittenAndReadAgain) {
  CheckpointSetup setup = checkpoints();
  setup.job.between = milliseconds(50);
  bool watched = false;
  RunHooks hooks;
  hooks.watch = [&watched](const ReactorGroup&) -> std::shared_ptr<void> {
    watched = true;
    return nullptr;
  };
  const Reported<CheckpointResult> done = checkpoint_with_failures(
      setup, failing(milliseconds(300), seconds(1), milliseconds(20)), hooks);
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_TRUE(watched);
  const GoodputResult& result = done.report.goodput.value();
  EXPECT_GE(result.elapsed_seconds, 1);
  EXPECT_GT(result.checkpoints, 0U);
  EXPECT_EQ(done.report.effective.at("changed"), "1");
  EXPECT_TRUE(done.report.effective.contains("io-engine"));
}

TEST_F(TransferTest, AStopInTheMiddleLeavesNoGoodput) {
  CheckpointSetup setup = checkpoints();
  setup.job.between = milliseconds(50);
  std::stop_source stop;
  RunHooks hooks;
  hooks.stop = stop.get_token();
  // The second checkpoint is the first that is written by the run.
  const std::jthread stopper([&](const std::stop_token& quit) {
    while (!quit.stop_requested() && !std::filesystem::exists(directory_ + "/" + step_folder(2)))
      std::this_thread::sleep_for(milliseconds(1));
    stop.request_stop();
  });
  const Reported<CheckpointResult> done =
      checkpoint_with_failures(setup, failing(hours(1), hours(1), milliseconds(20)), hooks);
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kCancelled);
  EXPECT_FALSE(done.figures);
  EXPECT_FALSE(done.report.goodput);
  EXPECT_EQ(done.report.passes.size(), 1U) << "what the probe wrote";
}

TEST(GoodputExperiment, WithoutAProbeThereIsNoRun) {
  const ModelFile file("bandwidth: 1MB/s\n");
  const CheckpointSetup setup = tiny_checkpoints(described_transfer(file.storage()), "x");
  const Reported<CheckpointResult> done =
      checkpoint_with_failures(setup, failing(hours(10), hours(1000), minutes(5)), stopped_hooks());
  ASSERT_FALSE(done.ended);
  EXPECT_FALSE(done.report.goodput);
  EXPECT_FALSE(done.figures);
  EXPECT_EQ(done.report.passes.size(), 0U);
}

}  // namespace
}  // namespace feedrate

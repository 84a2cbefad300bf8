// The framework's habits in time, to the nanosecond: who reads which batch, and when an epoch or a
// read begins.
#include <gtest/gtest.h>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/engine/loader.h"
#include "feedrate/engine/work_source.h"

namespace feedrate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TrainingPlan faithful_plan(const Workload& workload, std::uint32_t readers,
                           std::uint32_t replicas = 1) {
  TrainingPlan plan = test_plan(workload, ClientKind::kFaithful, replicas);
  plan.readers = readers;
  plan.prefetch_batches = 2 * std::max(1U, readers);
  return plan;
}

std::int64_t ledger_sum(const StallResult& stalls) {
  std::int64_t sum = stalls.compute_ns;
  for (const StallShare& share : stalls.causes) sum += share.own_ns + share.carried_ns;
  return sum;
}

std::int64_t lost_ns(const StallResult& stalls, const std::string& cause) {
  for (const StallShare& share : stalls.causes)
    if (share.cause == cause) return share.own_ns + share.carried_ns;
  return -1;
}

// Four reads of 5 ms, then 10 ms of computing, and again: AU is 1 / 3.
TEST(Faithful, WithoutReadersReadingAndComputingTakeTurns) {
  const ModelFile model("latency: 5ms\n");
  TrainingPlan plan = faithful_plan(test_workload("file", 80, 1, 1000), 0);
  plan.epochs = 2;
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  ASSERT_EQ(outcome.steps.size(), 40U);
  for (std::size_t step = 0; step < 40; ++step)
    EXPECT_EQ(outcome.steps[step].end - outcome.begin, milliseconds(30 * (step + 1))) << step;
  const RunResult result = summarise_training(plan, outcome);
  EXPECT_TRUE(result.valid);
  EXPECT_EQ(result.stalls.compute_ns, 400'000'000);
  EXPECT_EQ(lost_ns(result.stalls, "startup"), 20'000'000);  // of the run: no worker to start
  EXPECT_EQ(lost_ns(result.stalls, "first-byte") + lost_ns(result.stalls, "transfer"),
            39 * 20'000'000);
  EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
  EXPECT_DOUBLE_EQ(result.in_flight_mean, 2.0 / 3);
  EXPECT_EQ(result.in_flight_limit, 1U);
  EXPECT_EQ(window_batches(plan), 1U);

  RunResult starved = result;
  starved.job.au_threshold = 0.9;
  starved.effective = {{"readers", "0"}};
  EXPECT_EQ(find_limiter(starved).kind, "window");
  EXPECT_TRUE(find_limiter(starved).text.starts_with(
      "the training process, which reads by itself and computes nothing meanwhile: "))
      << find_limiter(starved).text;
}

// What decodes is the training process, too.
TEST(Faithful, WithoutReadersDecodingTakesItsTurnAsWell) {
  const ModelFile model("latency: 5ms\n");
  TrainingPlan plan = faithful_plan(test_workload("file", 80, 1, 1000), 0);
  plan.level = ByteLevel::kDecode;
  plan.decode_time = milliseconds(2);
  const RunResult result = summarise_training(plan, run_virtual(plan, model.storage()));
  EXPECT_DOUBLE_EQ(result.seconds, 20 * (4 * 7e-3 + 10e-3));
  EXPECT_EQ(lost_ns(result.stalls, "decode"), 19 * 4 * 2'000'000);
  EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
}

// The group's step ends with the slowest, and nobody reads before that.
TEST(Faithful, WithoutReadersAllReadAfterTheSlowestHasComputed) {
  const ModelFile model("latency: 5ms\n");
  TrainingPlan plan = faithful_plan(test_workload("file", 80, 1, 1000), 0, 2);
  plan.slow_ranks[1] = 1.5;
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  ASSERT_EQ(outcome.steps.size(), 10U);
  EXPECT_EQ(outcome.steps.back().end - outcome.begin, milliseconds(10 * (20 + 15)));
  const RunResult result = summarise_training(plan, outcome);
  EXPECT_EQ(lost_ns(result.stalls, "compute"), 10 * 5'000'000);
  EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
}

// Each micro-batch is read when the one before it is through the first stage.
TEST(Faithful, WithoutReadersMicroBatchesAreReadOneByOne) {
  const ModelFile model("latency: 5ms\n");
  TrainingPlan plan = faithful_plan(test_workload("file", 80, 1, 1000), 0);
  plan.micro_batches = 2;
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  ASSERT_EQ(outcome.steps.size(), 20U);
  EXPECT_EQ(outcome.steps.back().end - outcome.begin, milliseconds(20 * (10 + 5 + 10 + 5)));
  const RunResult result = summarise_training(plan, outcome);
  EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
}

// Files are streamed only while the training waits: transfers and steps add up to the wall time.
TEST(Faithful, WithoutReadersAStreamIsReadOnDemand) {
  for (const char* format : {"tfrecord", "parquet"}) {
    for (const std::uint64_t held_back : {0, 10}) {
      const ModelFile model("latency: 5ms\n");
      TrainingPlan plan = faithful_plan(test_workload(format, 12, 20, 30'000), 0);
      plan.epochs = 3;
      plan.shuffle_buffer_samples = held_back;
      const RunResult result = summarise_training(plan, run_virtual(plan, model.storage()));
      ASSERT_TRUE(result.valid) << result.invalid_reasons.front();
      EXPECT_EQ(result.steps, 180U);
      const auto reads = static_cast<double>(result.reads);
      EXPECT_NEAR(result.seconds, reads * 5e-3 + 180 * 10e-3, 1e-9) << format << held_back;
      EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
    }
  }
}

// What is decoded of a stream is what the training waits for, one sample after the other; readers
// do it while the training computes.
TEST(Faithful, DecodingAStreamIsPaidByWhoReadsIt) {
  for (const char* format : {"tfrecord", "parquet"}) {
    for (const std::uint64_t held_back : {0, 10}) {
      const ModelFile model("latency: 5ms\n");
      TrainingPlan plan = faithful_plan(test_workload(format, 12, 20, 30'000), 0);
      plan.epochs = 3;
      plan.shuffle_buffer_samples = held_back;
      plan.level = ByteLevel::kDecode;
      plan.decode_time = milliseconds(2);
      const RunResult result = summarise_training(plan, run_virtual(plan, model.storage()));
      ASSERT_TRUE(result.valid) << result.invalid_reasons.front();
      EXPECT_EQ(result.steps, 180U);
      const auto reads = static_cast<double>(result.reads);
      EXPECT_NEAR(result.seconds, reads * 5e-3 + 180 * 10e-3 + 720 * 2e-3, 1e-9) << format;
      EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
    }
    const ModelFile model("latency: 1us\n");
    TrainingPlan plan = faithful_plan(test_workload(format, 12, 20, 30'000), 1);
    plan.level = ByteLevel::kDecode;
    plan.decode_time = milliseconds(2);
    const RunResult hidden = summarise_training(plan, run_virtual(plan, model.storage()));
    EXPECT_GT(hidden.sustained_utilisation, 0.99) << format;
    plan.decode_time = milliseconds(5);
    const RunResult starved = summarise_training(plan, run_virtual(plan, model.storage()));
    EXPECT_NEAR(starved.sustained_utilisation, 0.5, 0.01) << format;
    EXPECT_GT(lost_ns(starved.stalls, "decode"), 58 * 9'000'000) << format;
    EXPECT_EQ(ledger_sum(starved.stalls), starved.stalls.wall_ns);
  }
}

TEST(Faithful, WithoutReadersOnTheRealClock) {
  const ModelFile model("latency: 5ms\n");
  TrainingPlan plan = faithful_plan(test_workload("file", 80, 1, 1000), 0);
  plan.timing.compute = milliseconds(20);
  const auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 1);
  const auto factory =
      make_storage_factory(parse_storage(model.storage()).value(), IoMode::kBuffered, ".", 1);
  TrainingProgress progress;
  const TrainingOutcome outcome = run_training(**group, factory, plan, nullptr, progress, {});
  const RunResult result = summarise_training(plan, outcome);
  EXPECT_EQ(result.steps, 20U);
  EXPECT_GE(result.seconds, 20 * 40e-3);  // never faster than one after the other
  EXPECT_EQ(result.stalls.compute_ns, 400'000'000);
  EXPECT_EQ(ledger_sum(result.stalls), result.stalls.wall_ns);
}

// Batches go to workers in turn: the second worker, done with its two, gets no batch of the first
// one, which is held up.
TEST(Faithful, ASlowSampleHoldsUpTheBatchesOfItsReader) {
  Workload workload = test_workload("file", 40, 1, 1000);
  workload.accelerators = {{"x", 1, microseconds(1), "test"}};
  TrainingPlan plan = faithful_plan(workload, 2);
  EXPECT_EQ(window_batches(plan), 4U);
  EpochOrders orders(plan);
  WorkSource source(plan, orders, 0);
  const std::string first = plan.dataset->path(source.next(1U << 20U, 1)->file);
  const ModelFile model("latency: 10ms\nslow: [{path: " + first + ", latency: 90ms}]\n");
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  const auto end = [&](std::size_t step) { return outcome.steps[step].end - outcome.begin; };
  ASSERT_EQ(outcome.steps.size(), 40U);
  EXPECT_EQ(end(0), milliseconds(100) + microseconds(1));
  EXPECT_EQ(end(1), milliseconds(100) + microseconds(2));  // the second reader's, read at 10 ms
  EXPECT_EQ(end(2), milliseconds(110) + microseconds(1));  // the first reader's next
  EXPECT_EQ(end(3), milliseconds(110) + microseconds(2));
}

// More readers than an epoch has batches: each has one at most, and the next epoch waits for all.
TEST(Faithful, MoreReadersThanBatches) {
  const ModelFile model("latency: 5ms\n");
  TrainingPlan plan = faithful_plan(test_workload("file", 12, 1, 1000), 8);
  plan.epochs = 3;
  const TrainingOutcome outcome = run_virtual(plan, model.storage());
  ASSERT_EQ(outcome.steps.size(), 9U);
  EXPECT_EQ(outcome.steps.back().end - outcome.begin, milliseconds(3 * (20 + 3 * 10)));
}

// A window of one batch that a transfer fills in part, with more samples at hand than there is
// room for.
TEST(Faithful, AWindowOfOneBatchTakesWhatFits) {
  TrainingPlan plan = faithful_plan(test_workload("tfrecord", 12, 20, 75'000), 1);
  plan.prefetch_batches = 1;
  const RunResult result = summarise_training(plan, run_virtual(plan, "null"));
  EXPECT_TRUE(result.valid);
  EXPECT_EQ(result.steps, 60U);
}

}  // namespace
}  // namespace feedrate

// Model parallelism: accelerators that share a model read once, and compute in micro-batches.
#include <gtest/gtest.h>

#include "feedrate/engine/engine_testing.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;

// Batches of eight samples, 11 ms of compute, on 8 accelerators for each of `replicas`.
TrainingPlan shared_plan(std::uint32_t replicas, ClientKind client = ClientKind::kNative) {
  Workload workload = test_workload("file", 960, 1, 100000);
  workload.accelerators = {{"x", 8, milliseconds(11), "test"}};
  TrainingPlan plan = test_plan(workload, client, replicas);
  plan.tensor_parallel = 2;
  plan.pipeline_parallel = 4;
  plan.micro_batches = 8;
  return plan;
}

double lost(const RunResult& run, const std::string& cause) {
  for (const StallShare& share : run.stalls.causes)
    if (share.cause == cause) return static_cast<double>(share.own_ns + share.carried_ns) / 1e6;
  ADD_FAILURE() << cause;
  return 0;
}

TEST(Replica, APipelineFillsAndDrainsInEachStep) {
  TrainingPlan plan = shared_plan(2);
  // 8 + 4 - 1 slots of 1 ms; a stage computes in 8 of them.
  EXPECT_EQ(plan.pace_of(0).slot, milliseconds(1));
  EXPECT_EQ(plan.pace_of(0).drain, milliseconds(3));
  EXPECT_EQ(plan.pace_of(0).compute, milliseconds(11));
  EXPECT_DOUBLE_EQ(plan.pipeline_bubble(), 3.0 / 11);
  EXPECT_EQ(plan.accelerators(), 16U);
  plan.micro_batches = 1;
  EXPECT_EQ(plan.pace_of(0).compute, milliseconds(11));
  EXPECT_DOUBLE_EQ(plan.pipeline_bubble(), 0.75);
  plan.pipeline_parallel = 1;
  EXPECT_DOUBLE_EQ(plan.pipeline_bubble(), 0);
  EXPECT_EQ(plan.pace_of(0).slot, milliseconds(11));
}

TEST(Replica, NoStageIsFasterThanTheSlowest) {
  TrainingPlan plan = shared_plan(2);
  // Tensor ranks first, then replicas, then stages: rank 6 is in stage 1 of replica 1.
  plan.slow_ranks = {{6, 2.0}, {99, 9.0}};
  EXPECT_EQ(plan.pace_of(0).compute, milliseconds(11));
  EXPECT_EQ(plan.pace_of(1).slot, milliseconds(2));
  EXPECT_EQ(plan.pace_of(1).compute, milliseconds(7 * 2 + 1 + 2 + 1 + 1));
  EXPECT_EQ(plan.pace_of(1).drain, milliseconds(3));
}

TEST(Replica, ReadsOnceForAllItsAccelerators) {
  for (const ClientKind client : {ClientKind::kNative, ClientKind::kFaithful}) {
    TrainingPlan plan = shared_plan(3, client);
    plan.epochs = 2;
    const RunResult run = summarise_training(plan, run_virtual(plan, "null"));
    EXPECT_TRUE(run.valid) << run.invalid_reasons.front();
    EXPECT_EQ(run.job.accelerators, 24U);
    EXPECT_EQ(run.job.replicas, 3U);
    EXPECT_EQ(run.steps, 80U);
    EXPECT_EQ(run.samples_read, 1920U);
    EXPECT_EQ(run.bytes_moved, 1920U * 100000);
    EXPECT_DOUBLE_EQ(run.accelerator_utilisation, 1);
    EXPECT_NEAR(run.seconds, 80 * 11e-3, 1e-9);
    EXPECT_NEAR(run.job.demand_bytes_per_second, 8 * 100000 / 11e-3 / 8, 1);
  }
}

TEST(Replica, BeginsWithItsFirstMicroBatch) {
  const ModelFile model("latency: 20ms\n");
  TrainingPlan plan = shared_plan(1);
  plan.readers = 1;
  plan.steps_max = 1;
  const RunResult run = summarise_training(plan, run_virtual(plan, model.storage()));
  // A micro-batch every 20 ms; the last one needs its slot and three more.
  EXPECT_NEAR(run.seconds, 8 * 20e-3 + 4e-3, 1e-9);
  EXPECT_NEAR(lost(run, "startup"), 20, 1e-6);
  EXPECT_NEAR(lost(run, "first-byte"), 7 * 19, 1e-6);
  EXPECT_NEAR(static_cast<double>(run.stalls.compute_ns), 11e6, 1);
  EXPECT_EQ(run.first_batch_seconds, 20e-3);
  plan.micro_batches = 1;
  const RunResult whole = summarise_training(plan, run_virtual(plan, model.storage()));
  EXPECT_NEAR(whole.seconds, 8 * 20e-3 + 11e-3, 1e-9);
}

// Whatever happens within steps, every nanosecond has its cause: a run in which it does not is not
// valid.
TEST(Replica, TheLedgerOfMicroBatchesIsExact) {
  const ModelFile model(
      "bandwidth: 200MB/s\nlatency: {distribution: lognormal, median: 2ms, p99: 60ms}\n");
  for (const ClientKind client : {ClientKind::kNative, ClientKind::kFaithful})
    for (const std::uint32_t micro_batches : {1, 2, 8}) {
      TrainingPlan plan = shared_plan(4, client);
      plan.micro_batches = micro_batches;
      plan.slow_ranks = {{3, 1.3}};
      const RunResult run = summarise_training(plan, run_virtual(plan, model.storage()));
      EXPECT_TRUE(run.valid) << run.invalid_reasons.front();
      EXPECT_EQ(run.steps, 30U);
      EXPECT_EQ(run.stalls.ranks.size(), 4U);
      EXPECT_LT(run.accelerator_utilisation, 0.9);
      EXPECT_GT(lost(run, "compute"), 0);
    }
}

}  // namespace
}  // namespace feedrate

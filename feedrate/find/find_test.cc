#include "feedrate/find/find.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "feedrate/base/random.h"
#include "feedrate/engine/engine_testing.h"

namespace feedrate {
namespace {

Result<FindResult> search(const Workload& workload, const std::string& storage, double threshold,
                          std::uint32_t most = 1000, std::uint32_t pipeline = 1) {
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  plan.pipeline_parallel = pipeline;
  const FindObserver observer{[](std::uint32_t, std::uint32_t, Duration) {},
                              [](const TrialResult&) {}};
  const TrialRunner runner = [&](std::uint32_t accelerators, std::uint32_t readers,
                                 Duration time_max, StepObserver& judge) -> Result<RunResult> {
    TrainingPlan trial = plan;
    trial.replicas = accelerators / trial.replica_accelerators();
    trial.readers = readers;
    widen_window(trial);
    trial.epochs = 0;
    trial.time_max = time_max;
    return summarise_training(trial, run_virtual(trial, storage, &judge));
  };
  return find_accelerators({threshold, most, std::chrono::minutes(5)}, plan,
                           plan.dataset->samples() / plan.timing.batch_samples * pipeline, runner,
                           observer, {});
}

TEST(Find, GivesExactlyWhatTheBandwidthCarries) {
  const Workload workload = test_workload("file", 4000, 1, 100000);  // 40 MB/s an accelerator
  RandomStream random(99);
  for (int round = 0; round < 20; ++round) {
    const double carried = 1.05 + random.uniform() * 20;  // accelerators at the threshold
    const double fraction = carried - std::floor(carried);
    if (fraction < 0.04 || fraction > 0.96) continue;  // too near a whole number to be fair
    for (const bool jitter : {false, true}) {
      const ModelFile model("bandwidth: " + std::to_string(carried * 0.9 * 40) + "MB/s\n" +
                            (jitter ? "latency: {distribution: exponential, mean: 1ms}\n" : ""));
      const auto result = search(workload, model.storage(), 0.9);
      ASSERT_TRUE(result.has_value()) << result.error().message();
      EXPECT_EQ(result->accelerators, static_cast<std::uint32_t>(carried)) << carried << jitter;
      EXPECT_EQ(result->limited_by, "storage") << result->reason;
    }
  }
}

TEST(Find, SearchesInWholeReplicas) {
  const Workload workload = test_workload("file", 4000, 1, 100000);  // 40 MB/s a replica
  const ModelFile model("bandwidth: 200MB/s\n");
  const auto result = search(workload, model.storage(), 0.9, 1000, 4);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->accelerators, 5U * 4);  // 200 / (0.9 x 40) = 5.6
  ASSERT_TRUE(result->beyond.has_value());
  EXPECT_EQ(result->beyond->accelerators, 6U * 4);
  for (const TrialResult& trial : result->trials) EXPECT_EQ(trial.accelerators % 4, 0U);
  const auto by_max = search(workload, "null", 0.9, 11, 4);
  ASSERT_TRUE(by_max.has_value());
  EXPECT_EQ(by_max->accelerators, 8U);
  EXPECT_EQ(by_max->limited_by, "--max");
}

TEST(Find, NamesTheWindowWhenLatencyIsTheLimit) {
  Workload workload = test_workload("file", 4000, 1, 100000);
  const ModelFile slower("latency: 200ms\n");
  const auto starved = search(workload, slower.storage(), 0.9);
  ASSERT_TRUE(starved.has_value());
  EXPECT_EQ(starved->accelerators, 0U);
  EXPECT_EQ(starved->limited_by, "window") << starved->reason;
  EXPECT_NE(starved->reason.find("--readers=64"), std::string::npos) << starved->reason;
}

TEST(Find, NamesSlowOpens) {
  const Workload workload = test_workload("file", 4000, 1, 100000);
  const ModelFile model("open: 200ms\nlatency: 1ms\n");
  const auto result = search(workload, model.storage(), 0.9);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->accelerators, 0U);
  EXPECT_EQ(result->limited_by, "open") << result->reason;
}

TEST(Find, EndsAtTheDataSetOrAtMax) {
  const Workload workload = test_workload("file", 40, 1, 1000);
  const auto by_data = search(workload, "null", 0.9);
  ASSERT_TRUE(by_data.has_value());
  EXPECT_EQ(by_data->accelerators, 10U);
  EXPECT_EQ(by_data->limited_by, "data-set");
  const auto by_max = search(workload, "null", 0.9, 6);
  ASSERT_TRUE(by_max.has_value());
  EXPECT_EQ(by_max->accelerators, 6U);
  EXPECT_EQ(by_max->limited_by, "--max");
}

}  // namespace
}  // namespace feedrate

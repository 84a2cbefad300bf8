// Tests training as an experiment: what its report has beside the figures of the engine.
#include "feedrate/experiment/training.h"

#include "feedrate/experiment/experiment_testing.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

TEST(TrainingExperiment, SaysWhatWasUsed) {
  TrainingSetup setup = training_on("null", 3, 20);
  setup.warnings = {"from before the run"};
  const Result<RunResult> result = train(setup, {});
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->verb, "train");
  EXPECT_EQ(result->job.workload, "test");
  EXPECT_EQ(result->place.storage, "null");
  EXPECT_EQ(result->place.clock, "virtual");
  EXPECT_EQ(result->effective.at("readers"), std::to_string(setup.plan.readers));
  EXPECT_EQ(result->effective.at("steps"), "20");
  EXPECT_EQ(result->effective.at("cache"), "keep");
  EXPECT_EQ(result->effective.at("on-error"), "stop");
  EXPECT_EQ(result->seeds.at("order"), setup.plan.seed);
  EXPECT_EQ(result->warnings.front(), "from before the run");
  EXPECT_EQ(result->ceiling.seconds, 0);  // A simulation says nothing about this host.
}

TEST(TrainingExperiment, APlanWithoutAStepIsRefused) {
  const Result<RunResult> result = train(training_on("null", 100'000, 20), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::kUsage);
}

TEST(TrainingExperiment, TheCeilingIsTriedWhereStorageTakesTime) {
  TrainingSetup setup = training_on("null", 1, 20);
  setup.world.clock = ClockKind::kReal;
  const auto tried = [&setup] {
    return measure_ceiling(setup, setup.plan, std::chrono::milliseconds(20), {}).value();
  };
  EXPECT_EQ(tried().seconds, 0);  // A run on null storage is the ceiling itself.
  setup.place.spec = local_files();
  const ClientCeiling ceiling = tried();
  EXPECT_GT(ceiling.seconds, 0.015);
  EXPECT_GT(ceiling.samples_per_second, 1000);
  EXPECT_GT(ceiling.accelerators, 1);
  setup.world.clock = ClockKind::kVirtual;
  EXPECT_EQ(tried().seconds, 0);
}

TEST(TrainingExperiment, CheckpointsShareADescribedStorage) {
  const ModelFile file("bandwidth: 100MB/s\n");
  const TrainingSetup setup = training_on(file.storage(), 2, 45);
  CheckpointSetup written = checkpoints_on(file.storage(), {});
  CheckpointsOfRun checkpoints;
  checkpoints.checkpoints.job = written.job;
  checkpoints.checkpoints.every_steps = 10;
  checkpoints.described.model = "test";
  const Result<RunResult> result = train(setup, {}, &checkpoints);
  ASSERT_TRUE(result) << result.error().message();
  ASSERT_TRUE(result->checkpoints);
  EXPECT_EQ(result->checkpoints->count, 4U);
  EXPECT_EQ(result->checkpoints->model, "test");
  EXPECT_NEAR(result->checkpoints->blocked_median_seconds, 0.08, 0.02);
  EXPECT_NEAR(result->checkpoints->blocked_seconds, 4 * 0.08, 0.08);
}

TEST(TrainingExperiment, AHookSeesTheReactorsForAsLongAsTheyRun) {
  bool alive = false, seen = false;
  RunHooks hooks;
  hooks.watch = [&](const ReactorGroup& group) -> std::shared_ptr<void> {
    seen = alive = group.is_virtual();
    return {&alive, [](bool* flag) { *flag = false; }};
  };
  TrainingProgress progress;
  hooks.progress = &progress;
  ASSERT_TRUE(train(training_on("null", 1, 5), hooks));
  EXPECT_TRUE(seen);
  EXPECT_FALSE(alive);
  EXPECT_EQ(progress.steps, 5U);
}

TEST(World, RefusesRealStorageOnTheVirtualClock) {
  const WorldSpec spec{.clock = ClockKind::kVirtual};
  EXPECT_TRUE(spec.check(costs_nothing()));
  const Result<> refused = spec.check(local_files());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().render(),
            "error: --clock: storage 'posix' cannot run on the virtual clock\n"
            "hint:  use --storage=null or --storage=model:FILE.yaml with backing: \"null\"\n");
  EXPECT_TRUE(WorldSpec{}.check(local_files()));
}

TEST(CacheUse, HasAWordForEach) {
  EXPECT_EQ(to_string(CacheUse::kDrop), "drop");
  EXPECT_EQ(to_string(CacheUse::kKeep), "keep");
  EXPECT_EQ(to_string(CacheUse::kMeasure), "measure");
}

}  // namespace
}  // namespace feedrate

// Tests training as an experiment: what its report has beside the figures of the engine.
#include "feedrate/experiment/training.h"

#include <thread>

#include "feedrate/experiment/datasets.h"
#include "feedrate/experiment/experiment_testing.h"
#include "feedrate/host/byte_origin.h"
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

TEST(TrainingExperiment, ASettingWithoutALimitIsLeftOut) {
  TrainingSetup setup = training_on("null", 2, 0);
  setup.plan.steps_max = 0;
  const auto settings = [&setup](IoEngine engine = IoEngine::kAuto) {
    return settings_of(setup, setup.plan, engine);
  };
  for (const char* absent : {"epochs", "steps", "time", "io", "io-engine"})
    EXPECT_FALSE(settings().contains(absent)) << absent;
  EXPECT_EQ(settings().at("verify"), "no");
  EXPECT_EQ(settings().at("hold"), "no");
  EXPECT_TRUE(settings().contains("prefetch"));
  setup.plan.epochs = 3;
  setup.plan.time_max = std::chrono::seconds(5);
  setup.plan.level = ByteLevel::kVerify;
  setup.plan.hold = true;
  setup.plan.readers = 0;  // The training process reads by itself, and nothing is made ahead.
  setup.place.spec = local_files();
  EXPECT_EQ(settings().at("epochs"), "3");
  EXPECT_EQ(settings().at("time"), "5.0 s");
  EXPECT_EQ(settings().at("verify"), "yes");
  EXPECT_EQ(settings().at("hold"), "yes");
  EXPECT_FALSE(settings().contains("prefetch"));
  EXPECT_EQ(settings().at("io"), "buffered");
  EXPECT_EQ(settings(IoEngine::kThreads).at("io-engine"), "threads");
  EXPECT_EQ(settings().at("cache"), "drop");
  setup.cache = CacheUse::kMeasure;
  EXPECT_EQ(settings().at("cache"), "measure");
  setup.cache = CacheUse::kDrop;
  setup.place.io = IoMode::kDirect;  // There is nothing to drop.
  EXPECT_EQ(settings().at("cache"), "keep");
}

TEST(TrainingExperiment, ARunThatNeverCameToACheckpointHasNone) {
  const ModelFile file("bandwidth: 100MB/s\n");
  CheckpointSetup written = checkpoints_on(file.storage(), {});
  CheckpointsOfRun checkpoints;
  checkpoints.checkpoints.job = written.job;
  checkpoints.checkpoints.every_steps = 1000;
  const Result<RunResult> result = train(training_on(file.storage(), 2, 20), {}, &checkpoints);
  ASSERT_TRUE(result) << result.error().message();
  ASSERT_TRUE(result->checkpoints);
  EXPECT_EQ(result->checkpoints->count, 0U);
  EXPECT_EQ(result->checkpoints->blocked_median_seconds, 0);
  EXPECT_TRUE(result->valid);
}

// The directory is somebody else's, so the first checkpoint fails, and with it the run.
TEST(TrainingExperiment, ACheckpointThatFailsIsAnError) {
  const TemporaryDirectory directory;
  directory.write("thesis.txt", "mine");
  TrainingSetup setup = training_on("null", 1, 20);
  setup.world.clock = ClockKind::kReal;
  CheckpointSetup written = checkpoints_on("null", {});
  written.job.directory = directory.path();
  CheckpointsOfRun checkpoints;
  checkpoints.checkpoints.job = written.job;
  checkpoints.checkpoints.every_steps = 5;
  checkpoints.checkpoints.storage =
      StoragePlace{.spec = local_files(), .directory = directory.path()}.make_storage(0);
  const Result<RunResult> result = train(setup, {}, &checkpoints);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::kUsage);
}

// A search reads in many runs, each behind the one before. Their storage must not repeat its noise.
TEST(TrainingExperiment, ARunThatGoesOnDrawsItsOwnNoise) {
  const ModelFile file("latency: {distribution: exponential, mean: 20ms}\n");
  const auto seconds = [&file](std::uint64_t start) {
    TrainingSetup setup = training_on(file.storage(), 1, 50);
    setup.plan.start_samples = start;
    return train(setup, {}).value().seconds;
  };
  EXPECT_EQ(seconds(0), seconds(0));
  EXPECT_EQ(seconds(400), seconds(400));
  EXPECT_NE(seconds(0), seconds(400));
  EXPECT_NE(seconds(800), seconds(400));
}

TEST(TrainingExperiment, AnInterruptedRunHasNoCeilingAndSaysSo) {
  std::stop_source stop;
  stop.request_stop();
  RunHooks hooks;
  hooks.stop = stop.get_token();
  TrainingSetup setup = training_on("null", 1, 20);
  const Result<RunResult> result = train(setup, hooks);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_TRUE(result->interrupted);
  EXPECT_FALSE(result->valid);
  EXPECT_EQ(result->ceiling.seconds, 0);
  EXPECT_EQ(result->limiter.kind, "");
  setup.world.clock = ClockKind::kReal;
  setup.place.spec = local_files();
  const ClientCeiling ceiling =
      measure_ceiling(setup, setup.plan, std::chrono::seconds(1), hooks.stop).value();
  EXPECT_LT(ceiling.seconds, 0.5) << "nobody waits for it";
}

TEST(TrainingExperiment, AReadThatFailsLeavesARunThatDoesNotCount) {
  const TemporaryDirectory empty;
  TrainingSetup setup = training_on("null", 1, 20);
  setup.world.clock = ClockKind::kReal;
  setup.place = {.spec = local_files(), .directory = empty.path()};
  const Result<RunResult> result = train(setup, {});
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_FALSE(result->valid);
  EXPECT_FALSE(result->errors.empty());
  EXPECT_EQ(result->ceiling.seconds, 0) << "there is nothing to compare it with";
  EXPECT_EQ(result->limiter.kind, "");
}

TEST(TrainingExperiment, TheSetupToBeginWithIsOneReplicaOnStorageThatCostsNothing) {
  const Workload workload = test_workload("file", 40, 1, 10'000);
  const TrainingPlan plan = test_plan(workload, ClientKind::kFaithful, 1);
  const TrainingSetup setup = default_training_setup(workload, workload.accelerators.front(),
                                                     plan.dataset, ClientKind::kFaithful);
  EXPECT_EQ(setup.plan.replicas, 1U);
  EXPECT_EQ(setup.plan.client, ClientKind::kFaithful);
  EXPECT_EQ(setup.plan.dataset, plan.dataset);
  EXPECT_EQ(setup.world.clock, ClockKind::kReal);
  EXPECT_EQ(setup.io_word(), "none");
  EXPECT_FALSE(setup.drops_cache());
  EXPECT_NE(setup.host.build, "");
  // Its run ends after its epoch, so the ceiling is measured for no longer.
  const Result<RunResult> result = train(setup, {});
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_TRUE(result->valid);
  EXPECT_EQ(result->steps, 10U);
}

// Files on a tmpfs, which every kernel knows for memory.
class TrainingInMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (find_byte_origin("/dev/shm").from() != BytesFrom::kMemory)
      GTEST_SKIP() << "/dev/shm is no memory here";
    directory_.emplace("/dev/shm");
    setup_ = training_on("null", 1, 20);
    setup_.world.clock = ClockKind::kReal;
    setup_.place = {.spec = local_files(), .directory = directory_->path()};
    setup_.plan.dataset =
        Dataset::from_plan(*plan_for(test_workload("file", 80, 1, 10'000), 0, 1, 0),
                           directory_->path())
            .value();
    GenerateProgress progress;
    ASSERT_TRUE(write_dataset(*setup_.plan.dataset, 0, progress, {}));
  }
  RunResult run(CacheUse cache) {
    setup_.cache = cache;
    return train(setup_, {}).value();
  }

  std::optional<TemporaryDirectory> directory_;
  TrainingSetup setup_;
};

TEST_F(TrainingInMemory, DoesNotCountWhereStorageIsMeant) {
  for (const CacheUse cache : {CacheUse::kDrop, CacheUse::kKeep}) {
    const RunResult result = run(cache);
    EXPECT_FALSE(result.valid);
    EXPECT_TRUE(result.invalid_reasons.at(0).starts_with(
        "the bytes came from this host's memory, not from storage (tmpfs"))
        << result.invalid_reasons.at(0);
    EXPECT_EQ(result.effective.at("cache"), to_string(cache));
    EXPECT_EQ(result.io.memory_share, 1);
    EXPECT_EQ(result.ceiling.seconds, 0);
  }
}

TEST_F(TrainingInMemory, CountsWhereMemoryIsMeasured) {
  const RunResult result = run(CacheUse::kMeasure);
  EXPECT_TRUE(result.valid);
  EXPECT_EQ(result.invalid_reasons, std::vector<std::string>{});
  EXPECT_EQ(result.io.origin, "memory");
  EXPECT_EQ(result.seeds.at("content"), setup_.plan.dataset->plan()->seed);
  EXPECT_GT(result.ceiling.seconds, 0);
  EXPECT_NE(result.limiter.kind, "");
}

// What was measured until then counts, but a run that was cut short explains nothing.
TEST_F(TrainingInMemory, AnInterruptedRunCountsAndIsComparedWithNothing) {
  setup_.cache = CacheUse::kMeasure;
  setup_.plan.steps_max = 0;
  TrainingProgress progress;
  std::stop_source stop;
  RunHooks hooks;
  hooks.progress = &progress;
  hooks.stop = stop.get_token();
  const std::jthread stopper([&](const std::stop_token& quit) {
    while (!quit.stop_requested() && progress.steps < 20)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
  });
  const RunResult result = train(setup_, hooks).value();
  EXPECT_TRUE(result.interrupted);
  EXPECT_TRUE(result.valid);
  EXPECT_GE(result.steps, 20U);
  EXPECT_EQ(result.ceiling.seconds, 0);
}

TEST_F(TrainingInMemory, WhatCheckingTakesLowersTheCeiling) {
  setup_.plan.level = ByteLevel::kVerify;
  const RunResult result = run(CacheUse::kMeasure);
  ASSERT_TRUE(result.valid);
  ASSERT_GE(result.processing.samples, 80U);
  const double each =
      result.processing.cpu_seconds / static_cast<double>(result.processing.samples);
  EXPECT_GT(each, 0);
  EXPECT_GE(result.ceiling.cpu_seconds_per_sample, each);
  EXPECT_LE(result.ceiling.samples_per_second, setup_.world.threads / each);
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

// Tests several jobs in one world: they share its storage, and each has its own limits and its own
// report.
#include "feedrate/experiment/together.h"

#include <sys/vfs.h>

#include <filesystem>

#include "feedrate/experiment/datasets.h"
#include "feedrate/experiment/experiment_testing.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;

constexpr WorldSpec kVirtualWorld{.clock = ClockKind::kVirtual};

TogetherReport run_all(std::vector<JobSetup> jobs, bool alone = false) {
  Experiment experiment;
  experiment.jobs = std::move(jobs);
  experiment.alone = alone;
  Result<TogetherReport> report = run(experiment, kVirtualWorld, {});
  EXPECT_TRUE(report) << report.error().message();
  return std::move(*report);
}

// Where the storage has enough for both jobs, each must be as it is alone, to the last bit.
TEST(Together, WithRoomForBothNeitherLosesAnything) {
  const ModelFile file("bandwidth: 1GB/s\nlatency: 1ms\n");
  const TogetherReport report = run_all({{"one", training_on(file.storage(), 4, 200)},
                                         {"other", training_on(file.storage(), 8, 150)}},
                                        true);
  ASSERT_EQ(report.jobs.size(), 2U);
  EXPECT_EQ(report.verb, "together");
  EXPECT_TRUE(report.valid);
  for (const JobTogether& job : report.jobs) {
    ASSERT_TRUE(job.train && job.train_alone);
    EXPECT_FALSE(job.checkpoint || job.checkpoint_alone);
    EXPECT_NEAR(job.train->sustained_utilisation, 1, 1e-6);
    EXPECT_NEAR(job.lost_fraction().value(), 0, 0.005);
    EXPECT_EQ(job.stuck_seconds, 0);
  }
  EXPECT_EQ(report.jobs[0].train->steps, 200U);
  EXPECT_EQ(report.jobs[1].train->steps, 150U);
}

// Two jobs of 12 accelerators want 96 MB/s together; alone each gets its 48 of 60 MB/s.
TEST(Together, WhatOneTakesTheOtherLacks) {
  const ModelFile file("bandwidth: 60MB/s\n");
  TrainingSetup endless = training_on(file.storage(), 12, 0);
  endless.plan.seed = 7;
  const TogetherReport report =
      run_all({{"one", training_on(file.storage(), 12, 300)}, {"other", std::move(endless)}});
  const RunResult& one = *report.jobs[0].train;
  const RunResult& other = *report.jobs[1].train;
  EXPECT_NEAR(one.sustained_utilisation, 60.0 / 96, 0.02);
  EXPECT_NEAR(other.sustained_utilisation, 60.0 / 96, 0.02);
  EXPECT_NEAR(one.bytes_per_second + other.bytes_per_second, 60e6, 2e6);
  EXPECT_FALSE(report.jobs[0].was_alone());
  // The other job had no limit of its own; it ended with the first, once the last reads of that one
  // were back.
  EXPECT_GE(other.seconds, one.seconds - 0.1);
  EXPECT_LE(other.seconds, one.seconds + 0.2);
  EXPECT_EQ(one.steps, 300U);
}

// Two descriptions are two storages, even when they say the same.
TEST(Together, AnotherStorageIsNotShared) {
  const ModelFile file("bandwidth: 60MB/s\n"), copy("bandwidth: 60MB/s\n");
  const TogetherReport report = run_all({{"one", training_on(file.storage(), 12, 100)},
                                         {"other", training_on(copy.storage(), 12, 100)}});
  for (const JobTogether& job : report.jobs) EXPECT_NEAR(job.train->sustained_utilisation, 1, 0.01);
}

TEST(Together, AHookSeesTheReactorsOfEachRun) {
  int watched = 0;
  RunHooks hooks;
  hooks.watch = [&watched](const ReactorGroup&) -> std::shared_ptr<void> {
    ++watched;
    return nullptr;
  };
  TrainingProgress progress;
  hooks.progress = &progress;
  Experiment experiment;
  experiment.jobs = {{"one", training_on("null", 1, 10)}, {"other", training_on("null", 1, 30)}};
  experiment.alone = true;
  ASSERT_TRUE(run(experiment, kVirtualWorld, hooks));
  EXPECT_EQ(watched, 3) << "both together, and each alone";
  EXPECT_EQ(progress.steps, 10U) << "of the first job beside the other, and of nothing else";
}

// Both ledgers agree: training lost its time while checkpoints took the storage.
TEST(Together, CheckpointsBesideTraining) {
  const ModelFile file("bandwidth: 50MB/s\n");
  const TogetherReport report =
      run_all({{"training", training_on(file.storage(), 10, 500)},
               {"checkpoints", checkpoints_on(file.storage(), milliseconds(900))}},
              true);
  const RunResult& training = *report.jobs[0].train;
  const CheckpointResult& written = *report.jobs[1].checkpoint;
  EXPECT_NEAR(report.jobs[0].train_alone->sustained_utilisation, 1, 0.01);
  EXPECT_LT(training.sustained_utilisation, 0.97);
  EXPECT_GT(written.passes.size(), 3U);
  // Alone 8 MB take 0.16 s at 50 MB/s. They are asked for in a few large writes at once, between
  // which the small reads of training find little room, so training waits and the checkpoints
  // hardly do.
  EXPECT_NEAR(report.jobs[1].checkpoint_alone->median_pass()->seconds, 0.16, 0.001);
  EXPECT_GT(written.median_pass()->seconds, 0.163);
  EXPECT_GT(report.jobs[0].lost_fraction().value(), 0.02);
  EXPECT_GT(report.jobs[1].lost_fraction().value(), 0.02);
  // Every second of every accelerator is still accounted for.
  std::int64_t sum = training.stalls.compute_ns;
  for (const StallShare& share : training.stalls.causes) sum += share.own_ns + share.carried_ns;
  EXPECT_EQ(sum, training.stalls.wall_ns);
}

// The second job's first batch takes 20 s, and the first job is over after some 3 s.
TEST(Together, AJobThatMadeNoStepIsStuck) {
  const ModelFile file("bandwidth: 1GB/s\n"), slow("latency: 20s\n");
  const TogetherReport report = run_all(
      {{"one", training_on(file.storage(), 4, 300)}, {"slow", training_on(slow.storage(), 4, 0)}},
      true);
  EXPECT_EQ(report.jobs[0].stuck_seconds, 0);
  EXPECT_GT(report.jobs[1].stuck_seconds, 2.9);
  EXPECT_FALSE(report.jobs[1].rate());
  EXPECT_FALSE(report.jobs[1].lost_fraction());
}

TEST(Together, TheSameSeedsGiveTheSameReport) {
  const ModelFile file("bandwidth: 60MB/s\nlatency: 2ms\n");
  const auto again = [&file] {
    return run_all({{"a", training_on(file.storage(), 12, 100)},
                    {"b", checkpoints_on(file.storage(), milliseconds(300))},
                    {"c", training_on(file.storage(), 3, 50)}});
  };
  const TogetherReport first = again(), second = again();
  for (std::size_t i : {0U, 2U}) {
    EXPECT_EQ(first.jobs[i].train->seconds, second.jobs[i].train->seconds);
    EXPECT_EQ(first.jobs[i].train->stalls.compute_ns, second.jobs[i].train->stalls.compute_ns);
  }
  EXPECT_EQ(first.jobs[1].checkpoint->passes.size(), second.jobs[1].checkpoint->passes.size());
}

TEST(Together, AStopEndsAllAndIsTold) {
  const ModelFile file("bandwidth: 60MB/s\n");
  std::stop_source stop;
  stop.request_stop();
  Experiment experiment;
  experiment.jobs = {{"one", training_on(file.storage(), 2, 0)},
                     {"other", training_on(file.storage(), 2, 0)}};
  experiment.alone = true;
  RunHooks hooks;
  hooks.stop = stop.get_token();
  const Result<TogetherReport> report = run(experiment, kVirtualWorld, hooks);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->interrupted);
  for (const JobTogether& job : report->jobs) {
    EXPECT_TRUE(job.train->interrupted);
    EXPECT_FALSE(job.was_alone());
  }
}

TEST(Together, OneClockForAll) {
  Experiment experiment;
  experiment.jobs = {{"one", training_on("null", 1, 10)},
                     {"train other", training_on("null", 1, 10)}};
  std::get<TrainingSetup>(experiment.jobs[1].what).world.clock = ClockKind::kReal;
  const Result<TogetherReport> report = run(experiment, kVirtualWorld, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().render(),
            "error: --clock: 'train other' is on the real clock, the first job on the virtual one\n"
            "hint:  give each job --clock=virtual\n");
}

TEST(Together, TwoJobsDoNotWriteIntoOneDirectory) {
  CheckpointSetup written = checkpoints_on("null", milliseconds(50));
  Experiment experiment;
  experiment.jobs = {{"one", training_on("null", 1, 10)}, {"a", written}, {"b", written}};
  EXPECT_TRUE(run(experiment, kVirtualWorld, {})) << "a description keeps nothing";
  for (JobSetup& job : experiment.jobs)
    std::visit([](auto& setup) { setup.world.clock = ClockKind::kReal; }, job.what);
  for (std::size_t i : {1U, 2U})
    std::get<CheckpointSetup>(experiment.jobs[i].what).place.spec = local_files();
  const Result<TogetherReport> report = run(experiment, {}, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().render(),
            "error: \"x\": two jobs write checkpoints there\n"
            "hint:  give each a directory of its own\n");
  EXPECT_FALSE(std::filesystem::exists("x"));
}

// What one job cannot do makes the report invalid, and takes no other job's figures.
TEST(Together, CheckpointsThatFailAreNamedAlsoAlone) {
  const TemporaryDirectory directory;
  directory.write("thesis.txt", "mine");
  TrainingSetup training = training_on("null", 1, 20);
  CheckpointSetup written = checkpoints_on("null", milliseconds(20));
  training.world.clock = written.world.clock = ClockKind::kReal;
  written.place = {.spec = local_files(), .directory = directory.path()};
  written.job.directory = directory.path();
  Experiment experiment;
  experiment.jobs = {{"training", std::move(training)}, {"checkpoints", std::move(written)}};
  experiment.alone = true;
  const Result<TogetherReport> report = run(experiment, {}, {});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->jobs[0].train->valid);
  EXPECT_EQ(report->jobs[0].train->steps, 20U);
  EXPECT_FALSE(report->jobs[1].checkpoint->valid);
  EXPECT_EQ(report->jobs[1].checkpoint->errors.at(0).kind, "usage");
  EXPECT_FALSE(report->valid);
  ASSERT_EQ(report->invalid_reasons.size(), 2U);
  EXPECT_TRUE(report->invalid_reasons[0].starts_with("checkpoints: \"" + directory.path()))
      << report->invalid_reasons[0];
  EXPECT_TRUE(report->invalid_reasons[1].starts_with("checkpoints (alone): \"" + directory.path()))
      << report->invalid_reasons[1];
}

// The first job ends after three checkpoints, and the others are alone for as long as that was.
TEST(Together, CheckpointsMayBeTheFirstJob) {
  const ModelFile file("bandwidth: 50MB/s\n");
  CheckpointSetup first = checkpoints_on(file.storage(), milliseconds(500));
  first.job.count = 3;
  TrainingSetup limited = training_on(file.storage(), 2, 0);
  limited.plan.time_max = milliseconds(300);
  const TogetherReport report = run_all({{"checkpoints", std::move(first)},
                                         {"endless", training_on(file.storage(), 2, 0)},
                                         {"limited", std::move(limited)}},
                                        true);
  EXPECT_TRUE(report.valid);
  ASSERT_EQ(report.jobs[0].checkpoint->passes.size(), 3U);
  EXPECT_EQ(report.jobs[0].checkpoint_alone->passes.size(), 3U);
  double lasted = 0;
  for (const CheckpointPass& pass : report.jobs[0].checkpoint->passes)
    lasted += pass.restorable_seconds;
  EXPECT_NEAR(report.jobs[1].train_alone->seconds, lasted, 0.05);
  EXPECT_NEAR(report.jobs[2].train_alone->seconds, std::min(0.3, lasted), 0.05);
}

TEST(Together, AJobWithoutAStepIsRefused) {
  Experiment experiment;
  experiment.jobs = {{"one", training_on("null", 1, 10)},
                     {"other", training_on("null", 100'000, 10)}};
  const Result<TogetherReport> report = run(experiment, kVirtualWorld, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::kUsage);
}

// On the real clock with real files, a failed read makes one job INVALID and leaves the other
// valid.
TEST(Together, AnInvalidJobIsNamed) {
  const TemporaryDirectory directory;
  TrainingSetup broken = training_on("null", 1, 20);
  broken.world.clock = ClockKind::kReal;
  TrainingSetup whole = broken;
  broken.place.spec = local_files();
  broken.place.directory = directory.path();
  broken.cache = CacheUse::kKeep;
  Experiment experiment;
  experiment.jobs = {{"whole", std::move(whole)}, {"broken", std::move(broken)}};
  const Result<TogetherReport> report = run(experiment, {}, {});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->jobs[0].train->valid);
  EXPECT_EQ(report->jobs[0].train->steps, 20U);
  EXPECT_FALSE(report->jobs[1].train->valid);
  EXPECT_FALSE(report->valid);
  EXPECT_TRUE(report->invalid_reasons.front().starts_with("broken: "))
      << report->invalid_reasons.front();
  EXPECT_EQ(report->jobs[1].train->warnings.back(),
            "CPU time and memory are counted by process: in this report they are those of all jobs "
            "together");
}

// Whether files lie in memory needs no counter that tells the jobs apart.
TEST(Together, BytesFromMemoryDoNotCount) {
  const std::filesystem::path memory = "/dev/shm";
  struct statfs system{};
  constexpr auto kTmpfs = 0x01021994;
  if (statfs(memory.c_str(), &system) != 0 || system.f_type != kTmpfs)
    GTEST_SKIP() << "/dev/shm is no tmpfs here";
  const TemporaryDirectory directory(memory);
  TrainingSetup setup = training_on("null", 1, 20);
  setup.world.clock = ClockKind::kReal;
  setup.place.spec = local_files();
  setup.place.directory = directory.path();
  setup.cache = CacheUse::kKeep;
  setup.plan.dataset = Dataset::from_plan(*setup.plan.dataset->plan(), directory.path()).value();
  GenerateProgress progress;
  ASSERT_TRUE(write_dataset(*setup.plan.dataset, 0, progress, {}));
  Experiment experiment;
  experiment.jobs = {{"one", setup}, {"other", training_on("null", 1, 20)}};
  std::get<TrainingSetup>(experiment.jobs[1].what).world.clock = ClockKind::kReal;
  const Result<TogetherReport> report = run(experiment, {}, {});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->valid);
  EXPECT_TRUE(report->invalid_reasons.front().starts_with(
      "one: the bytes came from this host's memory, not from storage (tmpfs"))
      << report->invalid_reasons.front();
  EXPECT_TRUE(report->jobs[1].train->valid);
  // Unless memory is what is measured.
  std::get<TrainingSetup>(experiment.jobs[0].what).cache = CacheUse::kMeasure;
  const Result<TogetherReport> wanted = run(experiment, {}, {});
  ASSERT_TRUE(wanted) << wanted.error().message();
  EXPECT_TRUE(wanted->valid);
  EXPECT_EQ(wanted->invalid_reasons, std::vector<std::string>{});
  EXPECT_EQ(wanted->jobs[0].train->io.origin, "memory");
}

}  // namespace
}  // namespace feedrate

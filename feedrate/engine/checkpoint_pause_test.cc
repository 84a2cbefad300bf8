// Checkpoints in the middle of training: when, for how long, and what the stall ledger says.
#include <gtest/gtest.h>

#include "feedrate/engine/checkpoint_guest.h"
#include "feedrate/engine/engine_testing.h"
#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;

// 12 MiB on two ranks.
struct Checkpoints {
  std::unique_ptr<CheckpointLayout> layout = make_checkpoint_layout("raw").value();
  TrainingCheckpoints training;

  explicit Checkpoints(const StorageFactory& storage) {
    training.storage = storage;
    training.job.layout = layout.get();
    training.job.directory = "x";
    training.job.head.layout = "raw";
    training.job.head.step = 1;
    for (std::uint64_t rank = 0; rank < 2; ++rank) {
      const std::uint64_t bytes = std::uint64_t{6} << 20U;
      const TensorPiece piece{"w", Dtype::kU8, {2 * bytes}, {rank * bytes}, {bytes}};
      ranks_.push_back({rank, {{"weights", {piece}}}});
    }
    training.job.ranks = layout->place(ranks_);
  }

 private:
  std::vector<RankGroups> ranks_;
};

TrainingPlan plan_of_steps(std::uint64_t steps) {
  TrainingPlan plan = test_plan(test_workload("file", 400, 1, 10'000), ClientKind::kNative, 2);
  plan.epochs = 0;
  plan.steps_max = steps;
  return plan;
}

struct Course {
  TrainingOutcome outcome;
  RunResult result;
  std::vector<WrittenCheckpoint> written;
  double lost(std::string_view cause) const {
    for (const StallShare& share : result.stalls.causes)
      if (share.cause == cause) return static_cast<double>(share.own_ns + share.carried_ns) / 1e9;
    return -1;
  }
};

Course run_with(const TrainingPlan& plan, TrainingCheckpoints& checkpoints) {
  const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1).value();
  TrainingProgress progress;
  Course run;
  CheckpointGuest guest(checkpoints, 1);
  run.outcome = run_training(*group, checkpoints.storage, plan, nullptr, progress, {}, &guest);
  run.written = guest.summary().written;
  run.result = summarise_training(plan, run.outcome);
  return run;
}

StorageFactory modelled(const ModelFile& file) {
  return make_storage_factory(parse_storage(file.storage()).value(), IoMode::kBuffered, ".", 1);
}

TEST(CheckpointPause, EverySecondOfItIsTheCheckpoints) {
  const ModelFile file("bandwidth: 100MB/s\n");
  Checkpoints checkpoints(modelled(file));
  checkpoints.training.every_steps = 10;
  const Course run = run_with(plan_of_steps(45), checkpoints.training);
  ASSERT_TRUE(run.result.valid) << run.result.invalid_reasons.front();
  const auto& written = run.written;
  ASSERT_EQ(written.size(), 4U);
  double blocked = 0;
  for (const WrittenCheckpoint& each : written) {
    EXPECT_NEAR(to_seconds(each.blocked), 12 * 1048576 / 100e6, 0.03);  // and reads meanwhile
    blocked += to_seconds(each.blocked);
  }
  EXPECT_NEAR(run.lost("checkpoint"), 2 * blocked, 1e-6);
  EXPECT_NEAR(run.result.seconds, 45 * 0.010 + blocked, 0.02);
}

TEST(CheckpointPause, WrittenBehindItCostsTheSnapshot) {
  const ModelFile file("bandwidth: 100MB/s\n");
  Checkpoints checkpoints(modelled(file));
  checkpoints.training.every_steps = 20;
  checkpoints.training.job.asynchronous = true;
  checkpoints.training.job.snapshot_bytes_per_second = 6 * 1048576 / 0.004;  // 4 ms a rank
  const Course run = run_with(plan_of_steps(70), checkpoints.training);
  const auto& written = run.written;
  ASSERT_EQ(written.size(), 3U);
  EXPECT_NEAR(to_seconds(written[0].blocked), 0.004, 1e-6);
  EXPECT_GT(to_seconds(written[0].restorable), 0.1);
  EXPECT_NEAR(run.lost("checkpoint"), 2 * 3 * 0.004, 1e-3);
  // Faster than it can be written: the next one waits.
  checkpoints.training.every_steps = 5;
  const Course often = run_with(plan_of_steps(21), checkpoints.training);
  EXPECT_GT(to_seconds(often.written[1].waited), 0.03);
}

TEST(CheckpointPause, ByTimeOfTraining) {
  Checkpoints checkpoints(make_storage_factory(costs_nothing(), IoMode::kBuffered, ".", 1));
  checkpoints.training.every = milliseconds(95);
  const Course run = run_with(plan_of_steps(45), checkpoints.training);
  EXPECT_EQ(run.written.size(), 4U);
  EXPECT_EQ(run.lost("checkpoint"), 0);
}

TEST(CheckpointPause, NoneAfterTheLastStep) {
  Checkpoints checkpoints(make_storage_factory(costs_nothing(), IoMode::kBuffered, ".", 1));
  checkpoints.training.every_steps = 10;
  EXPECT_EQ(run_with(plan_of_steps(10), checkpoints.training).written.size(), 0U);
  EXPECT_EQ(run_with(plan_of_steps(11), checkpoints.training).written.size(), 1U);
}

TEST(CheckpointPause, RealFilesOnSeveralReactorsAndWhatFails) {
  const TemporaryDirectory directory;
  Checkpoints checkpoints(
      make_storage_factory(local_files(), IoMode::kBuffered, directory.path(), 1));
  checkpoints.training.job.directory = directory.path() + "/c";
  checkpoints.training.job.keep = 2;
  checkpoints.training.every_steps = 4;
  const auto null = make_storage_factory(costs_nothing(), IoMode::kBuffered, ".", 1);
  struct Ended {
    TrainingOutcome outcome;
    std::size_t written = 0;
    std::optional<Error> error;
  };
  const auto run = [&] {
    const auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2).value();
    TrainingProgress progress;
    CheckpointGuest guest(checkpoints.training, 2);
    Ended ended;
    ended.outcome = run_training(*group, null, plan_of_steps(14), nullptr, progress, {}, &guest);
    ended.written = guest.summary().written.size();
    ended.error = guest.error();
    return ended;
  };
  for (const bool behind : {false, true}) {
    checkpoints.training.job.asynchronous = behind;
    const Ended ended = run();
    EXPECT_FALSE(ended.error) << ended.error->message();
    EXPECT_EQ(ended.outcome.steps.size(), 14U);
    EXPECT_EQ(ended.written, 3U);
  }
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/c/step-0000000006/checkpoint.json"));
  std::ofstream(directory.path() + "/c/feedrate-checkpoints.json").close();
  std::filesystem::remove(directory.path() + "/c/feedrate-checkpoints.json");
  const Ended foreign = run();  // not ours: refused before the first step
  ASSERT_TRUE(foreign.error);
  EXPECT_TRUE(foreign.outcome.steps.empty());
  EXPECT_NE(foreign.error->message().find("nothing is written there"), std::string::npos);
}

}  // namespace
}  // namespace feedrate

#include "feedrate/engine/host_time.h"

#include <gtest/gtest.h>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/host/host_testing.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(int ms) { return Instant(milliseconds(ms)); }

std::string text(const std::vector<StallPiece>& pieces) {
  std::string all;
  for (const StallPiece& piece : pieces)
    all += std::string(to_string(piece.cause)) + " " +
           std::to_string(piece.until.time_since_epoch() / milliseconds(1)) + ", ";
  return all;
}

TEST(BlameHost, CutsWhatWasHeldBackOutOfThePieces) {
  const std::vector<StallPiece> pieces{{at(20), StallCause::kOpen},
                                       {at(50), StallCause::kFirstByte}};
  const std::vector<HostPause> pauses{{at(5), at(8)}, {at(15), at(30)}, {at(40), at(45)}};
  EXPECT_EQ(text(blame_host(pieces, at(10), at(50), pauses)),
            "open 15, host 20, host 30, first-byte 40, host 45, first-byte 50, ");
  EXPECT_EQ(text(blame_host(pieces, at(10), at(50), {})), "open 20, first-byte 50, ");
  EXPECT_EQ(text(blame_host(pieces, at(46), at(50), pauses)), "open 20, first-byte 50, ");
}

TEST(BlameHost, TimeWithoutAPieceIsThere) {
  const std::vector<HostPause> pauses{{at(15), at(90)}};
  EXPECT_EQ(text(blame_host({}, at(10), at(50), pauses)), "queue 15, host 50, ");
}

TEST(HostCounters, AreTheKernels) {
  const FakeTree tree;
  EXPECT_EQ(read_host_counters(tree.roots()).stolen, Duration{});
  tree.write("proc/stat", "cpu 1 2 3 4 5 6 7 150 0 0\n");
  tree.write("proc/self/cgroup", "0::/a/b\n");
  tree.write("proc/self/mountinfo", "1 1 0:9 / " + tree.path("G") + " rw - cgroup2 none rw\n");
  tree.write("G/a/b/cpu.stat", "usage_usec 5\nthrottled_usec 2500\n");
  tree.write("G/a/cpu.stat", "throttled_usec 500\n");
  EXPECT_EQ(read_host_counters(tree.roots()).stolen, milliseconds(1500));
  EXPECT_EQ(read_host_counters(tree.roots()).throttled, milliseconds(3));
}

// A run that waits for storage all the time, of about 2 s, in which the host held it back.
RunResult run_with(const std::vector<HostPause>& pauses) {
  Workload workload = test_workload("file", 400, 1, 100'000);
  workload.accelerators = {{"x", 1, std::chrono::microseconds(100), "test"}};
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  plan.readers = 1;
  plan.prefetch_batches = 1;
  plan.epochs = 0;
  plan.steps_max = 200;
  const ModelFile file("latency: 10ms\n");
  const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1).value();
  for (const HostPause& pause : pauses) group->reactor(0).add_pause(pause);
  const auto factory = make_storage_factory(parse_storage(file.storage()).value(),
                                            IoMode::kBuffered, ".", plan.seed);
  TrainingProgress progress;
  return summarise_training(plan, run_training(*group, factory, plan, nullptr, progress, {}));
}

double lost_to_host(const RunResult& run) {
  std::int64_t sum = run.stalls.compute_ns;
  double host = 0;
  for (const StallShare& share : run.stalls.causes) {
    sum += share.own_ns + share.carried_ns;
    if (share.cause == "host") host = static_cast<double>(share.own_ns) / 1e9;
  }
  EXPECT_EQ(sum, run.stalls.wall_ns);
  return host;
}

TEST(HostTime, AStopIsACauseOfItsOwnAndMoreThanATwentiethDoesNotCount) {
  EXPECT_EQ(lost_to_host(run_with({})), 0);
  const RunResult shortly = run_with({{at(1000), at(1050), PauseKind::kStopped}});
  EXPECT_NEAR(lost_to_host(shortly), 0.05, 0.002);
  EXPECT_TRUE(shortly.valid);
  EXPECT_NEAR(shortly.host_time.stopped_seconds, 0.05, 1e-9);

  const RunResult stopped = run_with({{at(1000), at(1500), PauseKind::kStopped}});
  EXPECT_NEAR(lost_to_host(stopped), 0.5, 0.01);
  ASSERT_EQ(stopped.invalid_reasons.size(), 1U);
  EXPECT_TRUE(
      stopped.invalid_reasons.front().starts_with("this process was stopped for 500.00 ms of "))
      << stopped.invalid_reasons.front();
  EXPECT_TRUE(stopped.invalid_reasons.front().ends_with(
      "by SIGSTOP, Ctrl-Z, a debugger or a freezer; what the storage can do was not measured: run "
      "it again, and let it run"));
}

// A short run that stood still once, as guests do now and then, is told of it, and counts.
TEST(HostTime, AStopOfLessThanATenthOfASecondIsTold) {
  const TrainingPlan plan = test_plan(test_workload("file", 400, 1, 100'000), {}, 1);
  RunResult run;
  run.seconds = 0.1;
  run.host_time.stopped_seconds = 0.008;
  judge_host_time(plan, {}, run);
  EXPECT_TRUE(run.invalid_reasons.empty());
  ASSERT_EQ(run.warnings.size(), 1U);
  EXPECT_EQ(run.warnings.front(),
            "this process was stopped for 8.00 ms of 100.00 ms (8.0 %): by SIGSTOP, Ctrl-Z, a "
            "debugger or a freezer; the run is too short to even that out");
  run.seconds = 1;
  run.host_time.stopped_seconds = 0.101;
  judge_host_time(plan, {}, run);
  EXPECT_EQ(run.invalid_reasons.size(), 1U);
}

TEST(HostTime, SoIsAQuota) {
  std::vector<HostPause> pauses;
  for (int begin = 0; begin < 2000; begin += 100)
    pauses.push_back({at(begin + 50), at(begin + 100), PauseKind::kQuota});
  const RunResult run = run_with(pauses);
  ASSERT_EQ(run.invalid_reasons.size(), 1U);
  EXPECT_TRUE(run.invalid_reasons.front().starts_with(
      "the CPU quota of this control group held this process back for "))
      << run.invalid_reasons.front();
  EXPECT_TRUE(run.invalid_reasons.front().ends_with(
      "raise it (cpu.max, CPUQuota=, 'docker run --cpus', limits.cpu), or use fewer accelerators"));
}

// The kernel's count is a sum over processors and groups: it may be longer than the run.
TEST(HostTime, AQuotaHoldsBackForNoLongerThanTheRunTakes) {
  Workload workload = test_workload("file", 400, 1, 100'000);
  const TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  TrainingOutcome outcome;
  outcome.host_cores = 2;
  RunResult run;
  run.seconds = 0.5;
  run.host_time.throttled_cpu_seconds = 4;
  judge_host_time(plan, outcome, run);
  ASSERT_EQ(run.invalid_reasons.size(), 1U);
  EXPECT_TRUE(run.invalid_reasons.front().starts_with(
      "the CPU quota of this control group held this process back for 500.00 ms of 500.00 ms "
      "(100"))
      << run.invalid_reasons.front();
  run.invalid_reasons.clear();
  run.host_time.throttled_cpu_seconds = 0.25;  // of each processor a half of that
  judge_host_time(plan, outcome, run);
  ASSERT_EQ(run.invalid_reasons.size(), 1U);
  EXPECT_NE(run.invalid_reasons.front().find("125.00 ms of 500.00 ms"), std::string::npos)
      << run.invalid_reasons.front();
}

// Every step takes the same here, so stolen time changes nothing, and is only said.
TEST(HostTime, StolenTimeCountsOnlyWhereItChangesTheUtilisation) {
  const RunResult same = run_with({{at(1000), at(1200), PauseKind::kStolen}});
  EXPECT_TRUE(same.valid);
  ASSERT_EQ(same.warnings.size(), 1U);
  EXPECT_TRUE(same.warnings.front().starts_with("the hypervisor took this host's processors away"));
  EXPECT_TRUE(same.warnings.front().ends_with("without those steps the utilisation is the same"));
}

TEST(HostTime, WhereItChangesTheUtilisationTheRunDoesNotCount) {
  Workload workload = test_workload("file", 400, 1, 100'000);
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  TrainingOutcome outcome;
  Instant now{};
  for (int step = 0; step < 400; ++step) {
    const bool hit = step % 2 == 1;
    const Instant begin = now;
    now += hit ? milliseconds(60) : milliseconds(11 + step % 3);
    if (hit) outcome.pauses.push_back({begin, now, PauseKind::kStolen});
    outcome.steps.push_back({now, 0});
  }
  RunResult run;
  run.seconds = to_seconds(now - Instant{});
  run.host_time = summarise_host_time(outcome);
  judge_host_time(plan, outcome, run);
  ASSERT_EQ(run.invalid_reasons.size(), 1U);
  EXPECT_TRUE(run.invalid_reasons.front().ends_with(
      "and the utilisation without those steps is another; run it again when the hypervisor's host "
      "is less busy"))
      << run.invalid_reasons.front();
}

}  // namespace
}  // namespace feedrate

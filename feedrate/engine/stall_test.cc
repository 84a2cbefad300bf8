// What the stall ledger says when one known delay is put into the storage, the decoder or a rank.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/engine/stall_trace.h"
#include "feedrate/engine/work_source.h"

namespace feedrate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint64_t kSteps = 200;

// One sample a batch, one reader, nothing read ahead but the next sample: what a sample takes is
// what the accelerator waits, but for the 0.1 ms that it computes.
TrainingPlan exposed_plan(DirectoryLayout layout = DirectoryLayout::kFlat) {
  Workload workload = test_workload("file", 400, 1, 100'000);
  workload.dataset.layout = layout;
  workload.dataset.folders = layout == DirectoryLayout::kSubfolders ? 4 : 0;
  workload.accelerators = {{"x", 1, microseconds(100), "test"}};
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  plan.readers = 1;
  plan.prefetch_batches = 1;
  plan.epochs = 0;
  plan.steps_max = kSteps;
  return plan;
}

constexpr const char* kBase = "open: 1ms\nlatency: 4ms\nstream_bandwidth: 100MB/s\n";

struct Shares {
  // Of the base run's wall time, as all runs make the same steps.
  std::map<std::string, double> lost;
  double wall_seconds = 0;
};

Shares shares_of(const RunResult& result) {
  EXPECT_TRUE(result.valid) << result.invalid_reasons.front();
  Shares shares;
  shares.wall_seconds = static_cast<double>(result.stalls.wall_ns) / 1e9;
  std::int64_t sum = result.stalls.compute_ns;
  for (const StallShare& share : result.stalls.causes) {
    shares.lost[share.cause] = static_cast<double>(share.own_ns + share.carried_ns) / 1e9;
    sum += share.own_ns + share.carried_ns;
  }
  EXPECT_EQ(sum, result.stalls.wall_ns);
  return shares;
}

RunResult run(const TrainingPlan& plan, const std::string& model) {
  const ModelFile file(model);
  return summarise_training(plan, run_virtual(plan, file.storage()));
}

// `moved` must have risen by `seconds_a_step`, to 5 points of the base run's wall time, and no
// other cause by more than 2.
void expect_moved(const Shares& base, const Shares& injected, const std::string& moved,
                  double seconds_a_step) {
  for (const auto& [cause, lost] : injected.lost) {
    const double points = 100 * (lost - base.lost.at(cause)) / base.wall_seconds;
    const double expected =
        cause == moved ? 100 * seconds_a_step * static_cast<double>(kSteps) / base.wall_seconds : 0;
    EXPECT_NEAR(points, expected, cause == moved ? 5 : 2) << cause;
  }
}

TEST(Stalls, AnInjectedDelayMovesItsOwnCauseAndNoOther) {
  TrainingPlan plan = exposed_plan();
  const Shares base = shares_of(run(plan, kBase));
  EXPECT_NEAR(base.lost.at("open"), kSteps * 0.9e-3, 2e-3);
  EXPECT_NEAR(base.lost.at("first-byte"), kSteps * 4e-3, 6e-3);
  EXPECT_NEAR(base.lost.at("transfer"), kSteps * 1e-3, 2e-3);

  expect_moved(base, shares_of(run(plan, "open: 6ms\nlatency: 4ms\nstream_bandwidth: 100MB/s\n")),
               "open", 5e-3);
  expect_moved(base, shares_of(run(plan, "open: 1ms\nlatency: 6ms\nstream_bandwidth: 100MB/s\n")),
               "first-byte", 2e-3);
  expect_moved(base, shares_of(run(plan, "open: 1ms\nlatency: 4ms\nstream_bandwidth: 25MB/s\n")),
               "transfer", 3e-3);
  plan.level = ByteLevel::kDecode;
  plan.decode_time = milliseconds(5);
  expect_moved(base, shares_of(run(plan, kBase)), "decode", 5e-3);
}

TEST(Stalls, ASlowDirectoryMovesItsShareAndIsNamed) {
  const TrainingPlan plan = exposed_plan(DirectoryLayout::kSubfolders);
  const Shares base = shares_of(run(plan, kBase));
  const std::string slow = plan.dataset->path(0).substr(0, plan.dataset->path(0).rfind('/'));
  const RunResult result =
      run(plan, std::string(kBase) + "slow: [{path: " + slow + "/, latency: 20ms}]\n");
  std::uint64_t slow_samples = 0;
  EpochOrders orders(plan);
  WorkSource source(plan, orders, 0);
  for (std::uint64_t step = 0; step < kSteps; ++step)
    slow_samples += plan.dataset->path(source.next(1U << 20U, 1)->file).starts_with(slow + "/");
  EXPECT_NEAR(static_cast<double>(slow_samples), kSteps / 4.0, 15);
  expect_moved(base, shares_of(result), "first-byte",
               20e-3 * static_cast<double>(slow_samples) / kSteps);
  const auto place = std::ranges::find_if(result.stalls.places, [](const StallPlace& candidate) {
    return candidate.kind == "directory" && candidate.cause == "first-byte";
  });
  ASSERT_NE(place, result.stalls.places.end());
  EXPECT_EQ(place->name, slow);
  EXPECT_NEAR(static_cast<double>(place->ns) / 1e9, 24e-3 * static_cast<double>(slow_samples),
              0.05);
}

TEST(Stalls, ASlowRankIsWhatTheOthersWaitFor) {
  TrainingPlan plan = exposed_plan();
  plan.replicas = 3;
  plan.timing.compute = milliseconds(20);
  plan.readers = 2;
  plan.prefetch_batches = 3;
  const Shares base = shares_of(run(plan, kBase));
  plan.slow_ranks[1] = 1.5;
  const RunResult result = run(plan, kBase);
  const Shares injected = shares_of(result);
  // The two others wait 10 ms a step.
  EXPECT_NEAR(injected.lost.at("compute"), 2 * kSteps * 10e-3, 0.01);
  for (const auto& [cause, lost] : injected.lost) {
    if (cause == "compute") continue;
    EXPECT_NEAR(lost - base.lost.at(cause), 0, 0.02 * base.wall_seconds) << cause;
  }
  ASSERT_EQ(result.stalls.ranks.size(), 3U);
  EXPECT_NEAR(static_cast<double>(result.stalls.ranks[1].compute_ns), kSteps * 30e6, 1);
  EXPECT_EQ(result.stalls.ranks[1].causes.front().cause, "startup");
  EXPECT_EQ(result.stalls.ranks[1].causes.size(), 1U);
}

TEST(Stalls, OfSeveralMissingSamplesTheNearestOneCounts) {
  // Two at a time, 10 ms each, a batch of four: at any instant one is being read.
  Workload workload = test_workload("file", 400, 1, 1000);
  workload.accelerators = {{"x", 4, microseconds(1), "test"}};
  TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
  plan.readers = 2;
  plan.prefetch_batches = 1;
  plan.epochs = 0;
  plan.steps_max = 50;
  const RunResult two = run(plan, "latency: 10ms\n");
  EXPECT_NEAR(shares_of(two).lost.at("first-byte"), 49 * 20e-3, 1e-3);
  EXPECT_NEAR(shares_of(two).lost.at("startup"), 20e-3, 1e-3);
}

TEST(Stalls, WaitingForAReaderOrABufferIsQueueing) {
  StallTrace trace;
  trace.restart(Instant(milliseconds(7)), 3, 0);  // no reader was free until then
  trace.add(StallCause::kOpen, Instant(milliseconds(9)));
  StallChain chain;
  chain.busy_until(Instant(milliseconds(2)));
  chain.advance(trace, Instant(milliseconds(10)));
  const std::vector<StallPiece> pieces = chain.take();
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].cause, StallCause::kQueue);
  EXPECT_EQ(pieces[0].until, Instant(milliseconds(7)));
  EXPECT_EQ(pieces[1].cause, StallCause::kOpen);
  EXPECT_EQ(pieces[1].file, 3U);
  EXPECT_EQ(pieces[2].cause, StallCause::kQueue);  // handed over late
}

TEST(Stalls, TheFrameworksLoaderFillsItsWindowAnewEachEpoch) {
  Workload workload = test_workload("file", 40, 1, 1000);
  TrainingPlan plan = test_plan(workload, ClientKind::kFaithful, 1);
  plan.epochs = 3;
  plan.readers = 2;
  const Shares shares = shares_of(run(plan, "latency: 5ms\n"));
  // A reader's batch of four takes 20 ms. A loop over a framework's loader asks for the next epoch
  // after the last step of the one before it, not while that step computes.
  EXPECT_NEAR(shares.lost.at("startup"), 3 * 20e-3, 1e-4);
}

TEST(Stalls, EverySecondAndEveryRankAddUp) {
  for (const ClientKind client : {ClientKind::kNative, ClientKind::kFaithful}) {
    for (const std::uint64_t per_file : {1, 20}) {
      const Workload workload = test_workload("tfrecord", 2000 / per_file, per_file, 30'000);
      TrainingPlan plan = test_plan(workload, client, 5);
      plan.epochs = 4;
      const RunResult result =
          run(plan,
              "bandwidth: 150MB/s\nopen: 1ms\nlatency: {distribution: lognormal, median: 1ms, p99: "
              "40ms}\n");
      shares_of(result);
      double series = 0;
      for (const auto& causes : result.stalls.series)
        for (const double seconds : causes) series += seconds;
      const auto lost = static_cast<double>(result.stalls.wall_ns - result.stalls.compute_ns);
      EXPECT_NEAR(series, lost / 1e9, 1e-6);
      EXPECT_GT(lost / static_cast<double>(result.stalls.wall_ns), 0.05);
      for (const RankStallResult& rank : result.stalls.ranks) {
        std::int64_t sum = rank.compute_ns;
        for (const StallShare& share : rank.causes) sum += share.own_ns + share.carried_ns;
        EXPECT_EQ(sum * 5, result.stalls.wall_ns);
      }
    }
  }
}

}  // namespace
}  // namespace feedrate

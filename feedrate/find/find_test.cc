#include "feedrate/find/find.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/random.h"
#include "feedrate/engine/engine_testing.h"
#include "feedrate/find/reason.h"
#include "feedrate/result/views.h"

namespace feedrate {
namespace {

// A job, a storage and how to search. Each test changes what it is about.
struct Case {
  Workload workload = test_workload("file", 4000, 1, 100000);  // 40 MB/s an accelerator
  std::string storage = "null";
  std::string later_storage;  // from this trial on
  std::size_t later_from = 0;
  FindOptions options;
  std::uint32_t pipeline = 1;
  std::uint32_t readers = 0;  // the user's
  ClientKind client = ClientKind::kNative;
  std::map<std::uint32_t, double> slow_ranks;
  std::uint64_t seed = 1;
  std::vector<TrialRequest> asked;  // of the trials, in order
  std::stop_token stop;
  std::function<void(const TrialRequest&)> after;  // a trial
  std::size_t held_back = 0;                       // so many trials, from the first

  Result<FindResult> search() {
    TrainingPlan plan = test_plan(workload, client, 1);
    plan.pipeline_parallel = pipeline;
    plan.slow_ranks = slow_ranks;
    if (readers > 0) plan.readers = readers;
    options.keep_readers = readers > 0;
    if (client == ClientKind::kFaithful) {
      options.goes_on = false;
      options.keep_readers = options.keep_prefetch = options.keep_transfer = true;
    }
    const TrialRunner runner = [&](const TrialRequest& request,
                                   StepObserver& observer) -> Result<RunResult> {
      asked.push_back(request);
      TrainingPlan trial = plan;
      trial.replicas = request.accelerators / trial.replica_accelerators();
      trial.readers = request.load.readers;
      trial.prefetch_batches = request.load.prefetch_batches;
      trial.transfer_bytes = request.load.transfer_bytes;
      trial.buffer_bytes = request.load.buffer_bytes;
      trial.epochs = 0;
      trial.seed = combine_seeds(seed, request.number);
      if (request.free_steps) {
        trial.timing.compute = Duration(1);
        trial.slow_ranks.clear();
      }
      const bool later = !later_storage.empty() && request.number >= later_from;
      RunResult run =
          summarise_training(trial, run_virtual(trial, later ? later_storage : storage, &observer));
      if (after) after(request);
      if (asked.size() <= held_back) {
        run.valid = false;
        run.invalid_reasons = {"the process was stopped"};
        run.host_time.stopped_seconds = run.seconds;
      }
      return run;
    };
    return find_accelerators(options, plan,
                             plan.dataset->samples() / plan.timing.batch_samples * pipeline, 1,
                             runner, {}, stop);
  }
};

bool holds(const FindResult& result, std::uint32_t truth) {
  return result.accelerators_low <= truth && truth <= result.accelerators_high;
}
void expect_exactly(const FindResult& result, std::uint32_t number) {
  EXPECT_EQ(result.accelerators_low, number) << result.reason;
  EXPECT_EQ(result.accelerators, number) << result.reason;
  EXPECT_EQ(result.accelerators_high, number) << result.reason;
}

TEST(Find, GivesExactlyWhatTheBandwidthCarries) {
  RandomStream random(99);
  for (int round = 0; round < 8; ++round) {
    const double carried = 1.05 + random.uniform() * 20;  // accelerators at the threshold
    const double fraction = carried - std::floor(carried);
    if (fraction < 0.08 || fraction > 0.92) continue;  // too near a whole number to be fair
    for (const bool jitter : {false, true}) {
      const ModelFile model("bandwidth: " + std::to_string(carried * 0.9 * 40) + "MB/s\n" +
                            (jitter ? "latency: {distribution: exponential, mean: 1ms}\n" : ""));
      Case job;
      job.storage = model.storage();
      const auto result = job.search();
      ASSERT_TRUE(result.has_value()) << result.error().message();
      SCOPED_TRACE(testing::Message() << carried << " jitter " << jitter);
      expect_exactly(*result, static_cast<std::uint32_t>(carried));
      EXPECT_EQ(result->limited_by, "storage") << result->reason;
      EXPECT_TRUE(result->saturated);
    }
  }
}

// One replica's reads say nothing of what many replicas move, and 18 s have room for only a few
// looks.
TEST(Find, TheFrameworksNumberInAShortBudget) {
  for (const std::uint32_t carried : {3U, 12U, 40U}) {
    const ModelFile model("bandwidth: " + std::to_string((carried + 0.5) * 0.9 * 40) +
                          "MB/s\nlatency: {distribution: exponential, mean: 1ms}\n");
    Case job;
    job.workload = test_workload("file", 100'000, 1, 100'000);
    job.storage = model.storage();
    job.client = ClientKind::kFaithful;
    job.options.budget = std::chrono::seconds(18);
    const auto result = job.search();
    ASSERT_TRUE(result.has_value()) << result.error().message();
    EXPECT_TRUE(holds(*result, carried))
        << carried << ": " << result->accelerators_low << " to " << result->accelerators_high;
    EXPECT_LE(result->accelerators_high - result->accelerators_low, std::max(3U, carried / 5))
        << carried << ": " << result->accelerators_low << " to " << result->accelerators_high;
    EXPECT_LE(result->spent_seconds, 18.1);
  }
}

// An epoch of a job has so few steps here that beginning anew costs a third of it. The number must
// be that of whole epochs, as a long run has them.
TEST(Find, TheFrameworksNumberHasTheRestartsOfItsEpochsInIt) {
  const ModelFile model("bandwidth: 1GB/s\nlatency: 1ms\n");
  Case job;
  job.storage = model.storage();
  job.client = ClientKind::kFaithful;
  job.options.budget = std::chrono::seconds(18);
  const auto result = job.search();
  ASSERT_TRUE(result.has_value()) << result.error().message();
  std::uint32_t truth = 0;
  for (std::uint32_t n = 1; n <= 28; ++n) {
    TrainingPlan plan = test_plan(job.workload, ClientKind::kFaithful, n);
    plan.epochs = 40;
    const RunResult run = summarise_training(plan, run_virtual(plan, job.storage));
    if (run.sustained_utilisation >= job.options.au_threshold) truth = n;
  }
  EXPECT_LT(truth, 27U) << "1 GB/s / (0.9 x 40 MB/s) = 27.8 without restarts";
  EXPECT_TRUE(holds(*result, truth))
      << truth << ": " << result->accelerators_low << " to " << result->accelerators_high;
  EXPECT_LE(result->accelerators_high - result->accelerators_low, std::max(3U, truth / 5))
      << truth << ": " << result->accelerators_low << " to " << result->accelerators_high;
}

TEST(Find, ASearchThatItsSamplesEndSaysSo) {
  Case job;
  // The curve meets the threshold at 27.03, so 27 takes long to decide.
  const ModelFile model("bandwidth: 973MB/s\nlatency: {distribution: exponential, mean: 1ms}\n");
  job.storage = model.storage();
  job.options.samples_max = 12'000;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_GT(result->narrower_budget_seconds, 0);
  EXPECT_EQ(result->findings.back(),
            "the search of the native client ended after 12,000 samples, as one without --budget "
            "does; --until-sure sets no limit");
}

// The samples, the time of this host and the budget can each end a search: only what there was is
// named.
TEST(Find, AnOpenSearchNamesWhatEndedIt) {
  const ModelFile model("bandwidth: 4GB/s\nlatency: {distribution: exponential, mean: 5ms}\n");
  const auto reason = [&](const auto& limit) {
    Case job;
    job.workload = test_workload("file", 400'000, 1, 100000);
    job.storage = model.storage();
    limit(job);
    const auto result = job.search();
    return result ? result->reason : result.error().message();
  };
  EXPECT_EQ(reason([](Case& job) { job.options.samples_max = 8'000; }),
            "the search ended after 8,000 samples, as one without --budget does, before a number "
            "of accelerators was looked at");
  EXPECT_EQ(reason([](Case& job) {
              job.options.samples_max = 8'000;
              job.options.at_least = 105;
            }),
            "the search ended after 8,000 samples, as one without --budget does, before the answer "
            "was certain");
  EXPECT_EQ(
      reason([](Case& job) { job.options.out_of_time = [&job] { return job.asked.size() >= 7; }; }),
      "--wall ended the search before any number was proven not to be fed");
  EXPECT_EQ(reason([](Case& job) { job.options.budget = std::chrono::milliseconds(400); }),
            "the budget ended before any number was proven not to be fed");
}

TEST(Find, InterruptedBeforeANumberWasLookedAtItSaysWhatTheRateSays) {
  const ModelFile model("bandwidth: 738MB/s\n");  // 20.5 at the threshold
  std::stop_source stop;
  Case job;
  job.storage = model.storage();
  job.stop = stop.get_token();
  job.after = [&](const TrialRequest& request) {
    if (request.number == 1) stop.request_stop();
  };
  const auto result = job.search();
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_TRUE(result->interrupted);
  EXPECT_FALSE(result->measured);
  EXPECT_EQ(result->trials.size(), 1U);
  EXPECT_EQ(result->by_rate, 20U);
  EXPECT_NEAR(result->rate_bytes_per_second, 738e6, 10e6);
}

// What allows no more than the rate would feed is named.
TEST(Find, InterruptedItNamesWhatCutsTheRate) {
  const ModelFile model("bandwidth: 738MB/s\n");  // 20.5 at the threshold
  const auto reason = [&](const auto& limit) {
    std::stop_source stop;
    Case job;
    job.storage = model.storage();
    job.stop = stop.get_token();
    job.after = [&](const TrialRequest& request) {
      if (request.number == 1) stop.request_stop();
    };
    limit(job);
    const auto result = job.search();
    return result ? fmt::format("{}: {}", result->by_rate, result->reason)
                  : result.error().message();
  };
  EXPECT_EQ(reason([](Case&) {}), "20: the search was interrupted");
  EXPECT_EQ(reason([](Case& job) { job.options.accelerators_max = 20; }),
            "20: the search was interrupted");
  EXPECT_EQ(reason([](Case& job) { job.workload = test_workload("file", 24, 1, 100000); }),
            "6: the search was interrupted; the rate alone would feed more than the 6 that the "
            "data set allows; use a larger --size");
  EXPECT_EQ(reason([](Case& job) {
              job.options.accelerators_max = 6;
              job.options.max_given = true;
            }),
            "6: the search was interrupted; the rate alone would feed more than the 6 that --max=6 "
            "allows");
  EXPECT_EQ(reason([](Case& job) { job.options.accelerators_max = 6; }),
            "6: the search was interrupted; the rate alone would feed more than the 6 that are "
            "tried without --max");
  EXPECT_EQ(reason([](Case& job) {
              job.options.bound_inflight = true;
              job.options.inflight_max = 6;
            }),
            "6: the search was interrupted; the rate alone would feed more than the 6 that "
            "--max-inflight=6 allows");
}

// A number just beyond the answer may be proven by the looks at others alone.
TEST(Find, AnOpenSearchSaysWhichNumberIsNotFed) {
  TrainingPlan plan = test_plan(test_workload("file", 4000, 1, 100000), ClientKind::kNative, 1);
  FindOptions options;
  options.budget = std::chrono::seconds(30);
  FindResult result;
  result.measured = true;
  result.limit = 1000;
  result.accelerators_low = 18;
  result.accelerators_high = 20;
  const auto reason = [&] {
    explain(options, plan, 1000, OwnLimit::kNone, result);
    EXPECT_EQ(result.limited_by, "unknown");
    return result.reason;
  };
  result.points = {{10, 1, 0.01, 1, 1, "fed"}, {20, 0.9, 0.1, 1, 1, "open"}};
  EXPECT_EQ(reason(), "the budget ended before any number was proven not to be fed");
  result.points.push_back({23, 0.8, 0.01, 1, 1, "not-fed"});
  result.points.push_back({30, 0.6, 0.01, 1, 1, "not-fed"});
  EXPECT_EQ(reason(),
            "the budget ended before a number just beyond the answer was looked at; 23 are not "
            "fed");
  result.points = {{1, 0.6, 0.01, 1, 1, "not-fed"}};
  EXPECT_EQ(reason(),
            "the budget ended before a number just beyond the answer was looked at; 1 is not fed");
}

TEST(Find, SearchesInWholeReplicas) {
  const ModelFile model("bandwidth: 200MB/s\n");
  Case job;
  job.storage = model.storage();
  job.pipeline = 4;  // 40 MB/s a replica
  const auto result = job.search();
  ASSERT_TRUE(result.has_value()) << result.error().message();
  expect_exactly(*result, 5U * 4);  // 200 / (0.9 x 40) = 5.6
  ASSERT_TRUE(result->at_answer && result->beyond);
  EXPECT_EQ(result->at_answer->job.accelerators, 5U * 4);
  EXPECT_EQ(result->beyond->job.accelerators, 6U * 4);
  for (const TrialResult& trial : result->trials) EXPECT_EQ(trial.accelerators % 4, 0U);

  Case by_max;
  by_max.pipeline = 4;
  by_max.options.accelerators_max = 11;
  const auto most = by_max.search();
  ASSERT_TRUE(most.has_value());
  expect_exactly(*most, 8);
  EXPECT_EQ(most->limited_by, "--max");
}

TEST(Find, AtLeastPassesFailsAndSpendsLess) {
  const ModelFile model("bandwidth: 756MB/s\nlatency: 1ms\n");  // 21 at the threshold
  Case whole;
  whole.storage = model.storage();
  const auto number = whole.search();
  ASSERT_TRUE(number.has_value());
  for (const auto& [asked, answer] :
       {std::pair{18U, "pass"}, std::pair{26U, "fail"}, std::pair{1U, "pass"}}) {
    Case job;
    job.storage = model.storage();
    job.options.at_least = asked;
    const auto result = job.search();
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->asked, asked);
    EXPECT_EQ(result->answer, answer) << asked;
    EXPECT_EQ(result->limited_by, result->answer == "pass" ? "--at-least" : "storage");
    EXPECT_LT(result->spent_seconds, number->spent_seconds);
    for (const TrialRequest& request : job.asked)
      EXPECT_TRUE(request.free_steps || request.accelerators == asked);
  }
}

TEST(Find, AtLeastIsUndecidedNearTheThreshold) {
  const ModelFile model("bandwidth: 761MB/s\nlatency: {distribution: exponential, mean: 5ms}\n");
  Case job;
  job.storage = model.storage();
  job.options.at_least = 21;
  job.options.budget = std::chrono::seconds(1);
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->answer, "undecided");
  EXPECT_GT(result->narrower_budget_seconds, 1);
  EXPECT_EQ(result->reason, "the budget ended before the answer was certain");
}

TEST(Find, NoneIsAnAnswer) {
  const ModelFile model("bandwidth: 20MB/s\n");
  Case job;
  job.storage = model.storage();
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  expect_exactly(*result, 0);
  EXPECT_FALSE(result->at_answer.has_value());
  ASSERT_TRUE(result->beyond.has_value());
  EXPECT_EQ(result->beyond->job.accelerators, 1U);
  EXPECT_EQ(result->limited_by, "storage") << result->reason;
}

// Every step ends with the slowest replica: 1 / 1.12 = 89.3 %, however many there are, and whatever
// the prefetch windows held when the run began.
TEST(Find, AStragglerMakesItNone) {
  const ModelFile model("bandwidth: 400MB/s\nlatency: 1ms\n");
  Case job;
  job.storage = model.storage();
  job.slow_ranks = {{0, 1.12}};
  job.options.accelerators_max = 16;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  expect_exactly(*result, 0);
  EXPECT_NE(result->limited_by, "storage") << result->reason;
}

TEST(Find, LatencyIsAnsweredWithDepth) {
  // The curve meets the threshold at 20.5; 32 reads in flight would move only 32 MB/s.
  const ModelFile model("bandwidth: 738MB/s\nlatency: 100ms\n");
  Case job;
  job.storage = model.storage();
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  expect_exactly(*result, 20);
  EXPECT_GE(result->depth_reads, 738U);  // Little: 7,380 samples/s x 100 ms
  EXPECT_GT(result->read_ahead_bytes, 0);
  EXPECT_LE(result->depth_reads, 1024U);
}

// Here 128 reads in flight take longer to come back than a trial lasts, and the last of them come
// first.
TEST(Find, AQueueThatOutlastsATrialIsNoRate) {
  const ModelFile model("bandwidth: 50MB/s\n");  // 50 samples/s, which feed 5.5
  Case job;
  job.workload = test_workload("file", 100'000, 1, 1'000'000);
  job.workload.accelerators = {{"slow", 4, from_seconds(0.4), "test"}};
  job.storage = model.storage();
  job.options.budget = from_seconds(30);
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(holds(*result, 5));
  EXPECT_LE(result->accelerators_high - result->accelerators_low, 2U);
  EXPECT_LE(result->depth_reads, 32U);
  for (const TrialResult& trial : result->trials) EXPECT_LE(trial.samples_per_second, 55);
}

TEST(Find, WholeFilesAreBoundByOperations) {
  // retinanet on h100, measured timing: 329 samples/s of 315 kB at a threshold of 0.85.
  const ModelFile model("operations_per_second: 5500\nlatency: 30ms\n");
  Case job;
  job.workload = test_workload("file", 100'000, 1, 315'000);
  job.workload.accelerators = {{"h100", 24, from_seconds(24 / 329.0), "test"}};
  job.storage = model.storage();
  job.options.au_threshold = 0.85;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  expect_exactly(*result, 19);  // 5,500 / (0.85 x 329) = 19.7
}

TEST(Find, TheUsersReadersAreKept) {
  const ModelFile model("bandwidth: 738MB/s\nlatency: 100ms\n");
  Case job;
  job.storage = model.storage();
  job.readers = 64;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  for (const TrialRequest& request : job.asked) EXPECT_EQ(request.load.readers, 64U);
  // 64 readers each move 640 samples/s, one takes 400 x 0.9: all that 738 MB/s carries.
  expect_exactly(*result, 20);
  job.readers = 3;  // 30 samples/s
  const auto few = job.search();
  ASSERT_TRUE(few.has_value());
  expect_exactly(*few, 0);
  EXPECT_NE(few->limited_by, "storage") << few->reason;
}

TEST(Find, MaxInflightBoundsWhatTheStorageSees) {
  const ModelFile model("bandwidth: 738MB/s\nlatency: 100ms\n");
  Case job;
  job.storage = model.storage();
  job.options.inflight_max = 200;  // 2,000 samples/s: 5.5 at the threshold
  job.options.bound_inflight = true;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(holds(*result, 5)) << result->accelerators_low << " " << result->accelerators_high;
  for (const TrialRequest& request : job.asked)
    EXPECT_LE(request.load.readers * request.accelerators, 200U);
  EXPECT_EQ(result->limit, 200U);  // a read each
  EXPECT_NE(result->limited_by, "storage") << "more load was never tried: " << result->reason;
}

// Here 1,024 reads of 100 ms move 1 GB/s of 2: 28.4 at the threshold. With more reads it is 56.9.
TEST(Find, ItsOwnLimitOnReadsInFlightIsTheReason) {
  const ModelFile model("bandwidth: 2050MB/s\nlatency: 100ms\n");
  Case job;
  job.workload = test_workload("file", 400'000, 1, 100'000);
  job.storage = model.storage();
  job.options.budget = std::chrono::seconds(60);
  const auto capped = job.search();
  ASSERT_TRUE(capped.has_value());
  EXPECT_TRUE(holds(*capped, 28)) << capped->accelerators_low << " " << capped->accelerators_high;
  EXPECT_LE(capped->accelerators_high, 30U);
  EXPECT_EQ(capped->limited_by, "--max-inflight") << capped->reason;
  EXPECT_TRUE(
      capped->reason.starts_with("no more than 1,024 reads in flight were tried, and all of "
                                 "them were busy: --max-inflight=4096 tries more; "))
      << capped->reason;
  EXPECT_EQ(capped->findings.back(),
            "the answer is for at most 1,024 reads in flight over all accelerators; the storage "
            "may feed more with more of them: --max-inflight=4096");
  job.options.inflight_max = 20'000;
  const auto free = job.search();
  ASSERT_TRUE(free.has_value());
  EXPECT_TRUE(holds(*free, 56)) << free->accelerators_low << " " << free->accelerators_high;
  EXPECT_EQ(free->limited_by, "storage") << free->reason;
}

// One read of 50 takes a second. Batches wait for it, and the windows that would hide it do not
// fit.
TEST(Find, ItsOwnLimitOnWhatIsReadAheadIsTheReason) {
  const ModelFile model(
      "bandwidth: 4GB/s\nlatency: {distribution: lognormal, median: 5ms, p99: 400ms}\n");
  Case job;
  job.workload = test_workload("file", 400'000, 1, 1'000'000);
  job.storage = model.storage();
  job.options.budget = std::chrono::seconds(60);
  job.options.read_ahead_max = 64'000'000;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->limited_by, "--memory") << result->reason;
  EXPECT_TRUE(result->reason.starts_with(
      "batches read ahead fill the 61.0 MiB that they may, a quarter of a host's memory, and "
      "readers "
      "waited for room: a host with --memory=977MiB would be asked for more; "))
      << result->reason;
  EXPECT_TRUE(result->findings.back().starts_with(
      "the answer is for 61.0 MiB of batches read ahead; the storage may feed more with more: "
      "--memory=977MiB"))
      << result->findings.back();
}

TEST(Find, ReadAheadStaysWithinItsMemory) {
  const ModelFile model("bandwidth: 738MB/s\nlatency: 100ms\n");
  Case job;
  job.storage = model.storage();
  job.options.read_ahead_max = 64'000'000;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  for (const TrialRequest& request : job.asked) {
    const double held = request.accelerators * request.load.prefetch_batches * 4 * 100'000.0;
    EXPECT_TRUE(held <= 64'000'000 || request.load.prefetch_batches == 2) << held;
  }
}

TEST(Find, EndsAtTheDataSetOrAtMax) {
  Case job;
  job.workload = test_workload("file", 40, 1, 1000);
  const auto by_data = job.search();
  ASSERT_TRUE(by_data.has_value());
  expect_exactly(*by_data, 10);
  EXPECT_EQ(by_data->limited_by, "data-set");
  EXPECT_TRUE(by_data->reason.ends_with("use a larger --size")) << by_data->reason;
  job.options.accelerators_max = 6;
  const auto by_default = job.search();
  ASSERT_TRUE(by_default.has_value());
  EXPECT_EQ(by_default->limited_by, "--max");
  EXPECT_EQ(by_default->reason, "6 are fed, and no more were tried; --max=60 tries more");
  EXPECT_TRUE(by_default->most_tried);
  job.options.max_given = true;
  const auto by_max = job.search();
  ASSERT_TRUE(by_max.has_value());
  expect_exactly(*by_max, 6);
  EXPECT_EQ(by_max->limited_by, "--max");
  EXPECT_FALSE(by_max->most_tried);
  EXPECT_EQ(by_max->reason, "the search ended at --max=6; the storage may feed more");
  EXPECT_FALSE(by_max->beyond.has_value());
}

// At 100 TB/s every number is fed, whatever the budget.
TEST(Find, UnlimitedStorageIsNeverCalledSaturated) {
  const ModelFile model("bandwidth: 100TB/s\nlatency: 1ms\n");
  for (const int budget : {10, 40}) {
    Case job;
    job.storage = model.storage();
    job.workload = test_workload("file", 100'000, 1, 100'000);
    job.options.accelerators_max = 128;
    job.options.budget = std::chrono::seconds(budget);
    const auto result = job.search();
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->accelerators_high, 128U);
    EXPECT_EQ(result->limited_by, "--max") << result->reason;
  }
}

Workload resnet50_like() {
  Workload workload = test_workload("tfrecord", 1024, 1251, 114'660);
  workload.accelerators = {{"h100", 400, std::chrono::milliseconds(224), "test"}};
  return workload;
}

// The truth is 20 GB/s / (0.9 x 204.75 MB/s) = 108.5. A budget may be too short to tell, and then
// says so.
TEST(Find, TheIntervalHoldsTheTruthWhateverTheBudget) {
  const ModelFile model("bandwidth: 20GB/s\nlatency: 1ms\n");
  std::uint32_t width = 0;
  for (const int budget : {10, 20, 30, 60}) {
    Case job;
    job.workload = resnet50_like();
    job.storage = model.storage();
    job.options.accelerators_max = 400;
    job.options.budget = std::chrono::seconds(budget);
    const auto result = job.search();
    ASSERT_TRUE(result.has_value());
    SCOPED_TRACE(budget);
    EXPECT_TRUE(holds(*result, 108)) << answer_text(*result);
    EXPECT_LE(result->spent_seconds, 1.05 * budget);
    EXPECT_NEAR(result->budget_seconds, budget, 1e-6);
    width = result->accelerators_high - result->accelerators_low;
    if (width > 2) {
      EXPECT_GT(result->narrower_budget_seconds, budget);
    }
  }
  EXPECT_LE(width, 10U) << "60 s are enough for a tenth";
}

// Two seconds hold only the first steps of one accelerator or so, and no figure may come of that.
TEST(Find, ATrialTooShortForAStepIsNoEvidence) {
  const ModelFile model("bandwidth: 20GB/s\nlatency: 1ms\n");
  Case job;
  job.workload = resnet50_like();
  job.workload.accelerators = {{"h100", 400, std::chrono::seconds(2), "test"}};  // 972 at 0.9
  job.storage = model.storage();
  job.options.accelerators_max = 1200;
  job.options.budget = std::chrono::seconds(3);
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(holds(*result, 969)) << answer_text(*result);
  EXPECT_GT(result->narrower_budget_seconds, 3) << answer_text(*result);
  for (const TrialResult& trial : result->trials) {
    if (trial.steps >= 2) continue;
    EXPECT_TRUE(!trial.utilisation || trial.upper_bound) << trial.accelerators;
  }
}

TEST(Find, TwoSearchesOfOneSeedAreEqual) {
  const ModelFile model("bandwidth: 300MB/s\nlatency: {distribution: exponential, mean: 2ms}\n");
  const auto json = [&](std::uint64_t seed) {
    Case job;
    job.storage = model.storage();
    job.seed = seed;
    auto result = job.search();
    EXPECT_TRUE(result.has_value());
    result->at_answer.reset();  // has this host's date in it
    result->beyond.reset();
    FindReport report;
    report.searches.push_back(std::move(*result));
    return to_json(report);
  };
  EXPECT_EQ(json(7), json(7));
  EXPECT_NE(json(7), json(8));
}

TEST(Find, SamplesMaxEndsASearchWithoutABudget) {
  const ModelFile model("bandwidth: 738MB/s\nlatency: {distribution: exponential, mean: 1ms}\n");
  Case job;
  job.storage = model.storage();
  job.options.samples_max = 20'000;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(holds(*result, 20)) << answer_text(*result);
  double samples = 0;
  for (const TrialResult& trial : result->trials)
    samples += trial.samples_per_second * trial.seconds;
  EXPECT_LT(samples, 1.5 * 20'000);
}

TEST(Find, OutOfTimeEndsASearchAtOnce) {
  const ModelFile model("bandwidth: 738MB/s\nlatency: 1ms\n");
  Case job;
  job.storage = model.storage();
  job.options.out_of_time = [&job] { return job.asked.size() >= 3; };
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(job.asked.size(), 3U);
  EXPECT_TRUE(holds(*result, 20)) << answer_text(*result);
}

TEST(Find, AStorageThatSlowsDownIsAFinding) {
  const ModelFile fast("bandwidth: 738MB/s\nlatency: {distribution: exponential, mean: 1ms}\n");
  const ModelFile slow("bandwidth: 500MB/s\nlatency: {distribution: exponential, mean: 1ms}\n");
  Case job;
  job.options.budget = std::chrono::seconds(30);
  job.storage = fast.storage();
  const auto before = job.search();
  ASSERT_TRUE(before.has_value());
  expect_exactly(*before, 20);
  // The same search runs again, but the storage gives less from the middle of it on.
  job.later_storage = slow.storage();
  job.later_from = before->trials.size() / 2;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(std::ranges::any_of(result->findings, [](const std::string& finding) {
    return finding.starts_with("the storage changed meanwhile: AU of ") ||
           finding.find("this is not one curve, so the interval holds both") != std::string::npos;
  })) << answer_text(*result);
  EXPECT_TRUE(holds(*result, 20) && holds(*result, 13)) << answer_text(*result);
}

// Even the very first trials are made anew, when the search knows nothing yet.
TEST(Find, TrialsThatThisHostHeldBackAreMadeAnew) {
  const ModelFile model("bandwidth: " + std::to_string(5.5 * 0.9 * 40) + "MB/s\n");
  for (const std::size_t held_back : {1UZ, 3UZ, 6UZ}) {
    Case job;
    job.storage = model.storage();
    job.held_back = held_back;
    const auto result = job.search();
    ASSERT_EQ(result.has_value(), held_back <= 5) << held_back;
    if (!result) {
      EXPECT_EQ(result.error().kind(), ErrorKind::kInvalidRun);
      continue;
    }
    expect_exactly(*result, 5);
    EXPECT_FALSE(result->findings.empty()) << "trials were left out";
  }
}

TEST(Find, AnInvalidTrialEndsTheSearch) {
  const TrainingPlan plan = test_plan(test_workload("file", 40, 1, 1000), ClientKind::kNative, 1);
  const auto result =
      find_accelerators({}, plan, 10, 1,
                        [](const TrialRequest&, StepObserver&) -> Result<RunResult> {
                          RunResult run;
                          run.valid = false;
                          run.invalid_reasons = {"a reason"};
                          return run;
                        },
                        {}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), ErrorKind::kInvalidRun);
  EXPECT_EQ(result.error().message(), "a trial is not valid: a reason");
}

}  // namespace
}  // namespace feedrate

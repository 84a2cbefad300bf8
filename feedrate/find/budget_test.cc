// The tests of --budget on a real clock that is played here: trials take time until they begin, and
// until their reads have come back, and --budget holds all of that.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/find/find.h"

namespace feedrate {
namespace {

// Advances the clock of the search while a trial runs.
class PlayedTrial final : public StepObserver {
 public:
  PlayedTrial(StepObserver& observer, double& clock)
      : observer_(observer), clock_(clock), begin_(clock) {}
  bool on_step(std::uint64_t step, const StepRecord& record) override {
    return observer_.on_step(step, record);
  }
  Duration progress_every() const override { return observer_.progress_every(); }
  void on_begin(Instant now) override {
    begun_ = now;
    observer_.on_begin(now);
  }
  bool on_progress(Instant now, std::uint64_t samples, std::uint64_t bytes) override {
    clock_ = begin_ + to_seconds(now - begun_);
    return observer_.on_progress(now, samples, bytes);
  }

 private:
  StepObserver& observer_;
  double& clock_;
  double begin_;
  Instant begun_{};
};

struct PlayedSearch {
  Workload workload = test_workload("file", 400'000, 1, 100'000);
  std::string model = "bandwidth: 738MB/s\nlatency: 1ms\n";  // 20.5 at the threshold
  FindOptions options;
  double begin = 0.1, back = 0.05;  // seconds that each trial takes besides
  double back_each = 0;             // and for each read in flight
  double already_spent = 0;
  double clock = 0;
  std::vector<TrialRequest> asked;

  Result<FindResult> search() {
    const ModelFile file(model);
    const TrainingPlan plan = test_plan(workload, ClientKind::kNative, 1);
    clock = already_spent;
    options.elapsed = [this] { return from_seconds(clock); };
    const TrialRunner runner = [&](const TrialRequest& request,
                                   StepObserver& observer) -> Result<RunResult> {
      asked.push_back(request);
      TrainingPlan trial = plan;
      trial.replicas = request.accelerators;
      trial.readers = request.load.readers;
      trial.prefetch_batches = request.load.prefetch_batches;
      trial.transfer_bytes = request.load.transfer_bytes;
      trial.epochs = 0;
      trial.start_samples = request.start_samples;
      if (request.free_steps) trial.timing.compute = Duration(1);
      clock += begin;
      PlayedTrial played(observer, clock);
      RunResult run = summarise_training(trial, run_virtual(trial, file.storage(), &played));
      clock += back + back_each * static_cast<double>(run.in_flight_limit);
      return run;
    };
    return find_accelerators(options, plan, plan.dataset->samples() / plan.timing.batch_samples, 1,
                             runner, {}, {});
  }
};

TEST(FindBudget, HoldsWhatTrialsTakeBesides) {
  for (const int seconds : {2, 5, 10}) {
    for (const double back : {0.02, 0.1, 0.2}) {
      PlayedSearch job;
      job.options.budget = std::chrono::seconds(seconds);
      job.back = back;
      const auto result = job.search();
      ASSERT_TRUE(result.has_value());
      EXPECT_LE(job.clock, 1.02 * seconds) << "reads are back after " << back << " s";
      EXPECT_LE(result->accelerators_low, 20U);
      EXPECT_GE(result->accelerators_high, 20U);
    }
  }
}

// A thousand reads take a second to come back, so they are not tried where the whole search has
// two.
TEST(FindBudget, DoesNotAskForReadsThatOutlastIt) {
  PlayedSearch job;
  job.model = "bandwidth: 738MB/s\nlatency: 300ms\n";
  job.options.budget = std::chrono::seconds(2);
  job.back_each = 0.002;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_LE(job.clock, 1.05 * 2);
  for (const TrialRequest& request : job.asked)
    EXPECT_LT(request.load.readers * request.accelerators, 512U);
}

TEST(FindBudget, WhatWasSpentBeforeTheSearchIsNotSpentAgain) {
  PlayedSearch job;
  job.options.budget = std::chrono::seconds(5);
  job.already_spent = 3;
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_LE(job.clock, 1.02 * 5);
  EXPECT_LE(result->spent_seconds, 1.02 * 5);
}

TEST(FindBudget, WhatIsTooShortForALookIsSaid) {
  PlayedSearch job;
  job.workload.accelerators = {{"slow", 4, std::chrono::seconds(2), "test"}};
  job.options.budget = std::chrono::seconds(5);
  const auto result = job.search();
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->measured);
  EXPECT_TRUE(result->reason.starts_with("the ") &&
              result->reason.ends_with(" that were left of the budget are too short for a look at "
                                       "a number of accelerators"))
      << result->reason;
}

}  // namespace
}  // namespace feedrate

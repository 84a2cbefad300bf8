#include "feedrate/find/find.h"

#include <algorithm>
#include <map>

#include "feedrate/find/reason.h"
#include "feedrate/find/trial.h"

namespace feedrate {
namespace {

constexpr double kTrialShare = 0.12;  // of the budget that is left, for one trial
constexpr Duration kTrialMin = std::chrono::seconds(1);
constexpr double kStepsPerTrial = 24;

class Search {
 public:
  Search(const FindOptions& options, const TrainingPlan& plan, const TrialRunner& run,
         const FindObserver& observer, const std::stop_token& stop)
      : options_(options),
        plan_(plan),
        run_(run),
        observer_(observer),
        stop_(stop),
        left_(options.budget) {}

  // True when the accelerators of so many replicas stay at or above the threshold.
  Result<bool> try_with(std::uint32_t replicas) {
    FEEDRATE_TRY(Trial trial, measure(replicas * plan_.replica_accelerators(), plan_.readers));
    const bool passed = trial.result.passed;
    trials_[replicas] = std::move(trial);
    return passed;
  }

  Result<Trial> measure(std::uint32_t accelerators, std::uint32_t readers) {
    const Duration time_max = trial_time();
    observer_.trial_begins(accelerators, readers, time_max);
    TrialJudge judge(plan_, accelerators, options_.au_threshold, time_min(time_max));
    FEEDRATE_TRY(RunResult run, run_(accelerators, readers, time_max, judge));
    if (stop_.stop_requested()) return fail(ErrorKind::kCancelled, "interrupted");
    const TrialResult trial = judge.result(run);
    // A trial too short for two steps proves starvation, unless it was cut for another reason.
    if (!run.valid && run.steps >= 2)
      return fail(ErrorKind::kInvalidRun, "a trial is not valid: " + run.invalid_reasons.front());
    if (!run.valid && !run.errors.empty())
      return fail(ErrorKind::kInvalidRun, "a trial is not valid: " + run.invalid_reasons.front());
    left_ -= std::min(left_, from_seconds(trial.seconds));
    observer_.trial_ends(trial);
    return Trial{trial, std::move(run)};
  }

  const std::map<std::uint32_t, Trial>& trials() const { return trials_; }  // by replicas

 private:
  // Long enough for a few dozen steps where the budget allows, never less than a second.
  Duration trial_time() const {
    return std::max(kTrialMin, from_seconds(to_seconds(left_) * kTrialShare));
  }
  Duration time_min(Duration time_max) const {
    const Duration steps = from_seconds(to_seconds(plan_.timing.compute) * kStepsPerTrial);
    return std::min({std::max(kTrialMin / 2, steps), time_max / 2});
  }

  const FindOptions& options_;
  const TrainingPlan& plan_;
  const TrialRunner& run_;
  const FindObserver& observer_;
  const std::stop_token& stop_;
  Duration left_;
  std::map<std::uint32_t, Trial> trials_;
};

}  // namespace

Result<FindResult> find_accelerators(const FindOptions& options, const TrainingPlan& plan,
                                     std::uint64_t accelerators_by_data, const TrialRunner& run,
                                     const FindObserver& observer, const std::stop_token& stop) {
  Search search(options, plan, run, observer, stop);
  const auto limit = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(options.accelerators_max, accelerators_by_data) /
      plan.replica_accelerators());
  std::uint32_t good = 0;         // the most replicas that passed
  std::uint32_t bad = limit + 1;  // the fewest that failed, or beyond the limit
  std::optional<Error> ended;
  for (std::uint32_t next = 1; good + 1 < bad; next = good == 0 ? 1 : next) {
    const Result<bool> passed = search.try_with(next);
    if (!passed) {
      ended = passed.error();
      break;
    }
    (*passed ? good : bad) = next;
    if (bad == limit + 1)
      next = std::min(limit, good * 2);  // still doubling
    else
      next = good + (bad - good) / 2;
  }
  if (ended && (ended->kind() != ErrorKind::kCancelled || search.trials().empty()))
    return fail(*ended);

  FindResult result;
  result.client = to_string(plan.client);
  result.au_threshold = options.au_threshold;
  result.accelerators = good * plan.replica_accelerators();
  result.interrupted = ended.has_value();
  for (const auto& [count, trial] : search.trials()) result.trials.push_back(trial.result);
  if (good > 0) result.at_answer = search.trials().at(good).run;
  if (search.trials().contains(bad)) result.beyond = search.trials().at(bad).run;
  std::optional<Trial> more_readers;
  if (result.beyond && !result.interrupted && window_is_full(*result.beyond)) {
    const Result<Trial> trial = search.measure(result.beyond->accelerators, plan.readers * 2);
    if (trial) more_readers = *trial;
  }
  explain(options, plan, accelerators_by_data, more_readers, result);
  return result;
}

}  // namespace feedrate

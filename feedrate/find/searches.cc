#include "feedrate/find/searches.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/find/runner.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

using Settings = std::map<std::string, std::string>;

constexpr Duration kCeilingTime = std::chrono::milliseconds(500);

// Returns the settings of all trials, without those that the search varies or does not use.
Settings settings_that_hold(const TrainingSetup& setup) {
  Settings settings = settings_of(setup, setup.plan, setup.world.io_engine);
  for (const char* const varied : {"accelerators", "readers", "prefetch", "transfer",
                                   "buffer-memory", "epochs", "steps", "time", "on-error"})
    settings.erase(varied);
  return settings;
}

Settings settings_of_search(const SearchLimits& limits) {
  const FindOptions& find = limits.find;
  Settings settings{{"max", std::to_string(find.accelerators_max)},
                    {"max-inflight", std::to_string(find.inflight_max)},
                    {"memory", format_bytes(SearchLimits::kReadAheadShare * find.read_ahead_max)}};
  if (find.budget > Duration::zero()) settings["budget"] = format_duration(find.budget);
  if (limits.rate_max > 0) settings["max-rate"] = format_rate(limits.rate_max);
  if (limits.wall > Duration::zero()) settings["wall"] = format_duration(limits.wall);
  return settings;
}

// Returns a runner that notes which I/O engine the reactors of its trials really have.
TrialRunner noting(TrialRunner runner, Settings& settings) {
  return
      [&settings, runner = std::move(runner)](const TrialRequest& request, StepObserver& observer) {
        Result<RunResult> run = runner(request, observer);
        if (run && run->effective.contains("io-engine"))
          settings["io-engine"] = run->effective.at("io-engine");
        return run;
      };
}

// Names epochs that are shorter than the job's: the framework's loader begins anew each epoch,
// which costs more when a smaller data set has shorter ones. That is no property of the storage.
void name_short_epochs(const TrainingSetup& setup, FindResult& result) {
  constexpr std::uint64_t kShort = 50;  // In steps.
  const TrainingPlan& one = setup.plan;
  const Dataset& dataset = *one.dataset;
  const std::uint64_t all = setup.workload.dataset.samples();
  if (one.client != ClientKind::kFaithful || !result.measured || result.interrupted ||
      !dataset.plan() || dataset.samples() >= all)
    return;
  const std::uint32_t replicas = result.accelerators / one.replica_accelerators();
  const ShardShape shape{dataset.samples(), std::max(1U, replicas), one.timing.batch_samples};
  if (shape.steps_per_epoch() >= kShort) return;
  result.findings.push_back(
      fmt::format("the framework's number is of this data set of {}, whose epochs are short; with "
                  "all {} of the workload it is likely higher",
                  format_counted(dataset.files(), "file"), format_counted(all, "sample")));
}

// Adds what the search itself cannot know: how it was told to run, and what its data are.
void describe(const FindSetup& setup, const SearchSetup& search, FindResult& result) {
  const TrainingSetup& training = search.training;
  const ClientKind client = training.plan.client;
  // These are known before the first look, and so also where there is none.
  result.io = training.io_word();
  result.clock = to_string(training.world.clock);
  result.reactors = training.world.threads;
  result.first_look_budget_seconds =
      setup.limits.whole_budget(result.first_look_budget_seconds, client);
  result.job.timing_set = training.timing.set;
  result.job.other_timings.clear();
  for (const TimingComparison& other : training.workload.other_timings(training.timing))
    result.job.other_timings.push_back({other.set, other.speed_ratio});
  setup.limits.explain(result);
  name_short_epochs(training, result);
  // Whoever accepts a system because of this answer must know that no framework keeps so many reads
  // in flight.
  if (!result.answer.empty() && !result.interrupted && !search.find.keep_readers &&
      !search.find.bound_inflight)
    result.findings.insert(result.findings.begin(),
                           "asked of reads as deep as this storage needs; --client=faithful asks "
                           "for the framework's own habits");
  const auto job = static_cast<double>(training.workload.dataset.samples());
  const Dataset& dataset = *training.plan.dataset;
  if (dataset.plan() && job > 0)
    result.job_times_larger = job / static_cast<double>(dataset.samples());
  result.just_written = setup.just_written;
  // Where reading again changed nothing the text has a note about caches already.
  const bool told_by_cache = result.read_again && !result.cold;
  if (setup.just_written && client == setup.limits.first_client && result.measured &&
      !told_by_cache)
    result.findings.emplace_back(
        "all that was read had been written just before: caches of the storage may still have held "
        "it");
}

Result<FindResult> search(const FindSetup& setup, const SearchSetup& what, const FindOptions& find,
                          const FindHooks& hooks, Settings& settings) {
  const TrainingSetup& training = what.training;
  ClientCeiling ceiling;
  // The ceiling may take at most a twentieth of the budget.
  if (find.budget >= 20 * kCeilingTime) {
    TrainingPlan plan = training.plan;
    plan.replicas = what.several;
    FEEDRATE_TRY(ceiling, measure_ceiling(training, plan, kCeilingTime, hooks.run.stop));
  }
  const FindObserver observer =
      hooks.observer ? hooks.observer(training.plan.client) : FindObserver{};
  FEEDRATE_TRY(FindResult result,
               find_accelerators(find, training.plan, what.by_data, what.several,
                                 noting(experiment_runner(training, hooks.run), settings), observer,
                                 hooks.run.stop));
  result.ceiling = ceiling;
  const bool is_virtual = training.world.clock == ClockKind::kVirtual;
  result.repeatable = is_virtual && !(find.out_of_time && find.out_of_time());
  if (is_virtual && !result.repeatable)
    result.findings.emplace_back(
        "--wall cut this search, so the same command may give another interval");
  describe(setup, what, result);
  return result;
}

// Searches with the framework's habits in the time that is left, and adds the result.
void search_framework(const FindSetup& setup, const SearchClock& clock, const FindHooks& hooks,
                      Settings& settings, FindReport& report) {
  FindResult& first = report.searches.front();
  const Result<SearchSetup>& what = *setup.framework;
  const std::optional<FindOptions> rest =
      clock.for_framework(what ? what->find : setup.limits.find, first);
  if (!rest) {
    if (first.measured) first.findings.push_back(clock.framework_left_out());
    return;
  }
  Result<FindResult> second =
      what ? search(setup, *what, *rest, hooks, settings) : fail(what.error());
  report.interrupted = !second && second.error().kind() == ErrorKind::kCancelled;
  if (second)
    report.searches.push_back(std::move(*second));
  else
    first.findings.push_back("the framework's client could not be measured: " +
                             second.error().message());
}

}  // namespace

Result<SearchSetup> search_setup(TrainingSetup training, FindOptions find) {
  TrainingPlan& one = training.plan;
  const bool faithful = one.client == ClientKind::kFaithful;
  // Once a shuffle buffer is full it passes on one sample for each that comes in. It changes
  // nothing in the steady state, but each trial would have to wait until it is full, which takes
  // many batches.
  if (!faithful) one.shuffle_buffer_samples = 0;
  FEEDRATE_CHECK(check_training_plan(one));
  // With the framework's client an epoch of one step would have only a first step. MLPerf's rule
  // leaves that out, so nothing could be compared.
  const std::uint64_t each = std::uint64_t{one.timing.batch_samples} * (faithful ? 2 : 1);
  const std::uint32_t replica = one.replica_accelerators();
  const std::uint64_t by_data = one.dataset->samples() / each * replica;
  if (by_data < replica)
    return fail(ErrorKind::kUsage,
                "one accelerator takes the whole data set in one step: an epoch of one step cannot "
                "be measured with the framework's client",
                "use a larger data set or a smaller --batch");
  find.goes_on = !faithful;
  find.keep_readers = find.keep_readers || faithful;
  find.keep_prefetch = find.keep_prefetch || faithful;
  find.keep_transfer = find.keep_transfer || faithful;
  const auto several = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      {by_data / replica, training.world.threads, find.accelerators_max / replica}));
  return SearchSetup{std::move(training), std::move(find), each, by_data, several};
}

Reported<FindReport> find(const FindSetup& setup, const FindHooks& hooks) {
  Reported<FindReport> outcome;
  FindReport& report = outcome.report;
  const TrainingSetup& training = setup.first.training;
  report.verb = "find";
  report.host = training.host;
  report.place = {training.plan.dataset->directory(), training.place.spec.word, training.io_word(),
                  std::string(to_string(training.world.clock))};
  // The report has the settings of the first search, whose answer comes first.
  Settings settings = settings_that_hold(training), ignored;
  const SearchClock clock(setup.limits, setup.wall, setup.begin);
  Result<FindResult> first =
      search(setup, setup.first, clock.for_first(setup.first.find), hooks, settings);
  report.effective = settings;
  if (!first) {
    outcome.ended = fail(first.error());
    return outcome;
  }
  report.searches.push_back(std::move(*first));
  if (setup.framework && !report.searches.front().interrupted)
    search_framework(setup, clock, hooks, ignored, report);
  clock.name_whole_budgets(report.searches);
  report.effective.merge(settings_of_search(setup.limits));
  const FindResult& answer = report.searches.front();
  if (answer.depth_reads > 0) report.effective["transfer"] = format_bytes(answer.transfer_bytes);
  report.seeds = answer.seeds;
  for (const FindResult& each : report.searches)
    report.interrupted = report.interrupted || each.interrupted;
  return outcome;
}

}  // namespace feedrate

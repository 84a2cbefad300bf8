#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "feedrate/base/text.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/find_dataset.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/find/runner.h"
#include "feedrate/request/find_limits.h"
#include "feedrate/request/run_checks.h"
#include "feedrate/request/run_options.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

constexpr Duration kCeilingTime = std::chrono::milliseconds(500);
constexpr int kFails = 1, kUndecided = 5, kInterrupted = 130;

// Tells about a search while it goes on: each trial, and what is known whenever that changes.
class SearchProgress {
 public:
  SearchProgress(bool quiet, std::string client) : quiet_(quiet), client_(std::move(client)) {}

  FindObserver observer() {
    return {[this](const TrialRequest& request, Duration time) { begins(request, time); },
            [this](const TrialResult& trial) { ends(trial); },
            [this](const FindResult& result) { known(result); }};
  }

 private:
  void begins(const TrialRequest& request, Duration time) const {
    if (quiet_) return;
    if (request.free_steps)
      std::fprintf(stderr, "%s client, what the storage moves (up to %s)...\n", client_.c_str(),
                   format_duration(time).c_str());
    else
      std::fprintf(stderr, "%s client, %s (up to %s)...\n", client_.c_str(),
                   format_counted(request.accelerators, "accelerator").c_str(),
                   format_duration(time).c_str());
  }
  void ends(const TrialResult& trial) const {
    if (quiet_) return;
    if (trial.free_steps)
      std::fprintf(stderr, "  %s with %s in flight\n", format_rate(trial.bytes_per_second).c_str(),
                   format_counted(trial.reads_in_flight, "read").c_str());
    else if (trial.utilisation)
      std::fprintf(stderr, "  AU %s%s\n", trial.upper_bound ? "at most " : "",
                   format_percent(*trial.utilisation).c_str());
    else
      std::fprintf(stderr, "  too short for a step\n");
  }
  void known(const FindResult& result) {
    const std::string now = range_text(result);
    if (quiet_ || now == last_) return;
    last_ = now;
    std::fprintf(stderr, "so far: %s\n", now.c_str());
  }

  bool quiet_;
  std::string client_, last_;
};

class FindCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    options_.declare(table, kSearchedLoader);
    limits_.declare(table);
    dataset_.declare(table, "4GiB, or published where it is described");
  }

  Result<int> run(const CommandContext& given) override {
    CommandContext context = given;
    const auto begun = std::chrono::steady_clock::now();
    FEEDRATE_TRY(const ResultTarget json,
                 ResultTarget::open(options_.json, "--json", context.stop));
    FEEDRATE_CHECK(check_job_word());
    FEEDRATE_TRY(Workload workload, resolve_workload(options_.workload, context));
    FEEDRATE_CHECK(options_.parse_place());
    FEEDRATE_TRY(const ClientKind client, resolve_client(options_));
    FEEDRATE_CHECK(check_search_effects(options_, client, limits_));
    FEEDRATE_TRY(const ClockKind clock, parse_clock(options_.clock, "--clock"));
    FEEDRATE_TRY(SearchLimits limits, limits_.resolve(clock, client, workload));
    limits.first_client = client;
    dataset_.seed = options_.seed;
    const DatasetCheck check = [&](const std::shared_ptr<const Dataset>& made) -> Result<> {
      FEEDRATE_CHECK(prepare(workload, made, client, limits, limits.find, false));
      return {};
    };
    FEEDRATE_TRY(const FoundDataset found,
                 find_dataset(options_, workload, &dataset_, context, check));
    // The options that make a data set say nothing of one that existed already.
    if (!found.just_written)
      for (const char* const option : {"subfolders", "compressibility", "jobs"})
        context.settings.erase(option);
    const bool made = found.just_written || found.index_made;
    const SearchClock timer(limits, made ? std::chrono::steady_clock::now() : begun);
    FEEDRATE_CHECK(timer.check_left(options_.data.empty() ? options_.directory : options_.data));
    FindReport report;
    std::vector<FindResult>& results = report.searches;
    Result<FindResult> first = search(workload, found, client, limits, timer.for_first(), context);
    if (!first) {
      report.place = {found.dataset->directory(), options_.storage, "", options_.clock};
      report.effective = settings_;
      return report_failure(context, "find", report, first.error(), false, json);
    }
    results.push_back(std::move(*first));
    if (limits.framework && !results.front().interrupted) {
      const std::optional<FindOptions> rest = timer.for_framework(results.front());
      if (rest) {
        Result<FindResult> second =
            search(workload, found, ClientKind::kFaithful, limits, *rest, context);
        // The first search's answer stands, whatever happens to this one.
        report.interrupted = !second && second.error().kind() == ErrorKind::kCancelled;
        if (second)
          results.push_back(std::move(*second));
        else
          results.front().findings.push_back("the framework's client could not be measured: " +
                                             second.error().message());
      } else if (results.front().measured) {
        results.front().findings.push_back(timer.framework_left_out());
      }
    }
    timer.name_whole_budgets(results);
    fill_report(found, limits, report);
    fill_envelope(context, "find", report);
    FEEDRATE_CHECK(show_report(report, json));
    return exit_status(report);
  }

 private:
  // Recognises "unet3d=8xh100", a job as plan takes it, to say how find takes it.
  Result<> check_job_word() const {
    const std::string& word = options_.workload.workload;
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || word.starts_with("dlio:") ||
        word.find('/') != std::string::npos)
      return {};
    const std::string count = word.substr(equals + 1, word.find('x', equals) - equals - 1);
    const std::string type = word.substr(std::min(word.size(), equals + count.size() + 2));
    const bool is_count =
        !count.empty() && count.find_first_not_of("0123456789") == std::string::npos;
    return fail(
        ErrorKind::kUsage,
        fmt::format("workload: '{}' is how 'feedrate plan' is told of a job, find takes its name",
                    word),
        fmt::format("write 'feedrate find {} {}{}', and --at-least={} to ask only whether so many "
                    "are fed",
                    word.substr(0, equals),
                    options_.directory.empty() ? "DIR" : quote_path(options_.directory),
                    type.empty() ? "" : " --accelerator=" + type, is_count ? count : "N"));
  }

  // Fills in what the searches have in common.
  void fill_report(const FoundDataset& found, const SearchLimits& limits,
                   FindReport& report) const {
    const FindResult& first = report.searches.front();
    report.place = {found.dataset->directory(), options_.storage, first.io, first.clock};
    report.effective = settings_;
    report.effective.merge(settings_of_search(limits));
    if (first.depth_reads > 0) report.effective["transfer"] = format_bytes(first.transfer_bytes);
    report.seeds = first.seeds;
    for (const FindResult& each : report.searches)
      report.interrupted = report.interrupted || each.interrupted;
  }

  static Settings settings_of_search(const SearchLimits& limits) {
    constexpr std::uint64_t kShare = 4;  // A quarter of a host's memory may be read ahead.
    const FindOptions& find = limits.find;
    Settings settings{{"max", std::to_string(find.accelerators_max)},
                      {"max-inflight", std::to_string(find.inflight_max)},
                      {"memory", format_bytes(kShare * find.read_ahead_max)}};
    if (find.budget > Duration::zero()) settings["budget"] = format_duration(find.budget);
    if (limits.rate_max > 0) settings["max-rate"] = format_rate(limits.rate_max);
    if (limits.wall > Duration::zero()) settings["wall"] = format_duration(limits.wall);
    return settings;
  }

  static int exit_status(const FindReport& report) {
    if (report.interrupted) return kInterrupted;
    const std::vector<FindResult>& results = report.searches;
    const std::string& answer = results.front().answer;
    if (answer == "fail") return kFails;
    // A script must not take a search that could tell nothing for an answer.
    return answer == "undecided" || !results.front().measured ? kUndecided : 0;
  }

  // A search whose options are all resolved and checked.
  struct Prepared {
    TrainingSetup setup;
    FindOptions find;
    std::uint64_t by_data = 0;  // The accelerators for which the data set has samples for a step.
    std::uint32_t several = 1;  // The replicas of a trial whose steps take no time.
  };

  // Returns whether the data set existed before this search, in a directory where no larger one can
  // be made.
  bool there(const FoundDataset& found) const {
    return !found.just_written && !options_.directory.empty();
  }

  // Says how to get a data set of this number of samples.
  std::string larger_data(const Workload& workload, std::uint64_t samples, bool there) const {
    if (!options_.data.empty()) return "read more data";
    const std::string size = size_for_samples(workload, samples);
    const char* const where = !there                      ? "use "
                              : options_.reads_no_files() ? "leave the directory out and use "
                                                          : "use another directory with ";
    return fmt::format("{}--size={} or more", where, size);
  }

  Result<Prepared> prepare(const Workload& workload, std::shared_ptr<const Dataset> dataset,
                           ClientKind client, const SearchLimits& limits, FindOptions find,
                           bool there) const {
    FEEDRATE_TRY(TrainingSetup setup, make_setup(options_, workload, std::move(dataset), client));
    setup.place.rate_max = limits.rate_max;
    // Once a shuffle buffer is full it passes on one sample for each that comes in. It changes
    // nothing in the steady state, but each trial would have to wait until it is full, which takes
    // many batches.
    if (client == ClientKind::kNative) setup.plan.shuffle_buffer_samples = 0;
    const TrainingPlan& one = setup.plan;
    const std::uint32_t replica = one.replica_accelerators();
    FEEDRATE_CHECK(limits.check_replica(replica));
    FEEDRATE_CHECK(check_training_plan(one));
    // With the framework's client an epoch of one step would have only a first step. MLPerf's rule
    // leaves that out, so nothing could be compared.
    const bool faithful = client == ClientKind::kFaithful;
    const std::uint64_t each = std::uint64_t{one.timing.batch_samples} * (faithful ? 2 : 1);
    const std::uint64_t by_data = one.dataset->samples() / each * replica;
    if (by_data < replica)
      return fail(ErrorKind::kUsage,
                  "one accelerator takes the whole data set in one step: an epoch of one step "
                  "cannot be measured with the framework's client",
                  "use a larger data set or a smaller --batch");
    find.goes_on = !faithful;
    const std::set<std::string>& set = options_.workload.asked;
    find.keep_readers =
        find.keep_readers || faithful || !options_.readers.empty() || set.contains("readers");
    find.keep_prefetch = faithful || !options_.prefetch.empty() || set.contains("prefetch_batches");
    find.keep_transfer = faithful || !options_.transfer.empty() || set.contains("transfer_bytes");
    FEEDRATE_CHECK(limits.check_asked(
        by_data, find.at_least, larger_data(workload, find.at_least / replica * each, there)));
    FEEDRATE_CHECK(limits.check_readers(options_.readers, one.readers));
    FEEDRATE_CHECK(limits.check_inflight(find, one));
    const auto several = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        {by_data / replica, setup.world.threads, find.accelerators_max / replica}));
    return Prepared{std::move(setup), std::move(find), by_data, several};
  }

  Result<FindResult> search(const Workload& workload, const FoundDataset& found, ClientKind client,
                            const SearchLimits& limits, FindOptions find,
                            const CommandContext& context) {
    FEEDRATE_TRY(Prepared prepared,
                 prepare(workload, found.dataset, client, limits, std::move(find), there(found)));
    find = std::move(prepared.find);
    TrainingSetup& setup = prepared.setup;
    setup.warnings.insert(setup.warnings.end(), found.warnings.begin(), found.warnings.end());
    const TrainingPlan& one = setup.plan;
    // The report has the settings of the first search, whose answer comes first.
    if (settings_.empty()) settings_ = settings_that_hold(setup);
    const auto [by_data, several] = std::pair{prepared.by_data, prepared.several};
    ClientCeiling ceiling;
    // The ceiling may take at most a twentieth of the budget.
    if (find.budget >= 20 * kCeilingTime) {
      TrainingPlan plan = one;
      plan.replicas = several;
      FEEDRATE_TRY(ceiling, measure_ceiling(setup, plan, kCeilingTime, context.stop));
    }
    SearchProgress progress(context.quiet, std::string(to_string(client)));
    const FindObserver observer = progress.observer();
    FEEDRATE_TRY(FindResult result,
                 find_accelerators(find, one, by_data, several,
                                   noting(experiment_runner(setup, watched(context, true))),
                                   observer, context.stop));
    result.ceiling = ceiling;
    // These are known before the first look, and so also where there is none.
    result.io = setup.io_word();
    result.clock = to_string(setup.world.clock);
    result.reactors = setup.world.threads;
    result.first_look_budget_seconds =
        limits.whole_budget(result.first_look_budget_seconds, client);
    result.repeatable =
        setup.world.clock == ClockKind::kVirtual && !(find.out_of_time && find.out_of_time());
    if (setup.world.clock == ClockKind::kVirtual && !result.repeatable)
      result.findings.emplace_back(
          "--wall cut this search, so the same command may give another interval");
    result.job.timing_set = setup.timing.set;
    result.job.other_timings.clear();
    for (const TimingComparison& other : workload.other_timings(setup.timing))
      result.job.other_timings.push_back({other.set, other.speed_ratio});
    limits.explain(result);
    name_short_epochs(workload, one, result);
    // Whoever accepts a system because of this answer must know that no framework keeps so many
    // reads in flight.
    if (!result.answer.empty() && !result.interrupted && !find.keep_readers && !find.bound_inflight)
      result.findings.insert(result.findings.begin(),
                             "asked of reads as deep as this storage needs; --client=faithful asks "
                             "for the framework's own habits");
    const double job = static_cast<double>(workload.dataset.samples());
    if (found.dataset->plan() && job > 0)
      result.job_times_larger = job / static_cast<double>(found.dataset->samples());
    result.just_written = found.just_written;
    // Where reading again changed nothing the text has a note about caches already.
    const bool told_by_cache = result.read_again && !result.cold;
    if (found.just_written && client == limits.first_client && result.measured && !told_by_cache)
      result.findings.emplace_back(
          "all that was read had been written just before: caches of the storage may still have "
          "held it");
    return result;
  }

  // Returns the settings of all trials, without those that the search varies or does not use.
  Settings settings_that_hold(const TrainingSetup& setup) const {
    Settings settings = settings_of(setup, setup.plan, setup.world.io_engine);
    for (const char* const varied : {"accelerators", "readers", "prefetch", "transfer",
                                     "buffer-memory", "epochs", "steps", "time", "on-error"})
      settings.erase(varied);
    return settings;
  }

  // Names epochs that are shorter than the job's: the framework's loader begins anew each epoch,
  // which costs more when a smaller data set has shorter ones. That is no property of the storage.
  static void name_short_epochs(const Workload& workload, const TrainingPlan& one,
                                FindResult& result) {
    constexpr std::uint64_t kShort = 50;  // In steps.
    const Dataset& dataset = *one.dataset;
    if (one.client != ClientKind::kFaithful || !result.measured || result.interrupted ||
        !dataset.plan() || dataset.samples() >= workload.dataset.samples())
      return;
    const std::uint32_t replicas = result.accelerators / one.replica_accelerators();
    const ShardShape shape{dataset.samples(), std::max(1U, replicas), one.timing.batch_samples};
    if (shape.steps_per_epoch() >= kShort) return;
    result.findings.push_back(fmt::format(
        "the framework's number is of this data set of {}, whose epochs are short; with all {} of "
        "the workload it is likely higher",
        format_counted(dataset.files(), "file"),
        format_counted(workload.dataset.samples(), "sample")));
  }

  // Returns a runner that notes which I/O engine the reactors of its trials really have.
  TrialRunner noting(TrialRunner runner) {
    return [this, runner = std::move(runner)](const TrialRequest& request, StepObserver& observer) {
      Result<RunResult> run = runner(request, observer);
      if (run && run->effective.contains("io-engine"))
        settings_["io-engine"] = run->effective.at("io-engine");
      return run;
    };
  }

  RunOptions options_;
  FindLimits limits_;
  DatasetOptions dataset_;
  Settings settings_;  // The settings of the first search.
};

}  // namespace

std::unique_ptr<Command> make_find_command() { return std::make_unique<FindCommand>(); }

}  // namespace feedrate

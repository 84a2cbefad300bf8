#include "feedrate/experiment/together.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <set>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/dataset/residency.h"
#include "feedrate/evidence/io_witness.h"
#include "feedrate/result/report_failure.h"

namespace feedrate {
namespace {

// A job between its setup and its report. It is made before the group runs and reports afterwards.
class RunningJob {
 public:
  virtual ~RunningJob() = default;
  virtual Job& job() = 0;
  // `cut` says that it ended because the first job was over, which is the usual end of such a job.
  virtual void report(bool interrupted, bool cut, JobTogether& into, bool alone) = 0;
};

// A job that is ended by another one is mostly in the middle of a step; only a wait that is much
// longer than its longest step counts as being stuck.
constexpr int kStuckSteps = 2;

// Returns how long the job had waited for its next step when it ended, if it was stuck; 0
// otherwise.
Duration stuck_for(const TrainingOutcome& outcome) {
  Instant from = outcome.begin;
  Duration longest{};
  for (const StepRecord& step : outcome.steps) {
    longest = std::max(longest, step.end - from);
    from = step.end;
  }
  const Duration since = outcome.ended - from;
  return since > kStuckSteps * longest ? since : Duration{};
}

class RunningTraining final : public RunningJob {
 public:
  RunningTraining(const TrainingSetup& setup, World& world, const RunHooks& hooks)
      : setup_(setup),
        engine_(world.group().engine()),
        progress_(hooks.progress != nullptr ? hooks.progress : &own_progress_),
        run_(world.group(), world.storage(setup.place, setup.plan.seed), setup.plan, hooks.observer,
             *progress_) {}
  Job& job() override { return run_; }
  void report(bool interrupted, bool /*cut*/, JobTogether& into, bool alone) override {
    const TrainingOutcome outcome = run_.outcome(interrupted);
    RunResult result = report_training(setup_, setup_.plan, outcome, engine_);
    if (!alone) into.stuck_seconds = to_seconds(stuck_for(outcome));
    // Reads of files are counted by process and by device, and so for all jobs together. Whether
    // their place is this host's memory needs no counter.
    if (setup_.reads_files() &&
        !judge_place(setup_.cache != CacheUse::kMeasure, *setup_.plan.dataset, result))
      result.warnings.emplace_back(
          "the counters of this host cannot tell the jobs apart, so where this job's bytes came "
          "from is not known");
    (alone ? into.train_alone : into.train) = std::move(result);
  }

 private:
  const TrainingSetup& setup_;
  IoEngine engine_;
  TrainingProgress own_progress_;
  TrainingProgress* progress_;
  TrainingRun run_;
};

class RunningCheckpoints final : public RunningJob {
 public:
  RunningCheckpoints(const CheckpointSetup& setup, World& world)
      : setup_(setup),
        run_(world.group(), world.storage(setup.place, setup.job.head.content.seed), setup.local,
             setup.job, progress_) {}
  Job& job() override { return run_; }
  void report(bool interrupted, bool cut, JobTogether& into, bool alone) override {
    CheckpointWriteSummary before_error;
    const Result<CheckpointWriteSummary> summary = run_.outcome(interrupted && !cut, &before_error);
    CheckpointResult result = report_checkpoints(setup_, summary ? *summary : before_error);
    // A job that failed keeps what it measured before, and takes nobody else's report with it.
    if (!summary) note_failure(summary.error(), !result.passes.empty(), result);
    (alone ? into.checkpoint_alone : into.checkpoint) = std::move(result);
  }

 private:
  const CheckpointSetup& setup_;
  CheckpointProgress progress_;
  CheckpointRun run_;
};

std::unique_ptr<RunningJob> make_running(const JobSetup& setup, World& world,
                                         const RunHooks& hooks) {
  if (const auto* const training = std::get_if<TrainingSetup>(&setup.what))
    return std::make_unique<RunningTraining>(*training, world, hooks);
  return std::make_unique<RunningCheckpoints>(std::get<CheckpointSetup>(setup.what), world);
}

Result<> check_jobs(const Experiment& experiment, const WorldSpec& world) {
  std::set<std::string> directories;
  for (const JobSetup& each : experiment.jobs) {
    if (const auto* const written = std::get_if<CheckpointSetup>(&each.what);
        written != nullptr && written->place.carries_data() &&
        !directories.insert(written->job.directory).second)
      return fail(
          ErrorKind::kUsage,
          fmt::format("{}: two jobs write checkpoints there", quote_path(written->job.directory)),
          "give each a directory of its own");
    const ClockKind clock =
        std::visit([](const auto& setup) { return setup.world.clock; }, each.what);
    if (clock != world.clock)
      return fail(ErrorKind::kUsage,
                  fmt::format("--clock: '{}' is on the {} clock, the first job on the {} one",
                              each.words, to_string(clock), to_string(world.clock)),
                  fmt::format("give each job --clock={}", to_string(world.clock)));
    if (const auto* const training = std::get_if<TrainingSetup>(&each.what))
      FEEDRATE_CHECK(check_training_plan(training->plan));
  }
  return {};
}

Duration length_of(const JobTogether& job) {
  double seconds = job.train ? job.train->seconds : 0;
  if (job.checkpoint)
    for (const CheckpointPass& pass : job.checkpoint->passes) seconds += pass.restorable_seconds;
  return from_seconds(seconds);
}

// Returns the setup of a job that runs alone for at most as long as all ran together, because the
// other jobs have no end of their own.
JobSetup ended_after(JobSetup setup, Duration time) {
  if (auto* const training = std::get_if<TrainingSetup>(&setup.what)) {
    Duration& most = training->plan.time_max;
    if (most <= Duration{} || most > time) most = time;
  } else {
    std::get<CheckpointSetup>(setup.what).job.stop_after = time;
  }
  return setup;
}

// Runs these jobs and lets each report. They all end when the first one does.
Result<> run_jobs(const std::vector<const JobSetup*>& setups, const WorldSpec& spec,
                  const RunHooks& hooks, std::vector<JobTogether*> into, bool alone) {
  for (const JobSetup* setup : setups)
    if (const auto* const training = std::get_if<TrainingSetup>(&setup->what);
        training != nullptr && training->drops_cache())
      drop_page_cache(*training->plan.dataset, hooks.stop);
  FEEDRATE_TRY(World world, World::make(spec));
  const std::shared_ptr<void> watching = hooks.watch ? hooks.watch(world.group()) : nullptr;
  std::vector<std::unique_ptr<RunningJob>> running;
  std::vector<Job*> jobs;
  for (const JobSetup* setup : setups) {
    // Only the first job of the common run is watched: progress and observer are about that one.
    RunHooks own = hooks;
    if (!running.empty() || alone) own.observer = nullptr, own.progress = nullptr;
    running.push_back(make_running(*setup, world, own));
    jobs.push_back(&running.back()->job());
  }
  // The others go on for as long as the first job, which is the one that is measured.
  jobs.front()->when_over([&jobs] {
    for (std::size_t i = 1; i < jobs.size(); ++i) jobs[i]->stop();
  });
  world.group().run(jobs, hooks.stop);
  const bool interrupted = hooks.stop.stop_requested();
  for (std::size_t i = 0; i < running.size(); ++i)
    running[i]->report(interrupted, !interrupted && i > 0, *into[i], alone);
  return {};
}

}  // namespace

Result<TogetherReport> run(const Experiment& experiment, const WorldSpec& world,
                           const RunHooks& hooks) {
  FEEDRATE_CHECK(check_jobs(experiment, world));
  TogetherReport report;
  report.verb = "together";
  for (const JobSetup& each : experiment.jobs) report.jobs.emplace_back().job = each.words;
  std::vector<const JobSetup*> all;
  std::vector<JobTogether*> into;
  for (std::size_t i = 0; i < experiment.jobs.size(); ++i) {
    all.push_back(&experiment.jobs[i]);
    into.push_back(&report.jobs[i]);
  }
  FEEDRATE_CHECK(run_jobs(all, world, hooks, into, false));
  // The first job has an end of its own; the others get the time that the common run took.
  const Duration lasted = length_of(report.jobs.front());
  // Where nothing was measured together there is nothing to compare, and no time for the others.
  const bool compares = experiment.alone && lasted > Duration{};
  for (std::size_t i = 0; compares && i < all.size() && !hooks.stop.stop_requested(); ++i) {
    const JobSetup alone = i == 0 ? *all[i] : ended_after(*all[i], lasted);
    FEEDRATE_CHECK(run_jobs({&alone}, world, hooks, {into[i]}, true));
  }
  report.interrupted = hooks.stop.stop_requested();
  for (const JobTogether& each : report.jobs) {
    const auto judge = [&report](const auto& own, const std::string& name) {
      if (!own || own->valid) return;
      report.valid = false;
      for (const std::string& reason : own->invalid_reasons)
        report.invalid_reasons.push_back(name + ": " + reason);
    };
    judge(each.train, each.job);
    judge(each.checkpoint, each.job);
    judge(each.train_alone, each.job + " (alone)");
    judge(each.checkpoint_alone, each.job + " (alone)");
  }
  return report;
}

}  // namespace feedrate

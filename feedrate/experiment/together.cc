#include "feedrate/experiment/together.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/dataset/residency.h"
#include "feedrate/evidence/io_witness.h"
#include "feedrate/result/report_failure.h"

namespace feedrate {
namespace {

// What the jobs of one run read of files. Counters of a host are of a process or a device, and so
// of all its jobs together.
struct AllReads {
  std::size_t jobs = 0, readers = 0;
  std::uint64_t moved = 0;
  std::set<dev_t> devices;
};

dev_t device_of(const Dataset& dataset) {
  struct stat status{};
  return stat(dataset.directory().c_str(), &status) == 0 ? status.st_dev : 0;
}

// A job between its setup and its report. It is made before the group runs and reports afterwards.
class RunningJob {
 public:
  virtual ~RunningJob() = default;
  virtual Job& job() = 0;
  // `cut` says that it ended because the first job was over, which is the usual end of such a job.
  virtual void report(bool interrupted, bool cut, JobTogether& into, bool alone) = 0;
  // Says where the bytes of its report came from, once all jobs have reported.
  virtual void judge(const AllReads& /*all*/, JobTogether& /*into*/, bool /*alone*/) {}
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
             *progress_),
        witness_(make_witness(setup, setup.plan, *progress_)) {}
  Job& job() override { return run_; }
  void report(bool interrupted, bool /*cut*/, JobTogether& into, bool alone) override {
    outcome_ = run_.outcome(interrupted);
    if (!alone) into.stuck_seconds = to_seconds(stuck_for(outcome_));
    (alone ? into.train_alone : into.train) =
        report_training(setup_, setup_.plan, outcome_, engine_);
  }
  void judge(const AllReads& all, JobTogether& into, bool alone) override {
    RunResult& result = *(alone ? into.train_alone : into.train);
    judge_bytes(all, result);
    if (all.jobs > 1 && setup_.world.clock == ClockKind::kReal)
      result.warnings.emplace_back(
          "CPU time and memory are counted by process: in this report they are those of all jobs "
          "together");
    // It was measured while the others ran, so it is the time of no read that was alone.
    if (all.jobs > 1) result.unloaded_read_ms = 0;
    result.limiter = find_limiter(result);
  }

 private:
  void judge_bytes(const AllReads& all, RunResult& result) {
    if (!witness_) return;
    if (all.readers == 1) return let_witness_judge(setup_, std::move(witness_), outcome_, result);
    if (all.devices.size() == 1) {
      // What all of them moved is held against what was counted, and each has the shares of all.
      const std::uint64_t own = std::exchange(result.bytes_moved, all.moved);
      let_witness_judge(setup_, std::move(witness_), outcome_, result);
      result.bytes_moved = own;
      result.warnings.emplace_back(
          "the counters of this host cannot tell the jobs apart: where the bytes came from is said "
          "of all jobs together");
      return;
    }
    // Whether their place is this host's memory needs no counter.
    if (!judge_place(setup_.cache != CacheUse::kMeasure, *setup_.plan.dataset, result))
      result.warnings.emplace_back(
          "the counters of this host cannot tell the jobs apart, so where this job's bytes came "
          "from is not known");
  }

  const TrainingSetup& setup_;
  IoEngine engine_;
  TrainingProgress own_progress_;
  TrainingProgress* progress_;
  TrainingRun run_;
  TrainingOutcome outcome_;
  std::unique_ptr<IoWitness> witness_;
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
    if (cut) tell_unfinished(result);
    // A job that failed keeps what it measured before, and takes nobody else's report with it.
    if (!summary) note_failure(summary.error(), !result.passes.empty(), result);
    (alone ? into.checkpoint_alone : into.checkpoint) = std::move(result);
  }

 private:
  // The first job's end comes in the middle of whatever goes on, and figures are of whole ones.
  void tell_unfinished(CheckpointResult& result) const {
    std::uint64_t whole = 0;
    for (const CheckpointPass& pass : result.passes) whole += pass.stored_bytes;
    const std::uint64_t begun = progress_.bytes_done - std::min(progress_.bytes_done.load(), whole);
    if (begun > 0)
      result.warnings.push_back(fmt::format(
          "the run ended while a checkpoint was written: {} of it were, which no figure "
          "here counts",
          format_bytes(begun)));
    else if (result.passes.empty())
      result.warnings.emplace_back("the run ended before a checkpoint was due");
  }

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

// Returns the directory itself, whatever links and dots its name has, and the end of it that does
// not exist yet.
std::string real_path(const std::string& directory) {
  std::error_code error;
  std::filesystem::path path =
      std::filesystem::weakly_canonical(std::filesystem::absolute(directory, error), error);
  return error ? directory : (path / "").parent_path().string();
}

// Two writers in one directory would damage each other's checkpoints.
Result<> check_directories(const CheckpointSetup& written, std::set<std::string>& directories) {
  if (!written.place.carries_data()) return {};
  for (const std::string& directory : {written.job.directory, written.job.local})
    if (!directory.empty() && !directories.insert(real_path(directory)).second)
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: two jobs write checkpoints there", quote_path(directory)),
                  "give each a directory of its own");
  return {};
}

Result<> check_jobs(const Experiment& experiment, const WorldSpec& world) {
  std::set<std::string> directories;
  for (const JobSetup& each : experiment.jobs) {
    if (const auto* const written = std::get_if<CheckpointSetup>(&each.what))
      FEEDRATE_CHECK(check_directories(*written, directories));
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

AllReads reads_of(const std::vector<const JobSetup*>& setups,
                  const std::vector<JobTogether*>& reports, bool alone) {
  AllReads all;
  all.jobs = setups.size();
  for (std::size_t i = 0; i < setups.size(); ++i) {
    const auto* const training = std::get_if<TrainingSetup>(&setups[i]->what);
    if (training == nullptr || !training->reads_files()) continue;
    ++all.readers;
    all.moved += (alone ? reports[i]->train_alone : reports[i]->train)->bytes_moved;
    all.devices.insert(device_of(*training->plan.dataset));
  }
  return all;
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
  const AllReads all = reads_of(setups, into, alone);
  for (std::size_t i = 0; i < running.size(); ++i) running[i]->judge(all, *into[i], alone);
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

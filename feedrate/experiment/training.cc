#include "feedrate/experiment/training.h"

#include <sys/sysinfo.h>

#include <algorithm>

#include "feedrate/base/random.h"
#include "feedrate/base/units.h"
#include "feedrate/dataset/residency.h"
#include "feedrate/engine/loader.h"
#include "feedrate/evidence/io_witness.h"
#include "feedrate/experiment/build_name.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

// Adds to the result what was run, and how.
void describe(const TrainingSetup& setup, const TrainingPlan& plan, IoEngine engine,
              RunResult& result) {
  result.job.workload = setup.workload.name;
  result.job.title = setup.workload.title;
  result.job.timing_set = setup.timing.set;
  for (const TimingComparison& other : setup.workload.other_timings(setup.timing))
    result.job.other_timings.push_back({other.set, other.speed_ratio});
  // The sizes are those of stored samples, of which the workload may read only a part.
  const DatasetShape& shape = setup.workload.dataset;
  const double read_share = shape.read_bytes_mean() / shape.sample_bytes_mean;
  for (double* const bytes : {&result.job.demand_bytes_per_second, &result.bytes_per_second,
                              &result.sustained_bytes_per_second, &result.read_ahead_bytes})
    *bytes *= read_share;
  result.job.au_threshold = setup.workload.au_threshold;
  result.warnings.insert(result.warnings.begin(), setup.warnings.begin(), setup.warnings.end());
  result.effective = settings_of(setup, plan, engine);
  result.place = {result.dataset.directory, setup.place.spec.word, setup.io_word(),
                  result.effective["clock"]};
  result.seeds = {{"order", plan.seed}};
  if (plan.dataset->plan()) result.seeds["content"] = plan.dataset->plan()->seed;
  result.verb = "train";
  result.host = setup.host;
}

RunCheckpoints summarise(const RunCheckpoints& described, const CheckpointWriteSummary& summary) {
  RunCheckpoints all = described;
  std::vector<double> blocked, restorable;
  for (const WrittenCheckpoint& each : summary.written) {
    blocked.push_back(to_seconds(each.blocked));
    restorable.push_back(to_seconds(each.restorable));
    all.bytes = each.bytes;
    all.stored_bytes += each.stored_bytes;
    all.blocked_seconds += blocked.back();
  }
  all.count = summary.written.size();
  if (blocked.empty()) return all;
  std::ranges::sort(blocked);
  std::ranges::sort(restorable);
  all.blocked_median_seconds = blocked[(blocked.size() - 1) / 2];
  all.restorable_median_seconds = restorable[(restorable.size() - 1) / 2];
  return all;
}

// Returns the seed of a described storage's draws. A run that continues where another ended must
// not meet the same noise again.
std::uint64_t storage_seed(const TrainingPlan& plan) {
  return plan.start_samples == 0 ? plan.seed : combine_seeds(plan.seed, plan.start_samples);
}

std::uint64_t host_memory() {
  struct sysinfo info{};
  sysinfo(&info);
  return std::uint64_t{info.totalram} * info.mem_unit;
}

// Returns how long the ceiling is measured: a second, but no longer than the run itself is sure to
// take.
Duration ceiling_time(const TrainingPlan& plan) {
  const double step = to_seconds(plan.timing.compute);
  double seconds = 1;
  if (plan.time_max > Duration::zero()) seconds = std::min(seconds, to_seconds(plan.time_max));
  if (plan.steps_max > 0) seconds = std::min(seconds, step * static_cast<double>(plan.steps_max));
  const double batches = static_cast<double>(plan.dataset->samples()) /
                         (static_cast<double>(plan.replicas) * plan.timing.batch_samples);
  if (plan.epochs > 0)
    seconds = std::min(seconds, step * batches * static_cast<double>(plan.epochs));
  return std::max<Duration>(std::chrono::milliseconds(1), from_seconds(seconds));
}

void add_ceiling(const TrainingSetup& setup, const ClientCeiling& alone, RunResult& result) {
  if (!result.valid || result.interrupted) return;
  result.ceiling = alone;
  // The ceiling was measured without checking or decoding; their CPU time is added, shared by all
  // threads.
  const ByteProcessing& done = result.processing;
  if (result.ceiling.seconds > 0 && done.samples > 0) {
    const double each = done.cpu_seconds / static_cast<double>(done.samples);
    const double before = result.ceiling.samples_per_second;
    result.ceiling.samples_per_second = 1 / (1 / before + each / setup.world.threads);
    result.ceiling.accelerators *= result.ceiling.samples_per_second / before;
    result.ceiling.cpu_seconds_per_sample += each;
  }
  result.limiter = find_limiter(result);
}

}  // namespace

std::string_view to_string(CacheUse use) {
  switch (use) {
    case CacheUse::kDrop:
      return "drop";
    case CacheUse::kKeep:
      return "keep";
    case CacheUse::kMeasure:
      return "measure";
  }
  return "unknown";
}

TrainingSetup default_training_setup(const Workload& workload, const AcceleratorTiming& timing,
                                     std::shared_ptr<const Dataset> dataset, ClientKind client) {
  TrainingSetup setup;
  setup.workload = workload;
  setup.timing = timing;
  setup.plan = default_training_plan(workload, timing, std::move(dataset), client);
  setup.place = {.spec = costs_nothing(), .directory = "."};
  setup.host = collect_host_facts(build_name());
  return setup;
}

std::map<std::string, std::string> settings_of(const TrainingSetup& setup, const TrainingPlan& plan,
                                               IoEngine engine) {
  const CacheUse cache = setup.drops_cache()                 ? CacheUse::kDrop
                         : setup.cache == CacheUse::kMeasure ? CacheUse::kMeasure
                                                             : CacheUse::kKeep;
  std::map<std::string, std::string> used{
      {"accelerator", plan.timing.accelerator},
      {"accelerators", std::to_string(plan.accelerators())},
      {"size", format_bytes(plan.dataset->bytes())},
      {"timing", setup.timing.set},
      {"batch", std::to_string(plan.timing.batch_samples)},
      {"step-time", format_duration(plan.timing.compute)},
      {"au", format_percent(setup.workload.au_threshold)},
      {"tensor-parallel", std::to_string(plan.tensor_parallel)},
      {"pipeline-parallel", std::to_string(plan.pipeline_parallel)},
      {"micro-batches", std::to_string(plan.micro_batches)},
      {"client", std::string(to_string(plan.client))},
      {"readers", std::to_string(plan.readers)},
      {"shuffle-buffer", std::to_string(plan.shuffle_buffer_samples)},
      {"order", std::string(to_string(plan.order))},
      {"transfer", format_bytes(plan.transfer_bytes)},
      {"storage", setup.place.spec.word},
      {"clock", std::string(to_string(setup.world.clock))},
      {"threads", std::to_string(setup.world.threads)},
      {"buffer-memory", format_bytes(plan.buffer_bytes)},
      {"cache", std::string(to_string(cache))},
      {"verify", plan.level == ByteLevel::kVerify ? "yes" : "no"},
      {"decode", std::string(to_string(plan.level))},
      {"hold", plan.hold ? "yes" : "no"},
      {"on-error", std::string(to_string(plan.on_error))},
      {"seed", std::to_string(plan.seed)}};
  // What is not there has no limit, or no meaning: 0 would not be a value of these options.
  if (plan.epochs > 0) used["epochs"] = std::to_string(plan.epochs);
  if (plan.steps_max > 0) used["steps"] = std::to_string(plan.steps_max);
  if (plan.time_max > Duration::zero()) used["time"] = format_duration(plan.time_max);
  if (!plan.reads_in_process()) used["prefetch"] = std::to_string(plan.prefetch_batches);
  if (setup.reads_files()) used["io"] = setup.io_word();
  if (engine != IoEngine::kAuto) used["io-engine"] = to_string(engine);
  return used;
}

std::unique_ptr<IoWitness> make_witness(const TrainingSetup& setup, const TrainingPlan& plan,
                                        const TrainingProgress& progress) {
  if (setup.place.spec.facts.moved_by != "device") return nullptr;
  const ShardShape shape{plan.dataset->samples(), plan.replicas, plan.timing.batch_samples};
  // A data set that fits in memory would be read from the page cache in the next epoch, so it is
  // dropped behind the reads.
  const bool drop_behind = setup.drops_cache() && plan.dataset->bytes() < host_memory();
  return std::make_unique<IoWitness>(
      *plan.dataset, progress, shape.steps_per_epoch(),
      WitnessOptions{setup.place.io == IoMode::kDirect, drop_behind});
}

void let_witness_judge(const TrainingSetup& setup, std::unique_ptr<IoWitness> witness,
                       const TrainingOutcome& outcome, RunResult& result) {
  if (outcome.let_go) return static_cast<void>(witness.release());
  if (!witness) return;
  witness->finish(result);
  judge_io(setup.cache != CacheUse::kMeasure, result);
}

Result<RunResult> run_training_once(const TrainingSetup& setup, const TrainingPlan& plan,
                                    const RunHooks& hooks, const CheckpointsOfRun* checkpoints) {
  FEEDRATE_CHECK(check_training_plan(plan));
  TrainingProgress own_progress;
  TrainingProgress& progress = hooks.progress != nullptr ? *hooks.progress : own_progress;
  // Pages that cannot be dropped are not an error here: the residency in the result tells of them.
  if (setup.drops_cache()) drop_page_cache(*plan.dataset, hooks.stop);
  FEEDRATE_TRY(World world, World::make(setup.world));
  const StorageFactory storage = world.storage(setup.place, storage_seed(plan));
  const std::shared_ptr<void> watching = hooks.watch ? hooks.watch(world.group()) : nullptr;
  std::unique_ptr<IoWitness> witness = make_witness(setup, plan, progress);
  std::optional<TrainingCheckpoints> with;
  std::optional<CheckpointGuest> guest;
  if (checkpoints != nullptr) {
    with = checkpoints->checkpoints;
    if (!with->storage) with->storage = storage;  // A described storage has one limit for both.
    guest.emplace(*with, std::min(world.group().size(), plan.replicas));
  }
  const TrainingOutcome outcome = run_training(world.group(), storage, plan, hooks.observer,
                                               progress, hooks.stop, guest ? &*guest : nullptr);
  if (guest && guest->error() && !outcome.interrupted) return fail(*guest->error());
  RunResult result = report_training(setup, plan, outcome, world.group().engine());
  if (guest) result.checkpoints = summarise(checkpoints->described, guest->summary());
  let_witness_judge(setup, std::move(witness), outcome, result);
  result.limiter = find_limiter(result);
  return result;
}

RunResult report_training(const TrainingSetup& setup, const TrainingPlan& plan,
                          const TrainingOutcome& outcome, IoEngine engine) {
  RunResult result = summarise_training(plan, outcome);
  describe(setup, plan, engine, result);
  result.limiter = find_limiter(result);
  return result;
}

Result<ClientCeiling> measure_ceiling(const TrainingSetup& setup, const TrainingPlan& plan,
                                      Duration time, const std::stop_token& stop) {
  ClientCeiling ceiling;
  if (setup.world.clock == ClockKind::kVirtual || !setup.place.spec.facts.takes_time)
    return ceiling;
  TrainingPlan free = plan;
  // Steps take a nanosecond, so that only the client's own work limits the rate.
  free.timing.compute = Duration(1);
  free.level = ByteLevel::kRaw;
  free.slow_ranks.clear();
  free.epochs = free.steps_max = 0;
  free.time_max = time;
  FEEDRATE_TRY(World world, World::make(setup.world));
  const StorageFactory null = world.storage({.spec = costs_nothing(), .directory = "."}, plan.seed);
  TrainingProgress progress;
  const RunResult run =
      summarise_training(free, run_training(world.group(), null, free, nullptr, progress, stop));
  if (run.seconds <= 0 || run.samples == 0) return ceiling;
  ceiling.seconds = run.seconds;
  ceiling.samples_per_second = run.samples_per_second;
  ceiling.cpu_seconds_per_sample =
      (run.cpu_user_seconds + run.cpu_system_seconds) /
      static_cast<double>(std::max<std::uint64_t>(1, run.samples_read));
  ceiling.accelerators = ceiling.samples_per_second * to_seconds(plan.timing.compute) /
                         static_cast<double>(plan.timing.batch_samples) *
                         plan.replica_accelerators();
  return ceiling;
}

Result<RunResult> train(const TrainingSetup& setup, const RunHooks& hooks,
                        const CheckpointsOfRun* checkpoints) {
  FEEDRATE_CHECK(check_training_plan(setup.plan));
  // The client is measured alone first, then with the storage.
  FEEDRATE_TRY(const ClientCeiling alone,
               measure_ceiling(setup, setup.plan, ceiling_time(setup.plan), hooks.stop));
  FEEDRATE_TRY(RunResult result, run_training_once(setup, setup.plan, hooks, checkpoints));
  add_ceiling(setup, alone, result);
  return result;
}

}  // namespace feedrate

// Runs `find`'s search on the storages of a file of descriptions, on the virtual clock, over many
// seeds of their noise, and prints a line of JSON for each run: what find_coverage.py counts.
//
// usage: feedrate_find_truth STORAGES.json NAME FIRST_SEED SEEDS BUDGET_SECONDS [AT_LEAST]
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "feedrate/engine/train.h"
#include "feedrate/find/find.h"
#include "tests/truth/stations.h"

namespace feedrate {
namespace {

constexpr std::uint32_t kMost = 64;  // accelerators

TrainingPlan make_plan(const nlohmann::json& job, const nlohmann::json& storage) {
  Workload workload;
  workload.name = "truth";
  const double bytes = job.at("sample_bytes");
  workload.dataset = {"truth", job.value("files", std::uint64_t{100'000}), 1, "file", bytes, 0, 10};
  workload.order = AccessOrder::kRandomSamples;
  workload.epochs = 1;
  workload.accelerators = {{"x", job.at("batch").get<std::uint32_t>(),
                            from_seconds(job.at("compute").get<double>()), "truth"}};
  const auto described = plan_for(workload, 0, 1, 0);
  FEEDRATE_ASSERT(described.has_value());
  const auto dataset = Dataset::from_plan(*described, "(described)");
  FEEDRATE_ASSERT(dataset.has_value());
  TrainingPlan plan = default_training_plan(workload, workload.accelerators.front(), *dataset,
                                            ClientKind::kNative);
  plan.epochs = 0;
  const nlohmann::json slow = storage.value("slow_ranks", nlohmann::json::object());
  for (const auto& [rank, factor] : slow.items())
    plan.slow_ranks[static_cast<std::uint32_t>(std::stoul(rank))] = factor.get<double>();
  return plan;
}

Result<FindResult> search(const TrainingPlan& plan, const nlohmann::json& storage,
                          std::uint64_t seed, const FindOptions& options, bool verbose) {
  // One storage for the whole search: its noise goes on from trial to trial.
  const auto stop = std::stop_token{};
  const TrialRunner runner = [&](const TrialRequest& request,
                                 StepObserver& observer) -> Result<RunResult> {
    TrainingPlan trial = plan;
    trial.replicas = request.accelerators;
    trial.readers = request.load.readers;
    trial.prefetch_batches = request.load.prefetch_batches;
    trial.seed = seed * 1000 + request.number;
    if (request.free_steps) trial.timing.compute = Duration(1);
    if (request.free_steps) trial.slow_ranks.clear();
    const StorageFactory factory = make_station_storage(storage, seed * 100'003 + request.number);
    const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1);
    TrainingProgress progress;
    return summarise_training(trial,
                              run_training(**group, factory, trial, &observer, progress, stop));
  };
  FindObserver observer;
  if (verbose)
    observer.trial_ends = [](const TrialResult& trial) {
      std::fprintf(stderr, "%7.2f s %3u %s depth %llu  %.2f s  %llu steps  AU %.2f %s  %.1f/s\n",
                   trial.begin_seconds, trial.accelerators, trial.free_steps ? "free" : "    ",
                   static_cast<unsigned long long>(trial.reads_in_flight), trial.seconds,
                   static_cast<unsigned long long>(trial.steps),
                   100 * trial.utilisation.value_or(0), trial.upper_bound ? "at most" : "",
                   trial.samples_per_second);
    };
  return find_accelerators(options, plan, plan.dataset->samples() / plan.timing.batch_samples, 1,
                           runner, observer, stop);
}

int run(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s STORAGES.json NAME FIRST_SEED SEEDS BUDGET_SECONDS [AT_LEAST]\n",
                 argv[0]);
    return 2;
  }
  std::ifstream file(argv[1]);
  const nlohmann::json all = nlohmann::json::parse(file);
  for (const nlohmann::json& storage : all.at("storages")) {
    if (storage.at("name") != argv[2]) continue;
    const TrainingPlan plan = make_plan(all.at("job"), storage);
    FindOptions options;
    options.au_threshold = all.at("threshold");
    options.accelerators_max = kMost;
    options.budget = from_seconds(std::strtod(argv[5], nullptr));
    if (argc > 6) options.at_least = static_cast<std::uint32_t>(std::atoi(argv[6]));
    const std::uint64_t first = std::strtoull(argv[3], nullptr, 10);
    for (std::uint64_t seed = first; seed < first + std::strtoull(argv[4], nullptr, 10); ++seed) {
      const auto result = search(plan, storage, seed, options, std::getenv("VERBOSE") != nullptr);
      if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        return 3;
      }
      const nlohmann::json line{{"storage", storage.at("name")},
                                {"seed", seed},
                                {"budget", std::strtod(argv[5], nullptr)},
                                {"n", result->accelerators},
                                {"low", result->accelerators_low},
                                {"high", result->accelerators_high},
                                {"limit", result->limit},
                                {"answer", result->answer},
                                {"asked", result->asked},
                                {"spent", result->spent_seconds},
                                {"narrower", result->narrower_budget_seconds},
                                {"noise", result->noise_seconds},
                                {"correlation", result->correlation_seconds},
                                {"depth", result->depth_reads},
                                {"trials", result->trials.size()},
                                {"findings", result->findings}};
      std::printf("%s\n", line.dump().c_str());
    }
    return 0;
  }
  std::fprintf(stderr, "%s has no storage '%s'\n", argv[1], argv[2]);
  return 2;
}

}  // namespace
}  // namespace feedrate

int main(int argc, char** argv) { return feedrate::run(argc, argv); }

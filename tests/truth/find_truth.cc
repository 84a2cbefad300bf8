// Runs `find`'s search on the storages of a file of descriptions, on the virtual clock, over many
// seeds of their noise, and prints a line of JSON for each run: what find_coverage.py counts.
//
// usage: feedrate_find_truth STORAGES.json NAME FIRST_SEED SEEDS BUDGET_SECONDS [AT_LEAST]
//        with --faithful first: N for the framework's habits; then with --au instead of AT_LEAST
//        the utilisation of each number, by runs that last so many seconds: how that N is told
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <list>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "feedrate/base/json_text.h"
#include "feedrate/base/random.h"
#include "feedrate/engine/train.h"
#include "feedrate/find/find.h"
#include "feedrate/storage/storage.h"

namespace feedrate {
namespace {

// Storages that the model language cannot say: stations with queues, distributions of service time
// and pauses, on the virtual clock: what station_events.py simulates without us.

// Draws of one law, in seconds.
class Law {
 public:
  explicit Law(const nlohmann::json& json)
      : shape_(json.at("shape")),
        mean_(json.value("mean", 0.0)),
        sigma_(json.value("sigma", 0.0)),
        alpha_(json.value("alpha", 0.0)) {}

  double draw(RandomStream& random) const {
    if (shape_ == "fixed") return mean_;
    if (shape_ == "exponential") return mean_ * random.exponential();
    if (shape_ == "lognormal")
      return mean_ * std::exp(sigma_ * random.normal() - sigma_ * sigma_ / 2);
    FEEDRATE_ASSERT(shape_ == "pareto");
    return mean_ * (alpha_ - 1) / alpha_ * std::exp(random.exponential() / alpha_);
  }

 private:
  std::string shape_;
  double mean_, sigma_, alpha_;
};

// When servers work: all the time, or between pauses.
class Pauses {
 public:
  Pauses(const nlohmann::json& json, std::uint64_t seed) : random_(seed) {
    if (json.is_null()) return;
    const std::string shape = json.value("shape", "exponential");
    on_.emplace(nlohmann::json{{"shape", shape}, {"mean", json.at("on_mean")}});
    off_.emplace(nlohmann::json{{"shape", shape}, {"mean", json.at("off_mean")}});
  }
  void begin(std::uint64_t seed) {
    random_ = RandomStream(seed);
    spans_.clear();
  }
  // When `service` seconds of work that begin at `start` are done.
  double end_of(double start, double service) {
    if (!on_) return start + service;
    double at = start;
    while (true) {
      extend(at);
      const auto next = std::lower_bound(spans_.begin(), spans_.end(), at,
                                         [](const Span& span, double t) { return span.end <= t; });
      at = std::max(at, next->begin);
      if (at + service <= next->end) return at + service;
      service -= next->end - at;
      at = next->end;
    }
  }

 private:
  struct Span {
    double begin, end;  // on
  };
  void extend(double until) {
    while (spans_.empty() || spans_.back().end <= until) {
      const double begin = spans_.empty() ? 0 : spans_.back().end + off_->draw(random_);
      spans_.push_back({begin, begin + on_->draw(random_)});
    }
  }
  RandomStream random_;
  std::optional<Law> on_, off_;
  std::vector<Span> spans_;
};

// Bytes that the storage's own memory holds, the least recently used of them first to go.
class Lru {
 public:
  explicit Lru(double bytes) : bytes_(bytes) {}
  // Whether it was there; it is afterwards.
  bool touch(const std::string& path, double bytes) {
    const auto found = places_.find(path);
    if (found != places_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return true;
    }
    order_.push_front({path, bytes});
    places_[path] = order_.begin();
    held_ += bytes;
    while (held_ > bytes_) {
      held_ -= order_.back().second;
      places_.erase(order_.back().first);
      order_.pop_back();
    }
    return false;
  }

 private:
  double bytes_, held_ = 0;
  std::list<std::pair<std::string, double>> order_;
  std::unordered_map<std::string, std::list<std::pair<std::string, double>>::iterator> places_;
};

class Station {
 public:
  Station(const nlohmann::json& json, std::uint64_t seed)
      : random_(seed),
        service_(json.contains("lru") ? json.at("lru").at("miss") : json.at("service")),
        pauses_(json.value("pause", nlohmann::json()), seed + 1),
        share_(json.value("share", 1.0)),
        free_at_(json.value("servers", 1)) {
    if (!json.contains("lru")) return;
    lru_.emplace(json.at("lru").at("bytes").get<double>());
    hit_.emplace(json.at("lru").at("hit"));
  }

  // Another run begins, at its own time 0; what a cache holds stays.
  void begin(std::uint64_t seed) {
    random_ = RandomStream(seed);
    pauses_.begin(seed + 1);
    std::ranges::fill(free_at_, 0.0);
  }

  bool visited_by(std::uint64_t file) const {
    return share_ >= 1 || static_cast<double>(file * 2654435761U % (std::uint64_t{1} << 32U)) <
                              share_ * 4294967296.0;
  }
  double end_of_service(double now, const std::string& path, double bytes) {
    const bool hit = lru_ && lru_->touch(path, bytes);
    const double service = hit ? hit_->draw(random_) : service_.draw(random_);
    const auto first = std::ranges::min_element(free_at_);
    *first = pauses_.end_of(std::max(*first, now), service);
    return *first;
  }

 private:
  RandomStream random_;
  Law service_;
  Pauses pauses_;
  double share_;
  std::vector<double> free_at_;
  std::optional<Lru> lru_;
  std::optional<Law> hit_;
};

struct Stations {
  explicit Stations(const nlohmann::json& json) : random(0) {
    for (const nlohmann::json& station : json.at("stations")) stations.emplace_back(station, 0);
    if (json.contains("latency")) latency.emplace(json.at("latency"));
  }
  void begin(std::uint64_t seed) {
    random = RandomStream(seed + 7);
    std::uint64_t number = 0;
    for (Station& station : stations) station.begin(combine_seeds(seed, 100 + 2 * number++));
  }
  std::vector<Station> stations;
  std::optional<Law> latency;
  RandomStream random;
};

struct StationFile final : StorageFile {
  using StorageFile::StorageFile;
};

// Of a described data set: its paths are ".../part-NUMBER-of-FILES".
std::uint64_t file_number(const std::string& path) {
  const std::size_t part = path.rfind("part-");
  FEEDRATE_ASSERT(part != std::string::npos);
  return std::strtoull(path.c_str() + part + 5, nullptr, 10);
}

class StationStorage final : public Storage {
 public:
  StationStorage(Reactor& reactor, std::shared_ptr<Stations> stations)
      : Storage({.append = true, .simulable = true, .takes_time = true, .described = true}),
        reactor_(reactor),
        stations_(std::move(stations)) {}
  std::string_view name() const override { return "stations"; }
  Reactor& reactor() override { return reactor_; }

  Task<Result<FileHandle>> open(const std::string& path, OpenMode) override {
    co_return FileHandle(std::make_unique<StationFile>(path));
  }
  Task<Result<>> close(FileHandle) override { co_return Result<>{}; }
  Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t, std::uint64_t length,
                                 Buffer& buffer) override {
    return read_file(file.path(), length, buffer);
  }
  Task<Result<ReadOutcome>> read_file(const std::string& path, std::uint64_t length,
                                      Buffer& buffer) override {
    const Instant begin = reactor_.now();
    const std::uint64_t file = file_number(path);
    for (Station& station : stations_->stations) {
      if (!station.visited_by(file)) continue;
      const double now = to_seconds(reactor_.now() - Instant{});
      const double end = station.end_of_service(now, path, static_cast<double>(length));
      const bool waited = co_await reactor_.sleep_until(Instant(from_seconds(end)));
      if (!waited) co_return fail(ErrorKind::kCancelled, "the run was interrupted");
    }
    if (stations_->latency) {
      const double alone = stations_->latency->draw(stations_->random);
      const bool waited = co_await reactor_.sleep_for(from_seconds(alone));
      if (!waited) co_return fail(ErrorKind::kCancelled, "the run was interrupted");
    }
    co_return ReadOutcome{buffer.bytes().first(length), length, begin, {}};
  }

  Task<Result<>> write(StorageFile&, std::uint64_t, std::uint64_t, Buffer&) override {
    co_return Result<>{};
  }
  Task<Result<>> sync(StorageFile&) override { co_return Result<>{}; }
  Task<Result<std::vector<DirectoryEntry>>> list(const std::string&) override {
    co_return std::vector<DirectoryEntry>{};
  }
  Task<Result<FileStatus>> stat(const std::string&) override { co_return FileStatus{}; }
  Task<Result<>> rename(const std::string&, const std::string&) override { co_return Result<>{}; }
  Task<Result<>> sync_directory(const std::string&) override { co_return Result<>{}; }
  Task<Result<std::uint64_t>> free_bytes(const std::string&) override {
    co_return std::uint64_t{1} << 50U;
  }
  Task<Result<>> remove(const std::string&) override { co_return Result<>{}; }
  Task<Result<>> make_directories(const std::string&) override { co_return Result<>{}; }
  Task<Result<DirectoryClaim>> claim(const std::string&) override { co_return nullptr; }

 private:
  Reactor& reactor_;
  std::shared_ptr<Stations> stations_;
};

constexpr std::uint32_t kMost = 64;  // accelerators
constexpr double kHopeless = 0.8;    // far below the threshold: no larger number is fed

TrainingPlan make_plan(const nlohmann::json& job, const nlohmann::json& storage,
                       ClientKind client) {
  Workload workload;
  workload.name = "truth";
  const double bytes = job.at("sample_bytes");
  workload.dataset = {"truth", storage.value("files", job.value("files", std::uint64_t{100'000})),
                      1,       "file",
                      bytes,   0,
                      10};
  workload.order = AccessOrder::kRandomSamples;
  workload.epochs = 1;
  workload.readers = job.value("workers", 4);
  workload.prefetch_batches = 2;
  workload.accelerators = {{"x", job.at("batch").get<std::uint32_t>(),
                            from_seconds(job.at("compute").get<double>()), "truth"}};
  const auto described = plan_for(workload, 0, 1, 0);
  FEEDRATE_ASSERT(described.has_value());
  const auto dataset = Dataset::from_plan(*described, "(described)");
  FEEDRATE_ASSERT(dataset.has_value());
  TrainingPlan plan =
      default_training_plan(workload, workload.accelerators.front(), *dataset, client);
  plan.epochs = 0;
  // A described service is that of a sample, however much of it a framework reads at once.
  if (client == ClientKind::kFaithful) plan.transfer_bytes = std::uint64_t{1} << 20U;
  const nlohmann::json slow = storage.value("slow_ranks", nlohmann::json::object());
  for (const auto& [rank, factor] : slow.items())
    plan.slow_ranks[static_cast<std::uint32_t>(std::stoul(rank))] = factor.get<double>();
  return plan;
}

RunResult run_once(const TrainingPlan& plan, const std::shared_ptr<Stations>& stations,
                   StepObserver* observer) {
  const StorageFactory factory = [&](Reactor& reactor) {
    return std::make_unique<StationStorage>(reactor, stations);
  };
  const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1);
  TrainingProgress progress;
  return summarise_training(plan, run_training(**group, factory, plan, observer, progress, {}));
}

Result<FindResult> search(const TrainingPlan& plan, const nlohmann::json& storage,
                          std::uint64_t seed, const FindOptions& options, bool verbose) {
  // One storage for the whole search: its noise goes on from trial to trial.
  const auto stop = std::stop_token{};
  const auto stations = std::make_shared<Stations>(storage);
  const TrialRunner runner = [&](const TrialRequest& request,
                                 StepObserver& observer) -> Result<RunResult> {
    TrainingPlan trial = plan;
    trial.replicas = request.accelerators;
    trial.readers = request.load.readers;
    trial.prefetch_batches = request.load.prefetch_batches;
    trial.seed = seed;
    if (plan.client == ClientKind::kFaithful) trial.seed = combine_seeds(seed, request.number);
    trial.start_samples = request.start_samples;
    if (request.free_steps) trial.timing.compute = Duration(1);
    if (request.free_steps) trial.slow_ranks.clear();
    stations->begin(seed * 100'003 + request.number);
    return run_once(trial, stations, &observer);
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
  const std::uint64_t most = plan.dataset->samples() / plan.timing.batch_samples /
                             (plan.client == ClientKind::kFaithful ? 2 : 1);
  return find_accelerators(options, plan, most, 1, runner, observer, stop);
}

// The utilisation of each number in runs so long that the framework's restarts are in it.
void print_utilisations(TrainingPlan plan, const nlohmann::json& storage, std::uint64_t seed,
                        double seconds) {
  plan.time_max = from_seconds(seconds);
  nlohmann::json line{{"storage", storage.at("name")}, {"seed", seed}};
  for (plan.replicas = 1; plan.replicas <= kMost; ++plan.replicas) {
    const auto stations = std::make_shared<Stations>(storage);
    stations->begin(seed);
    plan.seed = combine_seeds(seed, plan.replicas);
    const double au = run_once(plan, stations, nullptr).sustained_utilisation;
    line["au"].push_back(au);
    if (au < kHopeless) break;
  }
  std::printf("%s\n", json_text(line, -1).c_str());
}

nlohmann::json line_of(const FindResult& result, const std::string& name, std::uint64_t seed,
                       double budget) {
  nlohmann::json line{{"storage", name},
                      {"seed", seed},
                      {"budget", budget},
                      {"n", result.accelerators},
                      {"low", result.accelerators_low},
                      {"high", result.accelerators_high},
                      {"limit", result.limit},
                      {"answer", result.answer},
                      {"asked", result.asked},
                      {"spent", result.spent_seconds},
                      {"narrower", result.narrower_budget_seconds},
                      {"numbers", result.narrower_numbers},
                      {"measured", result.measured},
                      {"first_look", result.first_look_budget_seconds},
                      {"noise", result.noise_seconds},
                      {"correlation", result.correlation_seconds},
                      {"depth", result.depth_reads},
                      {"trials", result.trials.size()},
                      {"findings", result.findings}};
  for (const DepthPoint& point : result.depths)
    line["depths"].push_back({point.reads_in_flight, point.bytes_per_second, point.seconds});
  if (result.read_again)
    line["cold"] =
        result.cold ? nlohmann::json{result.cold->accelerators_low, result.cold->accelerators_high}
                    : nlohmann::json("alike");
  return line;
}

int run(int argc, char** argv) {
  const bool faithful = argc > 1 && std::string_view(argv[1]) == "--faithful";
  if (faithful) {
    ++argv;
    --argc;
  }
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: [--faithful] STORAGES.json NAME FIRST_SEED SEEDS BUDGET_SECONDS "
                 "[AT_LEAST | --au]\n");
    return 2;
  }
  const bool utilisations = argc > 6 && std::string_view(argv[6]) == "--au";
  std::ifstream file(argv[1]);
  nlohmann::json all = nlohmann::json::parse(file);
  for (const char* others : {"lru_storages", "framework_storages"})
    for (const nlohmann::json& storage : all.value(others, nlohmann::json::array()))
      all["storages"].push_back(storage);
  for (const nlohmann::json& storage : all.at("storages")) {
    if (storage.at("name") != argv[2]) continue;
    const TrainingPlan plan =
        make_plan(all.at("job"), storage, faithful ? ClientKind::kFaithful : ClientKind::kNative);
    FindOptions options;
    options.au_threshold = all.at("threshold");
    options.accelerators_max = kMost;
    options.budget = from_seconds(std::strtod(argv[5], nullptr));
    options.goes_on = !faithful;
    options.keep_readers = options.keep_prefetch = options.keep_transfer = faithful;
    if (argc > 6 && !utilisations)
      options.at_least = static_cast<std::uint32_t>(std::atoi(argv[6]));
    const std::uint64_t first = std::strtoull(argv[3], nullptr, 10);
    for (std::uint64_t seed = first; seed < first + std::strtoull(argv[4], nullptr, 10); ++seed) {
      if (utilisations) {
        print_utilisations(plan, storage, seed, to_seconds(options.budget));
        continue;
      }
      const auto result = search(plan, storage, seed, options, std::getenv("VERBOSE") != nullptr);
      if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        return 3;
      }
      const double budget = std::strtod(argv[5], nullptr);
      const nlohmann::json line = line_of(*result, storage.at("name"), seed, budget);
      std::printf("%s\n", json_text(line, -1).c_str());
    }
    return 0;
  }
  std::fprintf(stderr, "%s has no storage '%s'\n", argv[1], argv[2]);
  return 2;
}

}  // namespace
}  // namespace feedrate

int main(int argc, char** argv) { return feedrate::run(argc, argv); }

#include "feedrate/engine/train.h"

#include <algorithm>
#include <mutex>

#include "feedrate/engine/loader.h"
#include "feedrate/runtime/barrier.h"

namespace feedrate {
namespace {

constexpr std::size_t kIdleFiles = 512;  // kept open by each reactor beyond those in use

// What the accelerators of all reactors agree on, step by step.
class StepCoordinator {
 public:
  StepCoordinator(const TrainingPlan& plan, StepObserver* observer, TrainingProgress& progress)
      : plan_(plan),
        observer_(observer),
        progress_(progress),
        barrier_(plan.accelerators, [this] { complete_step(); }) {}

  void begin(Instant now) { begin_ = step_end_ = now; }
  Instant begin_time() const { return begin_; }
  Instant step_end() const { return step_end_; }
  bool stop() const { return stop_; }
  Barrier& barrier() { return barrier_; }
  // Called under the barrier's lock.
  void contribute(Instant batch_ready, Instant end) {
    ++contributions_;
    pending_.end = std::max(pending_.end, end);
    if (steps_.empty()) first_batch_ = std::max(first_batch_, batch_ready - begin_);
  }
  void fail_with(const Error& error) {
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = error;
  }
  void move_to(TrainingOutcome& outcome) {
    outcome.begin = begin_;
    outcome.steps = std::move(steps_);
    outcome.first_batch = first_batch_;
    outcome.fatal = std::move(error_);
  }

 private:
  void complete_step() {
    if (contributions_ < plan_.accelerators) {  // somebody has left: not a whole step
      stop_ = true;
      return;
    }
    contributions_ = 0;
    step_end_ = pending_.end;
    const std::uint64_t consumed =
        (steps_.size() + 1) * plan_.accelerators * std::uint64_t{plan_.timing.batch_samples};
    pending_.waiting_samples = progress_.samples.load(std::memory_order_relaxed) - consumed;
    steps_.push_back(pending_);
    pending_ = {};
    progress_.steps.store(steps_.size(), std::memory_order_relaxed);
    stop_ = (plan_.steps_max > 0 && steps_.size() >= plan_.steps_max) ||
            (plan_.time_max.count() > 0 && step_end_ - begin_ >= plan_.time_max);
    if (observer_ != nullptr && observer_->on_step(steps_.size() - 1, steps_.back())) stop_ = true;
  }

  const TrainingPlan& plan_;
  StepObserver* observer_;
  TrainingProgress& progress_;
  Instant begin_{}, step_end_{};
  bool stop_ = false;
  StepRecord pending_;
  std::uint32_t contributions_ = 0;
  std::vector<StepRecord> steps_;
  Duration first_batch_{};
  std::mutex error_mutex_;
  std::optional<Error> error_;
  Barrier barrier_;
};

Task<> run_accelerator(Loader& loader, Reactor& reactor, const TrainingPlan& plan,
                       StepCoordinator& group, ReaderStats& stats, Semaphore& finished) {
  while (true) {
    const std::optional<Instant> ready = co_await loader.next_batch();
    if (!ready) break;
    const Instant start = std::max(*ready, group.step_end());
    const bool on_time = co_await reactor.sleep_until(start);
    if (!on_time) break;
    loader.release_batch();
    const Instant end = start + plan.timing.compute;
    stats.compute.add_interval(start, end, 1.0);
    co_await group.barrier().arrive(reactor,
                                    [&group, at = *ready, end] { group.contribute(at, end); });
    if (group.stop() || reactor.stopping()) break;
  }
  group.barrier().leave(reactor);
  loader.close();
  finished.release(1);
}

// The accelerators, loaders and buffers of one reactor.
class ReactorWork {
 public:
  ReactorWork(Reactor& reactor, std::unique_ptr<Storage> storage, const TrainingPlan& plan,
              EpochOrders& orders, StepCoordinator& group, TrainingProgress& progress,
              std::vector<std::uint32_t> ranks, std::function<void(const Error&)> on_fatal)
      : reactor_(reactor),
        group_(group),
        storage_(std::move(storage)),
        stats_(reactor.now()),
        buffers_(reactor, buffer_options(plan, *storage_, ranks.size())),
        files_(*storage_, *plan.dataset, plan.level == ByteLevel::kVerify, kIdleFiles,
               [this](Duration latency) { stats_.add_open(latency); }),
        context_{plan,   orders,   *storage_,          buffers_,           files_,
                 stats_, progress, needed_bytes(plan), std::move(on_fatal)},
        finished_(reactor, 0) {
    for (const std::uint32_t rank : ranks)
      loaders_.push_back(std::make_unique<Loader>(context_, rank));
    reactor.set_stop_hook([this] {
      for (const auto& loader : loaders_) loader->close();
    });
  }

  Task<> run() {
    stats_ = ReaderStats(group_.begin_time());
    std::uint64_t parties = 0;
    for (const auto& loader : loaders_) {
      loader->start(finished_);
      reactor_.spawn(run_accelerator(*loader, reactor_, context_.plan, group_, stats_, finished_));
      parties += loader->readers() + 1;
    }
    const bool joined = co_await finished_.acquire(parties);
    FEEDRATE_ASSERT(joined);
    co_await files_.close_all();
    reactor_.set_stop_hook({});
  }
  const ReaderStats& stats() const { return stats_; }
  std::vector<std::string> shortfalls() {
    std::vector<std::string> lines{buffers_.shortfall(), reactor_.io().shortfall()};
    std::erase(lines, "");
    return lines;
  }

 private:
  // The largest single read; small files beside the samples are read in as many as it takes.
  static std::uint64_t needed_bytes(const TrainingPlan& plan) {
    const bool whole_files =
        plan.order == AccessOrder::kSequential || plan.dataset->one_sample_per_file();
    return std::min(plan.transfer_bytes,
                    std::max(plan.dataset->largest_sample_bytes(),
                             whole_files ? plan.dataset->largest_file_bytes() : std::uint64_t{0}));
  }
  static BufferPoolOptions buffer_options(const TrainingPlan& plan, const Storage& storage,
                                          std::size_t loaders) {
    const std::uint64_t needed = needed_bytes(plan);
    const std::size_t block = (needed + storage.slack_bytes() + kBufferAlignment - 1) /
                              kBufferAlignment * kBufferAlignment;
    const bool split = plan.dataset->largest_sample_bytes() > plan.transfer_bytes;
    const std::size_t wanted = loaders * plan.readers * (split ? plan.transfers_per_sample : 1);
    const std::size_t affordable = std::max<std::size_t>(2, plan.buffer_bytes / block);
    return {block, std::min(wanted, affordable), storage.carries_data()};
  }

  Reactor& reactor_;
  StepCoordinator& group_;
  std::unique_ptr<Storage> storage_;
  ReaderStats stats_;
  BufferPool buffers_;
  FileCache files_;
  LoaderContext context_;
  Semaphore finished_;
  std::vector<std::unique_ptr<Loader>> loaders_;
};

}  // namespace

TrainingOutcome run_training(ReactorGroup& group, const StorageFactory& storage,
                             const TrainingPlan& plan, StepObserver* observer,
                             TrainingProgress& progress, const std::stop_token& stop) {
  EpochOrders orders(plan);
  StepCoordinator coordinator(plan, observer, progress);
  TrainingOutcome outcome;
  std::vector<std::unique_ptr<ReactorWork>> works(group.size());
  std::vector<std::optional<ReaderStats>> stats(group.size());
  std::mutex warnings_mutex;
  const auto on_fatal = [&](const Error& error) {
    coordinator.fail_with(error);
    group.stop();
  };
  // Buffers are touched and pinned before the clock starts.
  Instant latest{};
  Barrier prepared(group.size(), [&] { coordinator.begin(latest); });
  struct Body {
    static Task<> run(Reactor& reactor, ReactorWork& work, Barrier& ready, Instant& last) {
      co_await ready.arrive(reactor,
                            [&reactor, &last] { last = std::max(last, reactor.refresh_now()); });
      reactor.refresh_now();
      co_await work.run();
    }
  };
  group.run(
      [&](unsigned index, Reactor& reactor) {
        std::vector<std::uint32_t> ranks;
        for (std::uint32_t rank = index; rank < plan.accelerators; rank += group.size())
          ranks.push_back(rank);
        if (ranks.empty()) {  // more reactors than accelerators
          prepared.leave(reactor);
          return;
        }
        works[index] =
            std::make_unique<ReactorWork>(reactor, storage(reactor), plan, orders, coordinator,
                                          progress, std::move(ranks), on_fatal);
        reactor.spawn(Body::run(reactor, *works[index], prepared, latest));
      },
      [&](unsigned index) {
        if (!works[index]) return;
        stats[index] = works[index]->stats();
        const std::lock_guard lock(warnings_mutex);
        for (std::string& line : works[index]->shortfalls())
          if (std::ranges::find(outcome.warnings, line) == outcome.warnings.end())
            outcome.warnings.push_back(std::move(line));
        works[index].reset();
      },
      stop);

  coordinator.move_to(outcome);
  for (const auto& part : stats) {
    if (!part) continue;
    if (outcome.readers.samples_read == 0 && outcome.readers.read_ns.count() == 0)
      outcome.readers = *part;
    else
      outcome.readers.merge(*part);
  }
  outcome.cpu_times = group.cpu_times();
  outcome.process_cpu_time = group.process_cpu_time();
  outcome.warnings.insert(outcome.warnings.begin(), group.warnings().begin(),
                          group.warnings().end());
  outcome.interrupted = stop.stop_requested();
  outcome.simulated = group.reactor(0).is_virtual();
  return outcome;
}

}  // namespace feedrate

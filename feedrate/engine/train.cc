#include "feedrate/engine/train.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>

#include "feedrate/engine/host_time.h"
#include "feedrate/engine/loader.h"
#include "feedrate/engine/stream_rate.h"
#include "feedrate/runtime/barrier.h"

namespace feedrate {
namespace {

constexpr std::size_t kAddressesMax = std::size_t{1} << 45U;  // of 47 bits that a process has
constexpr std::size_t kIdleFiles = 512;  // kept open by each reactor beyond those in use
constexpr Duration kLetGoAfter = std::chrono::seconds(3);  // of reads, once the run is stopped

// What the accelerators of all reactors agree on, step by step.
class StepCoordinator {
 public:
  StepCoordinator(const TrainingPlan& plan, StepObserver* observer, TrainingProgress& progress,
                  const TrainingCheckpoints* checkpoints)
      : plan_(plan),
        observer_(observer),
        progress_(progress),
        checkpoints_(checkpoints),
        barrier_(plan.replicas, [this] { complete_step(); }),
        pause_(plan.replicas, [this] { step_end_ = resumed_ = std::max(step_end_, resume_); }) {}

  void begin(Instant now) {
    begin_ = step_end_ = resumed_ = now;
    begun_.store(true, std::memory_order_release);
  }
  Instant begin_time() const { return begin_; }
  Instant step_end() const { return step_end_; }
  bool stop() const { return stop_; }
  Barrier& barrier() { return barrier_; }
  void leave(Reactor& reactor) {
    over_.store(true, std::memory_order_relaxed);
    barrier_.leave(reactor);
    pause_.leave(reactor);
  }
  // Whether the group stops for a checkpoint before its next step.
  bool checkpoint_due() const { return checkpoint_due_; }
  // Each accelerator arrives when its reactor's part is done; then step_end() is when they go on.
  Barrier& pause() { return pause_; }
  void resume_at(Instant now) { resume_ = std::max(resume_, now); }  // under its lock
  // What one replica's step was, its stalls before its compute (see compute_step).
  struct Step {
    std::uint32_t rank = 0;
    Instant ready{};  // its first batch
    Instant start{}, end{};
    Duration compute{};
    bool ran_out = false;
    std::vector<StallPiece> pieces = {};  // what it had waited for
  };
  // Called under the barrier's lock.
  void contribute(const Step& step) {
    if (contributions_++ == 0 || step.end > pending_slowest_.end) pending_slowest_ = step;
    if (steps_.empty()) first_batch_ = std::max(first_batch_, step.ready - begin_);
    pending_.ran_out = pending_.ran_out || step.ran_out;
  }
  // Some accelerator is through: the run is over, or will be soon. Any thread.
  bool over() const { return over_.load(std::memory_order_relaxed); }
  bool begun() const { return begun_.load(std::memory_order_acquire); }
  // The one that ended the last whole step, and how many there were. As step_end().
  const Step& slowest() const { return slowest_; }
  std::size_t steps() const { return steps_.size(); }
  void fail_with(const Error& error) {
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = error;
  }
  void move_to(TrainingOutcome& outcome) {
    outcome.begin = begin_;
    outcome.cut = outcome.cut || cut_;
    outcome.steps = std::move(steps_);
    outcome.first_batch = first_batch_;
    outcome.fatal = std::move(error_);
  }

 private:
  void complete_step() {
    if (contributions_ < plan_.replicas) {  // somebody has left: not a whole step
      stop_ = true;
      return;
    }
    contributions_ = 0;
    std::swap(slowest_, pending_slowest_);
    pending_.end = step_end_ = slowest_.end;
    const double batch = static_cast<double>(plan_.replicas) * plan_.timing.batch_samples;
    pending_.stock_batches =
        static_cast<double>(progress_.samples.load(std::memory_order_relaxed)) / batch -
        static_cast<double>(steps_.size() + 1);
    steps_.push_back(pending_);
    pending_ = {};
    progress_.steps.store(steps_.size(), std::memory_order_relaxed);
    stop_ = (plan_.steps_max > 0 && steps_.size() >= plan_.steps_max) ||
            (plan_.time_max.count() > 0 && step_end_ - begin_ >= plan_.time_max);
    if (observer_ != nullptr && observer_->on_step(steps_.size() - 1, steps_.back()))
      stop_ = cut_ = true;
    checkpoint_due_ =
        checkpoints_ != nullptr && !stop_ &&
        (checkpoints_->every_steps > 0 ? steps_.size() % checkpoints_->every_steps == 0
                                       : step_end_ - resumed_ >= checkpoints_->every);
  }

  const TrainingPlan& plan_;
  StepObserver* observer_;
  TrainingProgress& progress_;
  const TrainingCheckpoints* checkpoints_;
  Instant begin_{}, step_end_{};
  Instant resume_{}, resumed_{};  // after the last checkpoint
  bool stop_ = false, checkpoint_due_ = false;
  bool cut_ = false;  // by the observer
  std::atomic<bool> over_ = false, begun_ = false;
  StepRecord pending_;
  Step pending_slowest_, slowest_;
  std::uint32_t contributions_ = 0;
  std::vector<StepRecord> steps_;
  Duration first_batch_{};
  std::mutex error_mutex_;
  std::optional<Error> error_;
  Barrier barrier_, pause_;
};

// The group has stopped after a step. False: the checkpoint failed. `writer` is the reactor's, for
// one of its accelerators; null for the others.
Task<bool> take_checkpoint(Reactor& reactor, StepCoordinator& group, CheckpointWriter* writer,
                           ReaderStats& stats, std::uint32_t rank) {
  const Instant stopped = group.step_end();
  const bool on_time = co_await reactor.sleep_until(stopped);
  if (!on_time) co_return false;
  if (writer != nullptr) {
    const bool written = co_await writer->checkpoint();
    if (!written) co_return false;
  }
  co_await group.pause().arrive(reactor,
                                [&group, &reactor] { group.resume_at(reactor.refresh_now()); });
  const Instant resumed = group.step_end();
  Instant from = stopped;
  for (const StallPiece& piece :
       blame_host({{resumed, StallCause::kCheckpoint}}, stopped, resumed, reactor.pauses())) {
    stats.stalls.add_pause(rank, from, piece.until, piece.cause);
    from = piece.until;
  }
  co_return true;
}

// What a micro-batch was waited for over [free, start), as if the `computed` before it came later.
void add_stalls(const std::vector<StallPiece>& from, Instant free, Duration computed,
                std::vector<StallPiece>& pieces) {
  for (StallPiece piece : from) {
    if (piece.until <= free) continue;
    piece.until -= computed;
    pieces.push_back(piece);
  }
}

// A step of a replica, which begins at `before` at the earliest: each micro-batch enters the first
// stage as soon as it is there and the one before it is through. The ledger sees all the stalls of
// a step first and then all its compute; only where in the step they were is lost. False: no more.
Task<bool> compute_step(Loader& loader, Reactor& reactor, const TrainingPlan& plan,
                        const StepPace& pace, Instant before, ReaderStats& stats,
                        StepCoordinator::Step& step) {
  Instant free = before;
  for (std::uint32_t done = 0; done < plan.micro_batches; ++done) {
    const std::optional<Loader::Batch> batch = co_await loader.next_batch(free);
    if (!batch) co_return false;
    if (done == 0) step.ready = batch->ready;
    const Instant start = std::max(batch->ready, free);
    const bool on_time = co_await reactor.sleep_until(start);
    if (!on_time) co_return false;
    add_stalls(blame_host(batch->pieces, free, start, reactor.pauses()), free, pace.slot * done,
               step.pieces);
    const bool last = done + 1 == plan.micro_batches;
    free = start + pace.slot + (last ? pace.drain : Duration{});
    loader.release_batch(free);
    stats.compute.add_interval(start, free, 1.0);
  }
  step.ran_out = loader.ran_out();
  step.end = free;
  step.start = free - pace.compute;
  step.compute = pace.compute;
  co_return true;
}

// An accelerator, or the several that share a model and read for it together.
Task<> run_replica(Loader& loader, Reactor& reactor, const TrainingPlan& plan,
                   StepCoordinator& group, CheckpointWriter* writer, ReaderStats& stats,
                   std::uint32_t rank, Semaphore& finished) {
  const StepPace pace = plan.pace_of(rank);
  while (true) {
    StepCoordinator::Step step{.rank = rank};
    const Instant before = group.step_end();
    const bool computed = co_await compute_step(loader, reactor, plan, pace, before, stats, step);
    if (!computed) break;
    const std::size_t steps = group.steps();
    co_await group.barrier().arrive(reactor, [&group, &step] { group.contribute(step); });
    if (group.steps() > steps) {
      stats.stalls.add_step(rank, before, step.start, step.end, step.pieces);
      const StepCoordinator::Step& slowest = group.slowest();
      stats.stalls.add_straggler_wait(rank, step.end, slowest.end, pace.compute, slowest.start,
                                      slowest.compute, slowest.pieces);
    }
    if (group.stop() || reactor.stopping()) break;
    if (!group.checkpoint_due()) continue;
    const bool taken = co_await take_checkpoint(reactor, group, writer, stats, rank);
    if (!taken) break;
  }
  group.leave(reactor);
  loader.close();
  finished.release(1);
}

// The accelerators, loaders and buffers of one reactor.
class ReactorWork {
 public:
  ReactorWork(Reactor& reactor, std::unique_ptr<Storage> storage, const TrainingPlan& plan,
              EpochOrders& orders, StepCoordinator& group, TrainingProgress& progress,
              std::vector<std::uint32_t> ranks, std::unique_ptr<CheckpointWriter> writer,
              const double& stream_rate, std::function<void(const Error&)> on_fatal)
      : reactor_(reactor),
        ranks_(std::move(ranks)),
        group_(group),
        storage_(std::move(storage)),
        writer_(std::move(writer)),
        stats_(reactor.now()),
        buffers_(reactor, buffer_options(plan, *storage_, ranks_.size())),
        files_(*storage_, *plan.dataset, plan.level == ByteLevel::kVerify, kIdleFiles,
               [this](Duration latency) { stats_.add_open(latency); }),
        context_{plan,   orders,   *storage_,   buffers_,           files_,
                 stats_, progress, stream_rate, needed_bytes(plan), std::move(on_fatal)},
        finished_(reactor, 0) {
    for (const std::uint32_t rank : ranks_)
      loaders_.push_back(std::make_unique<Loader>(context_, rank));
    reactor.set_stop_hook([this] {
      for (const auto& loader : loaders_) loader->close();
    });
  }

  // What one read by itself moves a second; 0 where that cannot be told.
  Task<StreamRate> measure_stream_rate() {
    std::optional<StreamRate>* const shared = context_.plan.stream_rate.get();
    if (shared != nullptr && *shared) {
      StreamRate known = **shared;
      known.bytes_read = 0;  // by this run
      co_return known;
    }
    const StreamRate rate =
        co_await feedrate::measure_stream_rate(*storage_, buffers_, *context_.plan.dataset);
    if (shared != nullptr) *shared = rate;
    co_return rate;
  }

  // What checkpoints need in advance.
  Task<> prepare() {
    if (writer_) co_await writer_->start();
  }

  Task<> run() {
    stats_ = ReaderStats(group_.begin_time());
    began_ = true;
    if (writer_ && !writer_->works()) {  // nothing is read for what cannot be written
      reactor_.set_stop_hook({});
      co_return;
    }
    std::uint64_t parties = 0;
    for (std::size_t i = 0; i < loaders_.size(); ++i) {
      Loader& loader = *loaders_[i];
      loader.start(finished_);
      CheckpointWriter* const writer = i == 0 ? writer_.get() : nullptr;
      reactor_.spawn(run_replica(loader, reactor_, context_.plan, group_, writer, stats_, ranks_[i],
                                 finished_));
      parties += loader.readers() + 1;
    }
    const bool joined = co_await finished_.acquire(parties);
    FEEDRATE_ASSERT(joined);
    if (writer_) co_await writer_->finish();
    co_await files_.close_all();
    reactor_.set_stop_hook({});
  }
  // None of a reactor that was let go while it made ready: it has no part in the run.
  std::optional<ReaderStats> stats() const { return began_ ? std::optional(stats_) : std::nullopt; }
  std::size_t buffers() const { return buffers_.blocks(); }
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
    const std::size_t wanted = loaders * plan.reading() * (split ? plan.transfers_per_sample : 1);
    // Where no bytes move no page is touched: room for all costs addresses only.
    if (!storage.carries_data() && wanted <= kAddressesMax / block)
      return {block, wanted, storage.carries_data()};
    const std::size_t affordable = std::max<std::size_t>(2, plan.buffer_bytes / block);
    return {block, std::min(wanted, affordable), storage.carries_data()};
  }

  Reactor& reactor_;
  std::vector<std::uint32_t> ranks_;
  StepCoordinator& group_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<CheckpointWriter> writer_;
  ReaderStats stats_;
  bool began_ = false;
  BufferPool buffers_;
  FileCache files_;
  LoaderContext context_;
  Semaphore finished_;
  std::vector<std::unique_ptr<Loader>> loaders_;
};

std::unique_ptr<CheckpointWriter> make_writer(CheckpointWriting& writing, unsigned index,
                                              Reactor& reactor,
                                              const TrainingCheckpoints& checkpoints) {
  return std::make_unique<CheckpointWriter>(
      writing, index, reactor, checkpoints.storage(reactor),
      checkpoints.local ? checkpoints.local(reactor) : nullptr);
}

// `rate` is measured by one reactor only.
Task<> run_reactor(Reactor& reactor, ReactorWork& work, Barrier& ready, Instant& last,
                   StreamRate* rate) {
  if (rate != nullptr) *rate = co_await work.measure_stream_rate();
  co_await work.prepare();
  co_await ready.arrive(reactor,
                        [&reactor, &last] { last = std::max(last, reactor.refresh_now()); });
  reactor.refresh_now();
  co_await work.run();
}

// Shows the observer what has been read, and cuts the run off when it says so.
Task<> watch(Reactor& reactor, const StepCoordinator& group, StepObserver& observer,
             const TrainingProgress& progress, std::function<void()> cut) {
  const Duration every = observer.progress_every();
  while (!group.begun()) {
    const bool waited = co_await reactor.sleep_for(every);
    if (!waited) co_return;
  }
  observer.on_begin(group.begin_time());
  for (Instant next = group.begin_time() + every; !group.over(); next += every) {
    const bool waited = co_await reactor.sleep_until(next);
    if (!waited || group.over()) co_return;
    next = std::max(next, reactor.now());
    if (!observer.on_progress(reactor.now(), progress.samples.load(std::memory_order_relaxed),
                              progress.bytes.load(std::memory_order_relaxed)))
      continue;
    cut();
    co_return;
  }
}

std::vector<std::uint32_t> ranks_of(unsigned reactor, unsigned reactors, std::uint32_t replicas) {
  std::vector<std::uint32_t> ranks;
  for (std::uint32_t rank = reactor; rank < replicas; rank += reactors) ranks.push_back(rank);
  return ranks;
}

// The kernel may still write for reads that did not come back.
void keep_for_good(std::unique_ptr<ReactorWork> work) { static_cast<void>(work.release()); }

// What the kernel has counted until now.
HostCounters watch_host(ReactorGroup& group) {
  group.watch_host([] { return read_host_counters(); });
  return group.is_virtual() ? HostCounters{} : read_host_counters();
}

// Preparing may take longer than the run, and what it was held back is none of the run's, which
// begins at `ready`.
Instant count_anew(const ReactorGroup& group, HostCounters& before, Instant ready) {
  if (!group.is_virtual()) before = read_host_counters();
  return ready;
}

// How this host let the reactors run.
void take_from_host(ReactorGroup& group, const HostCounters& before, TrainingOutcome& outcome) {
  outcome.cpu_times = group.cpu_times();
  outcome.process_cpu_time = group.process_cpu_time();
  std::ranges::copy(group.warnings(), std::inserter(outcome.warnings, outcome.warnings.begin()));
  outcome.pauses = group.pauses();
  outcome.simulated = group.is_virtual();
  if (outcome.simulated) return;
  const HostCounters after = read_host_counters();
  outcome.host_counters = {after.throttled - before.throttled, after.stolen - before.stolen};
  outcome.host_cores = available_cores();
  for (unsigned index = 0; index < group.size(); ++index)
    outcome.let_go = outcome.let_go || group.reactor(index).has_let_go();
  const auto stuck = group.stuck();
  if (outcome.let_go && stuck)
    outcome.warnings.push_back(stuck->oldest + " had not come back after " +
                               format_duration(group.reactor(0).refresh_now() - stuck->since) +
                               " when the run was ended");
}

ReaderStats merged(const std::vector<std::optional<ReaderStats>>& parts, Instant begin) {
  ReaderStats all(begin);
  for (const auto& part : parts)
    if (part) all.merge(*part);
  return all;
}

}  // namespace

TrainingOutcome run_training(ReactorGroup& group, const StorageFactory& storage,
                             const TrainingPlan& plan, StepObserver* observer,
                             TrainingProgress& progress, const std::stop_token& stop,
                             const TrainingCheckpoints* checkpoints) {
  EpochOrders orders(plan);
  StepCoordinator coordinator(plan, observer, progress, checkpoints);
  CheckpointProgress checkpoint_progress;
  std::optional<CheckpointWriting> writing;
  if (checkpoints != nullptr)
    writing.emplace(checkpoints->job, std::min(group.size(), plan.replicas), checkpoint_progress);
  TrainingOutcome outcome;
  std::vector<std::unique_ptr<ReactorWork>> works(group.size());
  std::vector<std::optional<ReaderStats>> stats(group.size());
  std::mutex warnings_mutex;
  std::atomic<std::uint64_t> buffers = 0;
  const auto on_fatal = [&](const Error& error) {
    coordinator.fail_with(error);
    group.stop();
  };
  const auto cut = [&] {
    outcome.cut = true;
    group.stop();
  };
  // Buffers are touched and pinned before the clock starts.
  Instant latest{};
  StreamRate rate;  // written by the first reactor before the others pass the barrier
  HostCounters before = watch_host(group);
  Barrier prepared(group.size(), [&] { coordinator.begin(count_anew(group, before, latest)); });
  group.run(
      [&](unsigned index, Reactor& reactor) {
        std::vector<std::uint32_t> ranks = ranks_of(index, group.size(), plan.replicas);
        if (ranks.empty()) {  // more reactors than accelerators
          prepared.leave(reactor);
          return;
        }
        works[index] = std::make_unique<ReactorWork>(
            reactor, storage(reactor), plan, orders, coordinator, progress, std::move(ranks),
            writing ? make_writer(*writing, index, reactor, *checkpoints) : nullptr,
            rate.bytes_per_second, on_fatal);
        reactor.let_go_of_reads(kLetGoAfter);
        reactor.spawn(
            run_reactor(reactor, *works[index], prepared, latest, index == 0 ? &rate : nullptr));
        if (index == 0 && observer != nullptr && observer->progress_every().count() > 0)
          reactor.spawn(watch(reactor, coordinator, *observer, progress, cut));
      },
      [&](unsigned index) {
        if (!works[index]) return;
        stats[index] = works[index]->stats();
        buffers += works[index]->buffers();
        const std::lock_guard lock(warnings_mutex);
        for (std::string& line : works[index]->shortfalls())
          if (std::ranges::find(outcome.warnings, line) == outcome.warnings.end())
            outcome.warnings.push_back(std::move(line));
        if (group.reactor(index).has_let_go()) keep_for_good(std::move(works[index]));
        works[index].reset();
      },
      stop);

  coordinator.move_to(outcome);
  if (writing) {
    outcome.checkpoint_error = writing->error();
    outcome.checkpoints = std::move(writing->summary());
  }
  outcome.readers = merged(stats, outcome.begin);
  take_from_host(group, before, outcome);
  outcome.stream_rate = rate;
  outcome.buffers = buffers;
  outcome.interrupted = stop.stop_requested();
  return outcome;
}

}  // namespace feedrate

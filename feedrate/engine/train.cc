#include "feedrate/engine/train.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>

#include "feedrate/engine/host_time.h"
#include "feedrate/engine/step_coordinator.h"
#include "feedrate/engine/training_part.h"
#include "feedrate/runtime/barrier.h"

namespace feedrate {
namespace {

constexpr Duration kLetGoAfter = std::chrono::seconds(3);  // of reads, once the run is stopped

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
void keep_for_good(std::unique_ptr<TrainingPart> part) { static_cast<void>(part.release()); }

}  // namespace

struct TrainingRun::State {
  State(ReactorGroup& reactors, StorageFactory factory, const TrainingPlan& what,
        StepObserver* watcher, TrainingProgress& seen, StepGuest* with)
      : group(reactors),
        storage(std::move(factory)),
        plan(what),
        observer(watcher),
        progress(seen),
        guest(with),
        orders(what),
        coordinator(what, watcher, seen, with),
        parts(reactors.size()),
        stats(reactors.size()),
        prepared(reactors.size(), [this] { begin(); }) {}

  // Preparing may take longer than the run, and what this host did meanwhile is none of the run's.
  void begin() {
    if (!group.is_virtual()) host_before = read_host_counters();
    coordinator.begin(prepared_at);
  }
  // How this host let the reactors run.
  void add_host(TrainingOutcome& outcome) const;

  ReactorGroup& group;
  StorageFactory storage;
  const TrainingPlan& plan;
  StepObserver* observer;
  TrainingProgress& progress;
  StepGuest* guest;
  EpochOrders orders;
  StepCoordinator coordinator;
  // Each thread has its own entries.
  std::vector<std::unique_ptr<TrainingPart>> parts;
  std::vector<std::optional<ReaderStats>> stats;
  std::mutex mutex;  // of the two below
  std::vector<std::string> warnings;
  std::uint64_t buffers = 0;
  std::atomic<bool> cut = false;  // by the observer
  // Written by the first reactor, or under the lock of the barrier, before anybody passes it.
  StreamRate rate;
  Instant prepared_at{};
  HostCounters host_before;
  Barrier prepared;
};

namespace {

// Buffers are touched and pinned before the clock starts. `rate` is measured by one reactor only.
struct Beginning {
  Barrier& prepared;
  Instant& prepared_at;
  StreamRate& rate;
};
Task<> run_part(Reactor& reactor, TrainingPart& part, Beginning beginning, bool measures) {
  if (measures) beginning.rate = co_await part.measure_stream_rate();
  co_await part.prepare();
  co_await beginning.prepared.arrive(reactor, [&reactor, &beginning] {
    beginning.prepared_at = std::max(beginning.prepared_at, reactor.refresh_now());
  });
  reactor.refresh_now();
  co_await part.run(beginning.rate.bytes_per_second);
}

}  // namespace

TrainingRun::TrainingRun(ReactorGroup& group, StorageFactory storage, const TrainingPlan& plan,
                         StepObserver* observer, TrainingProgress& progress, StepGuest* guest)
    : state_(std::make_unique<State>(group, std::move(storage), plan, observer, progress, guest)) {
  group.watch_host([] { return read_host_counters(); });
}

TrainingRun::~TrainingRun() = default;

void TrainingRun::start(unsigned index, Reactor& reactor) {
  State& state = *state_;
  std::vector<std::uint32_t> ranks = ranks_of(index, state.group.size(), state.plan.replicas);
  if (ranks.empty()) {  // more reactors than accelerators
    state.prepared.leave(reactor);
    return;
  }
  StepGuest* const guest = state.guest;
  const TrainingPart::Shared shared{state.plan, state.orders, state.coordinator, state.progress,
                                    [this](const Error& error) {
                                      state_->coordinator.fail_with(error);
                                      stop();
                                    }};
  state.parts[index] = std::make_unique<TrainingPart>(
      reactor, state.storage(reactor), shared, std::move(ranks),
      guest != nullptr ? ReplicaGuest{nullptr, guest->cause()} : ReplicaGuest{},
      guest != nullptr ? guest->join(index, reactor) : nullptr);
  reactor.let_go_of_reads(kLetGoAfter);
  reactor.spawn(run_part(reactor, *state.parts[index],
                         {state.prepared, state.prepared_at, state.rate}, index == 0));
  StepObserver* const observer = state.observer;
  if (index == 0 && observer != nullptr && observer->progress_every().count() > 0)
    reactor.spawn(watch(reactor, state.coordinator, *observer, state.progress, [this] {
      state_->cut = true;
      stop();
    }));
}

void TrainingRun::finish(unsigned index) {
  State& state = *state_;
  std::unique_ptr<TrainingPart> part = std::move(state.parts[index]);
  if (!part) return;
  state.stats[index] = part->stats();
  {
    const std::lock_guard lock(state.mutex);
    state.buffers += part->buffers();
    for (std::string& line : part->shortfalls())
      if (std::ranges::find(state.warnings, line) == state.warnings.end())
        state.warnings.push_back(std::move(line));
  }
  if (state.group.reactor(index).has_let_go()) keep_for_good(std::move(part));
}

void TrainingRun::State::add_host(TrainingOutcome& outcome) const {
  outcome.cpu_times = group.cpu_times();
  outcome.process_cpu_time = group.process_cpu_time();
  outcome.warnings = group.warnings();
  std::ranges::copy(warnings, std::back_inserter(outcome.warnings));
  outcome.pauses = group.pauses();
  outcome.simulated = group.is_virtual();
  if (outcome.simulated) return;
  const HostCounters after = read_host_counters();
  outcome.host_counters = {after.throttled - host_before.throttled,
                           after.stolen - host_before.stolen};
  outcome.host_cores = available_cores();
  for (unsigned index = 0; index < group.size(); ++index)
    outcome.let_go = outcome.let_go || group.reactor(index).has_let_go();
  // The reactors may have other jobs, whose calls are not this one's to tell of.
  const auto stuck = group.stuck();
  if (outcome.let_go && stuck && stuck->oldest.contains(plan.dataset->directory()))
    outcome.warnings.push_back(stuck->oldest + " had not come back after " +
                               format_duration(group.reactor(0).refresh_now() - stuck->since) +
                               " when the run was ended");
}

TrainingOutcome TrainingRun::outcome(bool interrupted) {
  State& state = *state_;
  TrainingOutcome outcome;
  outcome.cut = state.cut;
  state.coordinator.move_to(outcome);
  outcome.readers = ReaderStats(outcome.begin);
  for (const auto& part : state.stats)
    if (part) outcome.readers.merge(*part);
  state.add_host(outcome);
  outcome.stream_rate = state.rate;
  outcome.buffers = state.buffers;
  outcome.interrupted = interrupted;
  return outcome;
}

TrainingOutcome run_training(ReactorGroup& group, const StorageFactory& storage,
                             const TrainingPlan& plan, StepObserver* observer,
                             TrainingProgress& progress, const std::stop_token& stop,
                             StepGuest* guest) {
  TrainingRun training(group, storage, plan, observer, progress, guest);
  Job* const job = &training;
  group.run({&job, 1}, stop);
  return training.outcome(stop.stop_requested());
}

}  // namespace feedrate

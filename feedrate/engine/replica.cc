#include "feedrate/engine/replica.h"

#include <algorithm>

#include "feedrate/engine/host_time.h"

namespace feedrate {
namespace {

// Stands still for the guest after the group has stopped at a step. Returns false when the guest
// failed.
Task<bool> stand_for_guest(Reactor& reactor, StepCoordinator& group, ReplicaGuest guest,
                           ReaderStats& stats, std::uint32_t rank) {
  const Instant stopped = group.step_end();
  const bool on_time = co_await reactor.sleep_until(stopped);
  if (!on_time) co_return false;
  if (guest.part != nullptr) {
    const bool worked = co_await guest.part->at_step();
    if (!worked) co_return false;
  }
  co_await group.pause().arrive(reactor,
                                [&group, &reactor] { group.resume_at(reactor.refresh_now()); });
  const Instant resumed = group.step_end();
  Instant from = stopped;
  for (const StallPiece& piece :
       blame_host({{resumed, guest.cause}}, stopped, resumed, reactor.pauses())) {
    stats.stalls.add_pause(rank, from, piece.until, piece.cause);
    from = piece.until;
  }
  co_return true;
}

// Adds the stalls of a micro-batch over [free, start). The `computed` time before it is moved
// behind them, so that a step is stalls first and compute then.
void add_stalls(const std::vector<StallPiece>& from, Instant free, Duration computed,
                std::vector<StallPiece>& pieces) {
  for (StallPiece piece : from) {
    if (piece.until <= free) continue;
    piece.until -= computed;
    pieces.push_back(piece);
  }
}

// Makes a step of a replica, which begins at `before` at the earliest. Each micro-batch enters the
// first stage as soon as it is there and the one before it has passed. The ledger sees all the
// stalls of a step first and then all its compute; only their places within the step are lost.
// Returns false when there are no more batches.
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

}  // namespace

Task<> run_replica(Loader& loader, Reactor& reactor, const TrainingPlan& plan,
                   StepCoordinator& group, ReplicaGuest guest, ReaderStats& stats,
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
    if (!group.guest_due()) continue;
    const bool worked = co_await stand_for_guest(reactor, group, guest, stats, rank);
    if (!worked) break;
  }
  group.leave(reactor);
  loader.close();
  finished.release(1);
}

}  // namespace feedrate

// The loader of one replica (an accelerator, or several that share a model): readers that fill a
// window of batches ahead of it. A batch here is a micro-batch where steps have several.
//
// A reader is a coroutine. Samples enter the window when a reader starts on them and leave it when
// the accelerator starts on their batch. A sample's bytes land in one of the reactor's small
// recycled buffers and are dropped once counted, unless the plan says to hold or verify them.
// All on one reactor's thread.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "feedrate/engine/batch_assembly.h"
#include "feedrate/engine/loader_context.h"
#include "feedrate/engine/processing.h"
#include "feedrate/engine/read_path.h"
#include "feedrate/engine/reader_habit.h"
#include "feedrate/engine/stall_trace.h"
#include "feedrate/engine/work_source.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {

// Batches in the window: how far the loader may run ahead.
std::uint64_t window_batches(const TrainingPlan& plan);

class Loader {
 public:
  Loader(LoaderContext& context, std::uint32_t rank);
  Loader(const Loader&) = delete;

  // Starts the readers; each gives one permit to `finished` when it ends.
  void start(Semaphore& finished);
  std::uint32_t readers() const { return context_.plan.reading(); }

  struct Batch {
    Instant ready{};                 // when it was complete
    std::vector<StallPiece> pieces;  // what it had waited for
  };
  // The accelerator asks for a batch, which it can begin at `free` at the earliest: what the
  // framework does only when it is asked begins then. nullopt when there are no more or the loader
  // is closed.
  Task<std::optional<Batch>> next_batch(Instant free);
  // The accelerator has taken its batch and computes until `busy_until`: the window moves on.
  void release_batch(Instant busy_until);
  // Whether nothing is left to read: of the run, or of the epoch that the framework is in.
  bool ran_out() const;
  // Ends the readers and next_batch().
  void close();

  // For the habits of its readers.
  LoaderContext& context() { return context_; }
  Reactor& reactor() { return reactor_; }
  ReadPath& path() { return path_; }
  WorkSource& source() { return source_; }
  Semaphore& window() { return window_; }  // permits for samples
  bool closed() const { return closed_; }
  std::uint64_t samples_per_epoch() const { return samples_per_epoch_; }
  std::uint64_t samples_total() const { return samples_total_; }  // of the run; 0: no end
  std::uint64_t batches_per_epoch() const;
  Task<> wait_until_asked();
  Task<> wait_for_epoch(std::uint64_t epoch);
  Task<> wait_for_dispatch(std::uint64_t batch);
  bool accept(const Result<>& outcome, std::uint64_t number, std::uint64_t samples,
              const StallTrace& trace);
  Task<bool> hand_over(Result<> outcome, std::uint64_t number, std::uint64_t samples,
                       StallTrace& trace);

 private:
  Task<> run_reader(Semaphore& finished, std::uint32_t reader);
  Task<> read_label_manifest();  // by the first reader, before any sample
  Task<bool> ask(Instant free);
  void deliver(std::uint64_t number, std::uint64_t samples, const StallTrace& trace);
  bool starts_anew(std::uint64_t batch) const;

  LoaderContext& context_;
  Reactor& reactor_;
  Processing processing_;
  ReadPath path_;
  std::unique_ptr<ReaderHabit> habit_;
  WorkSource source_;
  BatchAssembly assembly_;
  StallChain chain_;
  std::deque<std::vector<StallPiece>> pieces_;  // of the batches that are complete
  Semaphore window_;
  Event moved_;  // what a reader waits for may have come: labels, an epoch, room, the accelerator
  std::uint64_t epochs_begun_ = 0;       // faithful: that the accelerator has asked for
  std::uint64_t batches_released_ = 0;   // that the accelerator has started on
  std::coroutine_handle<> accelerator_;  // waiting in next_batch
  std::uint64_t samples_per_epoch_, samples_total_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint32_t readers_active_ = 0;
  bool closed_ = false;
  enum class Labels : std::uint8_t { kUnread, kReading, kRead };
  Labels labels_ = Labels::kUnread;
};

}  // namespace feedrate

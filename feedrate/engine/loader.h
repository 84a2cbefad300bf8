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
#include <functional>
#include <memory>
#include <vector>

#include "feedrate/engine/batch_assembly.h"
#include "feedrate/engine/file_cache.h"
#include "feedrate/engine/reader_stats.h"
#include "feedrate/engine/stall_trace.h"
#include "feedrate/engine/training_plan.h"
#include "feedrate/engine/work_source.h"
#include "feedrate/runtime/buffers.h"
#include "feedrate/runtime/sync.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

// Everything that the loaders of one reactor share.
struct LoaderContext {
  const TrainingPlan& plan;
  EpochOrders& orders;
  Storage& storage;
  BufferPool& buffers;
  FileCache& files;
  ReaderStats& stats;
  TrainingProgress& progress;
  const double& stream_bytes_per_second;       // of one read, known before the first; 0: unknown
  std::uint64_t buffer_bytes;                  // of what is asked for, that one buffer holds
  std::function<void(const Error&)> on_fatal;  // the run must stop; called at most once per reader
  std::vector<std::unique_ptr<Decoder>> idle_decoders = {};
};

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

 private:
  struct ParallelRead;

  Task<> run_reader(Semaphore& finished, std::uint32_t reader);
  Task<> read_label_manifest();  // by the first reader, before any sample
  // Native: any reader takes any next piece.
  Task<> read_items(StallTrace& trace);
  // Faithful, random: a reader assembles one batch after the other, those of its turn.
  Task<> read_whole_batches(StallTrace& trace, std::uint32_t reader);
  // Faithful, sequential: a reader streams one file after the other.
  Task<> stream_files(StallTrace& trace);
  Task<bool> stream_run(WorkItem item, FileCache::Entry& entry, StallTrace& trace);
  Task<bool> stream_blocks(WorkItem item, FileCache::Entry& entry, StallTrace& trace);
  Task<bool> hand_over(Result<> outcome, std::uint64_t number, std::uint64_t samples,
                       StallTrace& trace);

  // Where the bytes of a piece of work go, beside being counted.
  struct Sink {
    StallTrace& trace;
    Verifier* verifier = nullptr;
    std::vector<std::byte>* gathered = nullptr;  // all of them, in order, to be decoded
    bool is_sample = true;                       // not metadata, labels or the like
    bool in_order() const { return verifier != nullptr || gathered != nullptr; }
  };

  Task<Result<>> read_item(WorkItem item, StallTrace& trace);
  Task<Result<>> read_cached_file(WorkItem item, FileCache::Entry& entry, StallTrace& trace);
  Task<Result<>> read_own_file(WorkItem item, StallTrace& trace);
  Task<Result<>> read_own_bytes(WorkItem item, Sink sink, const FileIndex* index);
  Task<Result<>> read_opened_file(StorageFile& file, const FileIndex& index, Sink sink);
  // Each file that was opened is read for its metadata once, and for the file beside it.
  Task<Result<>> read_metadata(FileCache::Entry& entry, StallTrace& trace);
  Task<Result<>> read_side_file(std::uint64_t file, StallTrace& trace);
  Task<Result<>> read_whole_file(const std::string& path, std::uint64_t bytes, Sink sink);
  Task<Result<>> read_whole(StorageFile& file, std::uint64_t bytes, Sink sink);
  Task<Result<>> read_extents(StorageFile& file, const std::vector<Extent>& reads, Sink sink);
  Task<> read_lane(ParallelRead& shared, StorageFile& file, StallTrace& trace);
  Task<Result<>> read_piece(StorageFile& file, Extent piece, Sink sink);
  // Counts a read and checks or keeps its bytes.
  Result<> account(const std::string& path, const ReadOutcome& outcome, Instant begin,
                   std::uint64_t offset, Sink sink);
  // Makes tensors of the gathered bytes of samples with these lengths, on a worker thread.
  Task<Result<>> decode(const std::string& path, const std::vector<std::byte>& gathered,
                        const std::vector<std::uint64_t>& lengths);
  Instant first_byte(const ReadOutcome& outcome, Instant now) const;
  Task<Result<>> emulate_decoding(std::uint64_t samples);
  bool decodes() const;
  bool skips(const Sink& sink) const;
  bool emulates_decoding() const;
  void count_located(const WorkItem& item, const FileIndex* index);

  Task<bool> ask(Instant free);
  Task<> wait_until_asked();
  Task<> wait_for_epoch(std::uint64_t epoch);
  Task<> wait_for_dispatch(std::uint64_t batch);
  bool accept(const Result<>& outcome, std::uint64_t number, std::uint64_t samples,
              const StallTrace& trace);
  void deliver(std::uint64_t number, std::uint64_t samples, const StallTrace& trace);
  std::uint64_t batches_per_epoch() const;
  bool starts_anew(std::uint64_t batch) const;
  bool faithful() const { return context_.plan.client == ClientKind::kFaithful; }

  LoaderContext& context_;
  Reactor& reactor_;
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
  std::deque<std::vector<std::byte>> held_;  // what the window's samples brought in (--hold)
};

}  // namespace feedrate

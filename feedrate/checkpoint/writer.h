// Writes checkpoints from within a job: one CheckpointWriter on each reactor, all called together.
//
// Each rank is one coroutine that writes its files one after another, several blocks at a time, and
// syncs each; ranks are dealt out over the reactors. When all are done the first writer publishes
// (store.h) and then removes what is no longer kept.
//
//   synchronous   training stands until the checkpoint is visible
//   asynchronous  until the state is copied to host memory; it is written while training goes on,
//                 and the next one waits until that is done
//   two levels    what is said above is of the node-local directory; a copy goes to the shared one
//                 while training goes on
//   incremental   only blocks whose sums changed since the parent are stored
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/checkpoint/layout.h"
#include "feedrate/checkpoint/manifest.h"
#include "feedrate/checkpoint/rank_memory.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/runtime/barrier.h"
#include "feedrate/runtime/pacer.h"
#include "feedrate/runtime/sync.h"
#include "feedrate/stats/histogram.h"
#include "feedrate/storage/storage.h"
#include "feedrate/storage/stream_reader.h"
#include "feedrate/storage/stream_writer.h"

namespace feedrate {

struct CheckpointWriteJob {
  std::string directory;
  std::string local;  // The node-local directory of two levels; "" where there is one level.
  // What the manifests of all have in common. It has no ranks, and its step is that of the first
  // one. With sum_block_bytes > 0 checkpoints are incremental.
  CheckpointManifest head;
  std::vector<RankFiles> ranks;
  // Instead of `ranks`: a directory of a user's files, which are read into memory before each
  // checkpoint and dealt out over `data_ranks`.
  std::string data;
  std::uint64_t data_ranks = 1;
  const CheckpointLayout* layout = nullptr;
  std::uint64_t count = 1;  // How many are written, at steps that are `step_stride` apart.
  std::uint64_t step_stride = 1;
  // How many of the newest ones are kept, with what they build upon; 0 keeps all.
  std::uint64_t keep = 0;
  // Whether there is training before the first one, too; and after how long all stops, in the
  // middle of whatever goes on. 0 means never.
  bool train_first = false;
  Duration stop_after{};
  Duration between{};  // The training from the end of one to the begin of the next.
  // How many incremental ones follow each other before a whole one is written.
  std::uint64_t increments_max = 10;
  bool asynchronous = false;
  double snapshot_bytes_per_second = 0;  // Of one rank; 0 means as fast as the host copies.
  double write_bytes_per_second = 0;     // The limit for all ranks together; 0 means no limit.
  // The limits of single ranks in bytes/s, by rank.
  std::map<std::uint64_t, double> slow_ranks = {};
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t writes_at_once = 4;  // Of one rank.
};

struct CheckpointProgress {
  std::atomic<std::uint64_t> bytes_total = 0, bytes_done = 0;
};

struct RankTime {
  std::uint64_t rank = 0, bytes = 0;
  Duration elapsed{};
};

// Durations count from when training stopped for this checkpoint, unless they say otherwise.
struct WrittenCheckpoint {
  std::uint64_t step = 0;
  // The size of the state, and of what was written for it.
  std::uint64_t bytes = 0, stored_bytes = 0;
  std::optional<std::uint64_t> parent;  // The step that an incremental one builds upon.
  Duration waited{};                    // Until the one before it was written.
  Duration blocked{};                   // Until training went on.
  Duration persisted{};                 // Until every rank's bytes were durable.
  Duration restorable{};                // Until a restart would find it.
  Duration shared{};                    // With two levels, until the shared storage had it.
  Duration elapsed{};           // From the first byte written until it was durable and visible.
  Duration publish{};           // The part of `elapsed` after the last rank was done.
  std::vector<RankTime> ranks;  // The time of each rank includes its syncs.
};

struct CheckpointWriteSummary {
  std::vector<WrittenCheckpoint> written;
  Histogram write_latency, sync_latency;  // In ns.
  // The rate at which one core makes this content and its checksums when nothing is written.
  double generation_bytes_per_second = 0;
  std::uint64_t files = 0;           // The files of the last one, if that is whole.
  std::uint64_t begun = 0;           // All that were begun, whether they were written or not.
  bool stopped = false;              // Whether it stopped before all were written.
  std::uint64_t snapshot_bytes = 0;  // The host memory that snapshots take.
};

// The state that the writers of all reactors share.
class CheckpointWriting {
 public:
  // `job` and `progress` must outlive it.
  CheckpointWriting(const CheckpointWriteJob& job, unsigned writers, CheckpointProgress& progress);
  // May be called once no writer is left.
  CheckpointWriteSummary& summary() { return summary_; }
  const std::optional<Error>& error() const { return error_; }
  bool failed() const { return failed_; }

 private:
  friend class CheckpointWriter;
  void record(const Error& problem);
  void complete_round(bool& over);

  const CheckpointWriteJob& job_;
  CheckpointProgress& progress_;
  unsigned writers_;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::optional<Error> error_;
  // These are written by the first writer before a barrier and read by all after it.
  std::uint64_t next_step_ = 0;
  std::vector<RankFiles> planned_;  // The plan of a user's files.
  // The manifest of the current checkpoint, once its bytes are stored.
  CheckpointManifest manifest_;
  std::optional<CheckpointManifest> parent_;  // The newest one, for what builds upon it.
  CheckpointStore::Parents parents_;          // The parents of all published ones.
  bool incremental_ = false;                  // Whether the current one is incremental.
  Instant begin_{}, writing_{};
  WrittenCheckpoint current_;
  // Each writer writes its own entries, so that these need no lock.
  std::vector<RankRecord> records_;
  std::vector<RankTime> times_;
  std::optional<Pacer> pacer_;
  std::map<std::uint64_t, Pacer> slow_;
  // These are changed under the locks of the barriers. Writing in the background has a barrier of
  // its own, because training may arrive at the other one meanwhile.
  std::uint32_t front_arrived_ = 0, back_arrived_ = 0;
  bool stopping_ = false, over_ = false;
  Barrier front_, back_;
  CheckpointWriteSummary summary_;

  const std::vector<RankFiles>& ranks() const { return job_.data.empty() ? job_.ranks : planned_; }
};

class CheckpointWriter {
 public:
  // `local` is null where there is one level. Every writer must call the tasks below, in the same
  // order as the others.
  CheckpointWriter(CheckpointWriting& all, unsigned index, Reactor& reactor,
                   std::unique_ptr<Storage> storage, std::unique_ptr<Storage> local);
  ~CheckpointWriter();
  Task<> start();
  bool works() const { return !all_.failed_; }
  // Takes one checkpoint; training goes on when it returns. Returns false when nothing was written
  // and nothing more will be.
  Task<bool> checkpoint();
  // Waits for what is written in the background. The writer takes part in nothing afterwards.
  Task<> finish();

 private:
  struct Level {
    Storage& storage;
    const std::string& directory;
  };
  Level first() const;
  Level shared() const { return {*storage_, all_.job_.directory}; }
  bool leads() const { return index_ == 0; }
  bool two_levels() const { return local_ != nullptr; }
  CheckpointStore store(Level level) { return {level.storage, level.directory}; }
  std::uint64_t mine(std::uint64_t ranks) const;

  Task<Result<>> start_level(Level level);
  Task<bool> is_there(CheckpointStore& kept, std::uint64_t step);
  Result<> check_layout(const Storage& storage) const;
  Task<> arrive_front();
  Task<> arrive_back();
  Task<> load_data();
  Task<Result<>> plan_data();
  Task<Result<>> load_file(std::size_t rank, std::size_t file);
  Result<> make_memories();
  void begin_current(Instant begin, Instant waited);
  Task<> snapshot();
  Task<> write_first();
  std::vector<RankFiles> stored_files() const;
  Task<> write_rank(std::size_t index, Semaphore& done);
  Task<Result<>> write_files(std::size_t index, RankTime& time);
  Task<Result<>> write_changed(std::size_t index, RankTime& time);
  PieceFill bytes_of(std::size_t rank, std::size_t file) const;
  struct Target {
    Level level;
    std::string path;
    OpenMode mode = OpenMode::kCreate;
    std::uint64_t begin = 0;
    std::uint64_t rank = 0;
  };
  Task<Result<>> write_stream(const Target& target, const StreamWriter::Source& source);
  Task<> publish_first();
  CheckpointManifest make_manifest() const;
  Task<Result<>> publish(Level level);
  Task<Result<>> prune(Level level);
  Task<> write_behind();
  Task<> copy_to_shared();
  Task<> copy_rank(std::size_t index, Semaphore& done);
  Task<Result<>> copy_file(const Target& from, const Target& to, std::uint64_t bytes,
                           const FileRecord* record);
  Task<Result<>> copy_blocks(StreamReader& reader, const Target& to, FileChecker* checker);
  static Task<> copy_block(Storage& storage, StorageFile& file, StreamReader::Block block,
                           std::uint64_t offset, Semaphore& permits, Result<>& outcome);
  void end_current();

  CheckpointWriting& all_;
  unsigned index_;
  Reactor& reactor_;
  std::unique_ptr<Storage> storage_, local_;
  std::unique_ptr<BufferPool> pool_;    // Null where it has no rank to write.
  std::vector<DirectoryClaim> claims_;  // Of the first writer, for all of them.
  Semaphore behind_;                    // Has a permit while nothing is written in the background.
  std::map<std::size_t, RankMemory> memories_;
  Histogram write_latency_, sync_latency_;
};

}  // namespace feedrate

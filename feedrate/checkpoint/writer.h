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
  std::string local;        // node-local directory of two levels; "": there is one
  CheckpointManifest head;  // what all have in common: no ranks, step is that of the first.
                            // sum_block_bytes > 0: incremental
  std::vector<RankFiles> ranks;
  // Instead of `ranks`, a directory of a user's files, read into memory before each checkpoint and
  // dealt out over so many ranks.
  std::string data;
  std::uint64_t data_ranks = 1;
  const CheckpointLayout* layout = nullptr;
  std::uint64_t count = 1;  // checkpoints, their steps `step_stride` apart
  std::uint64_t step_stride = 1;
  std::uint64_t keep = 0;  // newest ones, and what they build upon; 0: all
  // Train before the first one, too, and stop after so long, in the middle of whatever goes on.
  bool train_first = false;
  Duration stop_after{};              // 0: never
  Duration between{};                 // from the end of one to the begin of the next: training
  std::uint64_t increments_max = 10;  // in a row; then a whole one
  bool asynchronous = false;
  double snapshot_bytes_per_second = 0;             // of a rank; 0: as fast as the host copies
  double write_bytes_per_second = 0;                // of all together, at most; 0: no limit
  std::map<std::uint64_t, double> slow_ranks = {};  // bytes/s of a rank, at most
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t writes_at_once = 4;  // of a rank
};

struct CheckpointProgress {
  std::atomic<std::uint64_t> bytes_total = 0, bytes_done = 0;
};

struct RankTime {
  std::uint64_t rank = 0, bytes = 0;
  Duration elapsed{};
};

// Durations count from when training stopped for it, unless they say otherwise.
struct WrittenCheckpoint {
  std::uint64_t step = 0;
  std::uint64_t bytes = 0, stored_bytes = 0;  // of the state; of what was written for it
  std::optional<std::uint64_t> parent;        // incremental
  Duration waited{};                          // until the one before it was written
  Duration blocked{};                         // until training went on
  Duration persisted{};                       // until every rank's bytes were durable
  Duration restorable{};                      // until a restart finds it
  Duration shared{};                          // two levels: until the shared storage has it
  Duration elapsed{};           // writing it: from the first byte until it was durable and visible
  Duration publish{};           // of which after the last rank was done
  std::vector<RankTime> ranks;  // each with its syncs
};

struct CheckpointWriteSummary {
  std::vector<WrittenCheckpoint> written;
  Histogram write_latency, sync_latency;  // ns
  // What one core makes and sums up of this content when nothing is written.
  double generation_bytes_per_second = 0;
  std::uint64_t files = 0;           // of the last, when it is whole
  std::uint64_t begun = 0;           // those that were not written, too
  bool stopped = false;              // before all were written
  std::uint64_t snapshot_bytes = 0;  // of host memory
};

// What the writers of all reactors share.
class CheckpointWriting {
 public:
  // `job` and `progress` must outlive it.
  CheckpointWriting(const CheckpointWriteJob& job, unsigned writers, CheckpointProgress& progress);
  // Once no writer is left.
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
  // Written by the first writer before a barrier, read by all after it.
  std::uint64_t next_step_ = 0;
  std::vector<RankFiles> planned_;            // of a user's files
  CheckpointManifest manifest_;               // of the current one, when its bytes are there
  std::optional<CheckpointManifest> parent_;  // the newest, for what builds upon it
  CheckpointStore::Parents parents_;          // of all that are there
  bool incremental_ = false;                  // this one
  Instant begin_{}, writing_{};
  WrittenCheckpoint current_;
  // Each writer has its own entries.
  std::vector<RankRecord> records_;
  std::vector<RankTime> times_;
  std::optional<Pacer> pacer_;
  std::map<std::uint64_t, Pacer> slow_;
  // Of the barriers, under their locks. Those in the background have a barrier of their own.
  std::uint32_t front_arrived_ = 0, back_arrived_ = 0;
  bool stopping_ = false, over_ = false;
  Barrier front_, back_;
  CheckpointWriteSummary summary_;

  const std::vector<RankFiles>& ranks() const { return job_.data.empty() ? job_.ranks : planned_; }
};

class CheckpointWriter {
 public:
  // `local` is of two levels, else null. All writers' tasks below are called by all, in the same
  // order.
  CheckpointWriter(CheckpointWriting& all, unsigned index, Reactor& reactor,
                   std::unique_ptr<Storage> storage, std::unique_ptr<Storage> local);
  ~CheckpointWriter();
  Task<> start();
  bool works() const { return !all_.failed_; }
  // One checkpoint; training goes on when it returns. False: nothing was written, nor will be.
  Task<bool> checkpoint();
  // Waits for what is written in the background. The writer takes no part afterwards.
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
  std::unique_ptr<BufferPool> pool_;  // none where it has no rank to write
  Semaphore behind_;                  // a permit while nothing is written in the background
  std::map<std::size_t, RankMemory> memories_;
  Histogram write_latency_, sync_latency_;
};

}  // namespace feedrate

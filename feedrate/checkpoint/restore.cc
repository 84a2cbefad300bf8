#include "feedrate/checkpoint/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/runtime/barrier.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {
namespace {

// Blocks of a file that have come and are checked, or wait for their turn, while others are read.
constexpr std::uint64_t kChecked = 2;

struct Worker {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  Histogram read_latency;
};

struct Restoring {
  const CheckpointRestoreJob& job;
  CheckpointProgress& progress;
  Barrier barrier;
  std::atomic<bool> damaged = false;  // the one that is being read
  std::mutex mutex;
  std::optional<Error> problem, error;         // of that one; of the whole
  std::vector<std::uint64_t> candidates;       // newest last
  std::optional<CheckpointManifest> manifest;  // being read; none: it is over
  std::vector<RankTime> times;
  Instant begin{};
  bool whole = false;
  CheckpointRestoreSummary summary;

  void damage(Error why) {
    const std::lock_guard lock(mutex);
    if (!problem) problem = std::move(why);
    damaged = true;
  }
};

// Reads one file with several reads in flight; their bytes are checked in order.
class FileReading {
 public:
  FileReading(Worker& worker, Restoring& restoring, StorageFile& file, const FileRecord& record)
      : worker_(worker),
        restoring_(restoring),
        file_(file),
        record_(record),
        checker_(record),
        turn_(worker.storage->reactor()),
        reads_(worker.storage->reactor(), restoring.job.reads_at_once),
        readers_(worker.storage->reactor(), 0) {}

  Task<Result<>> read_all() {
    const std::uint64_t readers = restoring_.job.reads_at_once + kChecked;
    for (std::uint64_t reader = 0; reader < readers; ++reader)
      worker_.storage->reactor().spawn(read_blocks());
    const bool joined = co_await readers_.acquire(readers);
    FEEDRATE_ASSERT(joined);
    if (error_) co_return fail(*error_);
    if (!restoring_.job.verify) co_return Result<>{};
    co_return checker_.finish();
  }

 private:
  Task<> read_blocks() {
    Storage& storage = *worker_.storage;
    const std::uint64_t block = restoring_.job.block_bytes;
    while (!error_ && next_ * block < record_.bytes) {
      const std::uint64_t index = next_++;
      const std::uint64_t length = std::min(block, record_.bytes - index * block);
      Buffer buffer = co_await worker_.pool->acquire();
      const bool admitted = co_await reads_.acquire(1);
      FEEDRATE_ASSERT(admitted);
      const Instant begin = storage.reactor().refresh_now();
      const Result<ReadOutcome> read =
          co_await storage.read(file_, record_.begin + index * block, length, buffer);
      worker_.read_latency.record(
          static_cast<std::uint64_t>((storage.reactor().now() - begin).count()));
      reads_.release(1);
      while (checked_ != index && !error_) co_await turn_.wait();
      if (!error_) consume(read);
      ++checked_;
      turn_.signal();
    }
    readers_.release(1);
  }

  void consume(const Result<ReadOutcome>& read) {
    if (!read) {
      error_ = read.error();
      return;
    }
    restoring_.progress.bytes_done += read->bytes.size();
    if (!restoring_.job.verify) return;
    const Result<> good = checker_.consume(read->bytes);
    if (!good) error_ = good.error();
    if (worker_.storage->reactor().stopping() && !error_)
      error_ = Error(ErrorKind::kCancelled, "interrupted");
  }

  Worker& worker_;
  Restoring& restoring_;
  StorageFile& file_;
  const FileRecord& record_;
  FileChecker checker_;
  Event turn_;
  Semaphore reads_, readers_;
  std::uint64_t next_ = 0, checked_ = 0;
  std::optional<Error> error_;
};

Task<Result<>> read_file(Worker& worker, Restoring& restoring, std::uint64_t step,
                         const FileRecord& record) {
  Storage& storage = *worker.storage;
  const CheckpointStore store(storage, *worker.pool, restoring.job.directory);
  const std::string path = store.path(step, record.path);
  const Result<FileStatus> status = co_await storage.stat(path);
  if (!status) co_return fail(status.error());
  if (status->bytes < record.begin + record.bytes)
    co_return fail(ErrorKind::kCorrupt,
                   fmt::format("{}: it has {} B, {} B belong to it", quote_path(path),
                               status->bytes, record.begin + record.bytes));
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  if (!file) co_return fail(file.error());
  FileReading reading(worker, restoring, **file, record);
  Result<> outcome = co_await reading.read_all();
  const Result<> closed = co_await storage.close(std::move(*file));
  if (outcome) outcome = closed;
  co_return outcome;
}

Task<> read_rank(Worker& worker, Restoring& restoring, std::size_t index, Semaphore& done) {
  Reactor& reactor = worker.storage->reactor();
  const RankRecord& rank = restoring.manifest->ranks[index];
  RankTime time{rank.rank, 0, {}};
  const Instant begin = reactor.refresh_now();
  for (const FileRecord& file : rank.files) {
    if (restoring.damaged) break;
    const Result<> outcome = co_await read_file(worker, restoring, restoring.manifest->step, file);
    if (!outcome) restoring.damage(outcome.error());
    time.bytes += file.bytes;
  }
  time.elapsed = reactor.refresh_now() - begin;
  restoring.times[index] = time;
  done.release(1);
}

// Which there are, or the one that is asked for.
Task<Result<>> find_candidates(Worker& worker, Restoring& restoring) {
  CheckpointStore store(*worker.storage, *worker.pool, restoring.job.directory);
  const Result<> ours = co_await store.require();
  if (!ours) co_return ours;
  const auto steps = co_await store.steps();
  if (!steps) co_return fail(steps.error());
  restoring.candidates = *steps;
  if (const auto wanted = restoring.job.step) {
    if (!std::ranges::binary_search(*steps, *wanted))
      co_return fail(
          ErrorKind::kNotFound,
          fmt::format("--step: {} has no checkpoint of step {}",
                      quote_path(restoring.job.directory), *wanted),
          steps->empty() ? "there is none" : fmt::format("it has {}", fmt::join(*steps, ", ")));
    restoring.candidates = {*wanted};
  }
  co_return Result<>{};
}

// The newest that is left and whose manifest can be read.
Task<> choose(Worker& worker, Restoring& restoring) {
  CheckpointStore store(*worker.storage, *worker.pool, restoring.job.directory);
  restoring.manifest.reset();
  while (!restoring.candidates.empty()) {
    const std::uint64_t step = restoring.candidates.back();
    restoring.candidates.pop_back();
    Result<CheckpointManifest> manifest = co_await store.manifest(step);
    if (!manifest) {
      restoring.summary.skipped.push_back({step, manifest.error().message()});
      continue;
    }
    restoring.times.assign(manifest->ranks.size(), {});
    restoring.progress.bytes_total = manifest->bytes();
    restoring.progress.bytes_done = 0;
    restoring.manifest = std::move(*manifest);
    restoring.begin = worker.storage->reactor().refresh_now();
    break;
  }
}

// After all ranks are done with one: it is the one, or why not.
void conclude(Worker& worker, Restoring& restoring) {
  const std::uint64_t step = restoring.manifest->step;
  if (!restoring.damaged) {
    restoring.whole = true;
    restoring.summary.elapsed = worker.storage->reactor().refresh_now() - restoring.begin;
    restoring.summary.ranks = restoring.times;
    return;
  }
  if (restoring.problem->kind() == ErrorKind::kCancelled) restoring.error = *restoring.problem;
  restoring.summary.skipped.push_back({step, restoring.problem->message()});
  restoring.problem.reset();
  restoring.damaged = false;
}

Task<> run_reactor(unsigned index, unsigned reactors, Worker& worker, Restoring& restoring) {
  Reactor& reactor = worker.storage->reactor();
  if (index == 0) {
    const Result<> found = co_await find_candidates(worker, restoring);
    if (!found) restoring.error = found.error();
  }
  while (true) {
    if (index == 0 && !restoring.error && !restoring.whole) co_await choose(worker, restoring);
    co_await restoring.barrier.arrive(reactor, [] {});
    if (restoring.error || restoring.whole || !restoring.manifest) break;
    Semaphore done(reactor, 0);
    std::uint64_t mine = 0;
    for (std::size_t rank = index; rank < restoring.manifest->ranks.size();
         rank += reactors, ++mine)
      reactor.spawn(read_rank(worker, restoring, rank, done));
    const bool joined = co_await done.acquire(mine);
    FEEDRATE_ASSERT(joined);
    co_await restoring.barrier.arrive(reactor, [] {});
    if (index == 0) conclude(worker, restoring);
  }
}

Error nothing_whole(const CheckpointRestoreJob& job, const CheckpointRestoreSummary& summary) {
  std::string message = fmt::format("{} has no whole checkpoint", quote_path(job.directory));
  for (const SkippedCheckpoint& skipped : summary.skipped)
    message += fmt::format("; step {}: {}", skipped.step, skipped.reason);
  return {ErrorKind::kNotFound, message, "write one with 'feedrate checkpoint'"};
}

}  // namespace

Result<CheckpointRestoreSummary> restore_checkpoint(ReactorGroup& group,
                                                    const StorageFactory& storage,
                                                    const CheckpointRestoreJob& job,
                                                    CheckpointProgress& progress,
                                                    const std::stop_token& stop) {
  Restoring restoring{job,   progress, {group.size(), [] {}}, {}, {}, {}, {}, {}, {}, {}, {},
                      false, {}};
  std::vector<Worker> workers(group.size());
  group.run(
      [&](unsigned index, Reactor& reactor) {
        Worker& worker = workers[index];
        worker.storage = storage(reactor);
        // As many as ranks there may be, without knowing them yet: a pool waits when all are out.
        worker.pool = std::make_unique<BufferPool>(
            reactor, BufferPoolOptions{job.block_bytes + worker.storage->slack_bytes(),
                                       8 * (job.reads_at_once + kChecked) + 1,
                                       worker.storage->carries_data()});
        reactor.spawn(run_reactor(index, group.size(), worker, restoring));
      },
      [&](unsigned index) {
        const std::lock_guard lock(restoring.mutex);
        restoring.summary.read_latency.merge(workers[index].read_latency);
        workers[index].pool.reset();
        workers[index].storage.reset();
      },
      stop);
  if (restoring.error) return fail(*restoring.error);
  if (!restoring.whole) return fail(nothing_whole(job, restoring.summary));
  restoring.summary.manifest = std::move(*restoring.manifest);
  return std::move(restoring.summary);
}

}  // namespace feedrate

#include "feedrate/checkpoint/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/runtime/barrier.h"
#include "feedrate/storage/stream_writer.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kGenerationBlock = std::uint64_t{4} << 20U;

// What the reactors share. Whoever is last at a barrier publishes; each reactor writes its own
// entries of `records` and `times` between two.
struct Writing {
  const CheckpointWriteJob& job;
  CheckpointProgress& progress;
  std::vector<RankRecord> records;
  std::vector<RankTime> times;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::optional<Error> error;
  CheckpointWriteSummary summary;

  void record(Error problem) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(problem);
    failed = true;
  }
};

struct Worker {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  Histogram write_latency, sync_latency;
};

Task<Result<>> write_file(Worker& worker, Writing& writing, const FilePlan& plan,
                          std::uint64_t step, FileRecord& record) {
  Storage& storage = *worker.storage;
  const CheckpointStore store(storage, *worker.pool, writing.job.directory);
  const std::string path = store.writing_path(step, plan.path);
  Result<FileHandle> file =
      co_await storage.open(path, plan.shared ? OpenMode::kWrite : OpenMode::kCreate);
  if (!file) co_return fail(file.error());
  FileRenderer renderer(plan, *writing.job.layout, writing.job.head.content, step);
  const StreamWriterOptions options{plan.begin, writing.job.block_bytes,
                                    writing.job.writes_at_once};
  StreamWriter writer(
      storage, *worker.pool, **file, options,
      [&renderer](std::span<std::byte> out, std::uint64_t count) {
        return out.empty() ? renderer.skip(count) : renderer.next(out);
      },
      [&worker, &writing](std::uint64_t bytes, Duration latency) {
        writing.progress.bytes_done += bytes;
        worker.write_latency.record(static_cast<std::uint64_t>(latency.count()));
      });
  Result<> outcome = co_await writer.write_all();
  const Instant written = storage.reactor().refresh_now();
  if (outcome) outcome = co_await storage.sync(**file);
  worker.sync_latency.record(
      static_cast<std::uint64_t>((storage.reactor().now() - written).count()));
  const Result<> closed = co_await storage.close(std::move(*file));
  if (outcome) outcome = closed;
  if (outcome) record = renderer.record();
  co_return outcome;
}

Task<> write_rank(Worker& worker, Writing& writing, std::size_t index, std::uint64_t step,
                  Semaphore& done) {
  Reactor& reactor = worker.storage->reactor();
  const RankFiles& rank = writing.job.ranks[index];
  RankRecord record{rank.rank, std::vector<FileRecord>(rank.files.size())};
  RankTime time{rank.rank, 0, {}};
  const Instant begin = reactor.refresh_now();
  for (std::size_t file = 0; file < rank.files.size() && !writing.failed; ++file) {
    const FilePlan& plan = rank.files[file];
    const Result<> outcome = co_await write_file(worker, writing, plan, step, record.files[file]);
    if (!outcome) writing.record(outcome.error());
    time.bytes += plan.bytes;
  }
  time.elapsed = reactor.refresh_now() - begin;
  writing.records[index] = std::move(record);
  writing.times[index] = time;
  done.release(1);
}

std::uint64_t bytes_of(const std::vector<RankFiles>& ranks) {
  std::uint64_t sum = 0;
  for (const RankFiles& rank : ranks)
    for (const FilePlan& file : rank.files) sum += file.bytes;
  return sum;
}

// Whether the next one fits beside those that are kept until it is whole.
Task<Result<>> check_room(Storage& storage, const CheckpointWriteJob& job) {
  const auto free = co_await storage.free_bytes(job.directory);
  if (!free) co_return fail(free.error());
  const std::uint64_t needed = bytes_of(job.ranks);
  if (needed <= *free) co_return Result<>{};
  co_return fail(ErrorKind::kNoSpace,
                 fmt::format("a checkpoint takes {}, {} has {} free", format_bytes(needed),
                             quote_path(job.directory), format_bytes(*free)),
                 "use fewer ranks (--subset), a smaller --scale, --keep fewer, or another file "
                 "system");
}

Task<Result<>> prune(CheckpointStore& store, std::uint64_t keep) {
  if (keep == 0) co_return Result<>{};
  const auto steps = co_await store.steps();
  if (!steps) co_return fail(steps.error());
  for (std::size_t index = 0; index + keep < steps->size(); ++index) {
    const Result<> removed = co_await store.remove((*steps)[index]);
    if (!removed) co_return removed;
  }
  co_return Result<>{};
}

// Steps go on after those that are there.
Task<Result<>> start(Worker& worker, Writing& writing, std::uint64_t& first_step) {
  writing.progress.bytes_total = bytes_of(writing.job.ranks) * writing.job.count;
  if (!worker.storage->carries_data()) co_return Result<>{};  // nothing is kept
  CheckpointStore store(*worker.storage, *worker.pool, writing.job.directory);
  const Result<> prepared = co_await store.prepare();
  if (!prepared) co_return prepared;
  const auto steps = co_await store.steps();
  if (!steps) co_return fail(steps.error());
  if (!steps->empty()) first_step = std::max(first_step, steps->back() + writing.job.step_stride);
  co_return Result<>{};
}

Task<Result<>> begin_one(Worker& worker, Writing& writing, std::uint64_t step) {
  if (!worker.storage->carries_data()) co_return Result<>{};
  CheckpointStore store(*worker.storage, *worker.pool, writing.job.directory);
  const Result<> room = co_await check_room(*worker.storage, writing.job);
  if (!room) co_return room;
  co_return co_await store.begin(step, writing.job.ranks);
}

Task<Result<>> finish_one(Worker& worker, Writing& writing, std::uint64_t step, Instant begin) {
  Reactor& reactor = worker.storage->reactor();
  const Instant ranks_done = reactor.refresh_now();
  CheckpointStore store(*worker.storage, *worker.pool, writing.job.directory);
  WrittenCheckpoint written{step, bytes_of(writing.job.ranks), {}, {}, writing.times};
  if (worker.storage->carries_data()) {
    CheckpointManifest manifest = writing.job.head;
    manifest.step = step;
    manifest.ranks = writing.records;
    const std::vector<WholeFile> files = writing.job.layout->common_files(writing.job.ranks);
    const Result<> published = co_await store.publish(manifest, files);
    if (!published) co_return published;
  }
  const Instant end = reactor.refresh_now();
  written.elapsed = end - begin;
  written.publish = end - ranks_done;
  writing.summary.written.push_back(std::move(written));
  if (!worker.storage->carries_data()) co_return Result<>{};
  co_return co_await prune(store, writing.job.keep);
}

struct Shared {
  Barrier barrier;
  std::uint64_t first_step;
  Instant begin{};
  bool stopping = false;  // under the barrier's lock
  bool over = false;      // decided once a round, so that all reactors see the same
};

// One reactor's part of all checkpoints; the first one does what is done once.
Task<> run_reactor(unsigned index, unsigned reactors, Worker& worker, Writing& writing,
                   Shared& shared) {
  Reactor& reactor = worker.storage->reactor();
  if (index == 0) {
    const Result<> started = co_await start(worker, writing, shared.first_step);
    if (!started) writing.record(started.error());
  }
  for (std::uint64_t number = 0; number < writing.job.count; ++number) {
    co_await shared.barrier.arrive(reactor,
                                   [&shared, &reactor] { shared.stopping |= reactor.stopping(); });
    if (shared.over) break;
    const std::uint64_t step = shared.first_step + number * writing.job.step_stride;
    if (index == 0) {
      if (number > 0 && writing.job.between > Duration::zero())
        co_await reactor.sleep_for(writing.job.between);
      const Result<> begun = co_await begin_one(worker, writing, step);
      if (!begun) writing.record(begun.error());
      shared.begin = reactor.refresh_now();
    }
    co_await shared.barrier.arrive(reactor, [] {});
    Semaphore done(reactor, 0);
    std::uint64_t mine = 0;
    for (std::size_t rank = index; rank < writing.job.ranks.size() && !writing.failed;
         rank += reactors, ++mine)
      reactor.spawn(write_rank(worker, writing, rank, step, done));
    const bool joined = co_await done.acquire(mine);
    FEEDRATE_ASSERT(joined);
    co_await shared.barrier.arrive(reactor, [] {});
    if (index != 0) continue;
    if (!writing.failed) {
      const Result<> finished = co_await finish_one(worker, writing, step, shared.begin);
      if (!finished) writing.record(finished.error());
    }
    if (writing.failed && worker.storage->carries_data()) {
      CheckpointStore store(*worker.storage, *worker.pool, writing.job.directory);
      const Result<> abandoned = co_await store.abandon(step);
      if (!abandoned) continue;  // the next writer removes it
    }
  }
  shared.barrier.leave(reactor);
}

// Bytes a second of one core that makes and sums up content: of the largest file, for 20 ms.
double generation_rate(const CheckpointWriteJob& job) {
  const FilePlan* largest = nullptr;
  for (const RankFiles& rank : job.ranks)
    for (const FilePlan& file : rank.files)
      if (largest == nullptr || file.bytes > largest->bytes) largest = &file;
  if (largest == nullptr) return 0;
  std::vector<std::byte> block(std::min<std::uint64_t>(largest->bytes, kGenerationBlock));
  const Duration before = thread_cpu_time();
  Duration took{};
  std::uint64_t made = 0;
  while (took < std::chrono::milliseconds(20)) {
    FileRenderer renderer(*largest, *job.layout, job.head.content, job.head.step);
    for (std::uint64_t count = 1; count > 0 && took < std::chrono::milliseconds(20);
         made += count) {
      count = renderer.next(block);
      took = thread_cpu_time() - before;
    }
  }
  return static_cast<double>(made) / to_seconds(took);
}

}  // namespace

Result<CheckpointWriteSummary> write_checkpoints(ReactorGroup& group, const StorageFactory& storage,
                                                 const CheckpointWriteJob& job,
                                                 CheckpointProgress& progress,
                                                 const std::stop_token& stop) {
  FEEDRATE_ASSERT(job.layout != nullptr && job.step_stride > 0 && job.block_bytes % 4096 == 0);
  Writing writing{job, progress, {}, {}, {}, {}, {}, {}};
  writing.records.resize(job.ranks.size());
  writing.times.resize(job.ranks.size());
  writing.summary.generation_bytes_per_second = generation_rate(job);
  std::vector<Worker> workers(group.size());
  Shared shared{
      {group.size(), [&shared, &writing] { shared.over = writing.failed || shared.stopping; }},
      job.head.step,
      {},
      false,
      false};
  const std::uint64_t ranks_each = (job.ranks.size() + group.size() - 1) / group.size();
  group.run(
      [&](unsigned index, Reactor& reactor) {
        Worker& worker = workers[index];
        worker.storage = storage(reactor);
        worker.pool = std::make_unique<BufferPool>(
            reactor,
            BufferPoolOptions{worker.storage->carries_data()
                                  ? job.block_bytes + worker.storage->slack_bytes()
                                  : kBufferAlignment,
                              std::max<std::uint64_t>(1, ranks_each) * (job.writes_at_once + 1) + 1,
                              worker.storage->carries_data()});
        reactor.spawn(run_reactor(index, group.size(), worker, writing, shared));
      },
      [&](unsigned index) {
        const std::lock_guard lock(writing.mutex);
        writing.summary.write_latency.merge(workers[index].write_latency);
        writing.summary.sync_latency.merge(workers[index].sync_latency);
        workers[index].pool.reset();
        workers[index].storage.reset();
      },
      stop);
  if (writing.error) {
    const Error error = *writing.error;
    if (error.kind() == ErrorKind::kNoSpace && !writing.summary.written.empty())
      return fail(
          error.with_hint("the checkpoints before it are whole; --keep fewer, or use "
                          "another file system"));
    return fail(error);
  }
  if (stop.stop_requested() && writing.summary.written.size() < job.count)
    return fail(ErrorKind::kCancelled, "interrupted; published checkpoints are kept");
  return std::move(writing.summary);
}

}  // namespace feedrate

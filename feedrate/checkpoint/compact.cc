#include "feedrate/checkpoint/compact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <set>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/chain.h"
#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/storage/stream_reader.h"

namespace feedrate {
namespace {

struct Worker {
  std::unique_ptr<Storage> storage;
  // Two pools, because a reader may take all buffers of its own and would leave none to write with.
  std::unique_ptr<BufferPool> reads, writes;
};

struct Compacting {
  const CompactJob& job;
  CheckpointProgress& progress;
  Barrier barrier;
  std::optional<CheckpointChain> chain = {};
  // False where the step builds upon none: then its bytes are checked, and nothing is written.
  bool writes = false;
  std::atomic<bool> failed = false;
  std::mutex mutex = {};
  std::optional<Error> error = {};
  std::exception_ptr no_buffers = {};
  Instant begin{};
  CompactSummary summary = {};
  DirectoryClaim claim = {};

  void record(const Error& problem) {
    const std::lock_guard lock(mutex);
    if (!error) error = problem;
    failed = true;
  }
  std::string below(const std::string& path) const {
    return fmt::format("{}/{}", job.directory, path);
  }
  CheckpointStore store(Worker& worker) const { return {*worker.storage, job.directory}; }
};

std::string changed_path(std::uint64_t rank) {
  return fmt::format("{}/{}", rank_folder(rank), kChangedFile);
}

// Takes bytes in portions of any length and writes them as blocks.
class BlockWriter {
 public:
  BlockWriter(Worker& worker, StorageFile& file, std::uint64_t begin, const CompactJob& job)
      : worker_(worker),
        file_(file),
        offset_(begin),
        block_bytes_(job.block_bytes),
        at_once_(job.at_once),
        permits_(worker.storage->reactor(), job.at_once) {}

  Task<> write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (!buffer_) buffer_ = co_await worker_.writes->acquire();
      const std::size_t count = std::min<std::uint64_t>(bytes.size(), block_bytes_ - filled_);
      std::memcpy(buffer_.bytes().data() + filled_, bytes.data(), count);
      filled_ += count;
      bytes = bytes.subspan(count);
      if (filled_ == block_bytes_) co_await flush();
    }
  }
  Task<Result<>> finish() {
    if (filled_ > 0) co_await flush();
    const bool drained = co_await permits_.acquire(at_once_);
    FEEDRATE_ASSERT(drained);
    if (outcome_) outcome_ = co_await worker_.storage->sync(file_);
    co_return outcome_;
  }

 private:
  Task<> flush() {
    const bool admitted = co_await permits_.acquire(1);
    FEEDRATE_ASSERT(admitted);
    worker_.storage->reactor().spawn(write_one(std::move(buffer_), offset_, filled_));
    offset_ += filled_;
    filled_ = 0;
  }
  Task<> write_one(Buffer buffer, std::uint64_t offset, std::uint64_t length) {
    const Result<> written = co_await worker_.storage->write(file_, offset, length, buffer);
    if (!written && outcome_) outcome_ = written;
    permits_.release(1);
  }

  Worker& worker_;
  StorageFile& file_;
  std::uint64_t offset_, block_bytes_, at_once_, filled_ = 0;
  Semaphore permits_;
  Buffer buffer_;
  Result<> outcome_;
};

// `writer` may be null: then the bytes are checked, and go nowhere.
Task<Result<>> copy(Compacting& all, StreamReader& reader, BlockWriter* writer,
                    FileChecker& checker) {
  while (!all.failed) {
    auto block = co_await reader.next();
    if (!block) co_return fail(block.error());
    if (!*block) co_return checker.finish();
    const Result<> good = checker.consume((*block)->bytes);
    if (!good) co_return good;
    all.progress.bytes_done += (*block)->bytes.size();
    if (writer != nullptr) co_await writer->write((*block)->bytes);
  }
  co_return Result<>{};
}

Task<Result<>> write_file(Worker& worker, Compacting& all, std::size_t rank, std::size_t file) {
  const CheckpointManifest& manifest = all.chain->newest();
  const FileRecord& record = manifest.ranks[rank].files[file];
  const Gather gather = all.chain->file(rank, file, all.job.block_bytes);
  std::vector<FileHandle> files;
  Result<> outcome;
  for (const Gather::File& source : gather.files) {
    const std::string path = all.below(source.path);
    Result<FileHandle> opened = co_await worker.storage->open(path, OpenMode::kRead);
    if (!opened) outcome = fail(opened.error());
    if (!opened) break;
    files.push_back(std::move(*opened));
  }
  if (outcome && !all.writes) {
    StreamReader reader(*worker.storage, *worker.reads, files, gather.reads, {all.job.at_once, 2},
                        [](std::uint64_t, Duration) {});
    FileChecker checker(record);
    outcome = co_await copy(all, reader, nullptr, checker);
    co_await reader.finish();
  }
  if (outcome && all.writes) {
    const std::string path = all.store(worker).path(manifest.step, record.path);
    // Other ranks' parts of a shared file must stay.
    const OpenMode mode = manifest.layout == "shared" ? OpenMode::kWrite : OpenMode::kCreate;
    Result<FileHandle> target = co_await worker.storage->open(path, mode);
    if (!target) co_return fail(target.error());
    StreamReader reader(*worker.storage, *worker.reads, files, gather.reads, {all.job.at_once, 2},
                        [](std::uint64_t, Duration) {});
    BlockWriter writer(worker, **target, record.begin, all.job);
    FileChecker checker(record);
    outcome = co_await copy(all, reader, &writer, checker);
    co_await reader.finish();
    const Result<> written = co_await writer.finish();
    if (outcome) outcome = written;
    const Result<> closed = co_await worker.storage->close(std::move(*target));
    if (outcome) outcome = closed;
  }
  for (FileHandle& source : files) {
    const Result<> closed = co_await worker.storage->close(std::move(source));
    if (outcome) outcome = closed;
  }
  co_return outcome;
}

// Makes folders, and the files that several ranks write into.
Task<Result<>> make_places(Worker& worker, Compacting& all) {
  const CheckpointManifest& manifest = all.chain->newest();
  CheckpointStore store = all.store(worker);
  std::set<std::string> folders;
  for (const RankRecord& rank : manifest.ranks)
    for (const FileRecord& file : rank.files) {
      const std::string path = store.path(manifest.step, file.path);
      folders.insert(path.substr(0, path.rfind('/')));
    }
  for (const std::string& folder : folders) {
    const Result<> made = co_await store.make_folder(folder);
    if (!made) co_return made;
  }
  if (manifest.layout != "shared" || manifest.ranks.empty()) co_return Result<>{};
  for (const FileRecord& file : manifest.ranks[0].files) {
    const std::string path = store.path(manifest.step, file.path);
    Result<FileHandle> made = co_await worker.storage->open(path, OpenMode::kCreate);
    if (!made) co_return fail(made.error());
    const Result<> closed = co_await worker.storage->close(std::move(*made));
    if (!closed) co_return closed;
  }
  co_return Result<>{};
}

// Finds the step and what it builds upon; changes nothing.
Task<Result<>> look(CheckpointStore& store, Compacting& all) {
  const auto steps = co_await store.steps();
  if (!steps) co_return fail(steps.error());
  if (steps->empty() || (all.job.step && !std::ranges::binary_search(*steps, *all.job.step)))
    co_return fail(
        ErrorKind::kNotFound,
        all.job.step ? fmt::format("--step: {} has no checkpoint of step {}",
                                   quote_path(all.job.directory), *all.job.step)
                     : fmt::format("{} has no checkpoint", quote_path(all.job.directory)),
        steps->empty() ? "there is none" : fmt::format("it has {}", fmt::join(*steps, ", ")));
  if (all.job.keep > steps->size())
    co_return fail(
        ErrorKind::kUsage,
        fmt::format("--keep: {} has no effect: {} has {}", all.job.keep,
                    quote_path(all.job.directory), format_counted(steps->size(), "checkpoint")),
        "leave it out, or give the number of those that shall stay");
  all.summary.step = all.job.step.value_or(steps->back());
  auto chain = co_await load_chain(store, all.summary.step);
  if (!chain) co_return fail(chain.error());
  all.summary.steps_read = chain->steps();
  all.summary.bytes = chain->newest().bytes();
  all.writes = chain->steps() > 1;
  all.chain = std::move(*chain);
  all.progress.bytes_total = all.summary.bytes;
  co_return Result<>{};
}

Task<Result<>> begin(Worker& worker, Compacting& all) {
  CheckpointStore store = all.store(worker);
  Result<> done = co_await store.require();
  if (!done) co_return done;
  done = co_await look(store, all);
  if (!done) co_return done;
  // One that is whole is only read, and may lie where nobody can write.
  if (all.writes || all.job.keep > 0) {
    // Two that compact at once would remove each other's files.
    Result<DirectoryClaim> claimed = co_await store.claim();
    if (!claimed) co_return fail(claimed.error());
    all.claim = std::move(*claimed);
    done = co_await look(store, all);  // Another may have worked here until then.
    if (!done) co_return done;
  }
  all.begin = worker.storage->reactor().refresh_now();
  if (!all.writes) co_return Result<>{};
  const auto free = co_await worker.storage->free_bytes(all.job.directory);
  if (!free) co_return fail(free.error());
  if (*free < all.summary.bytes)
    co_return fail(ErrorKind::kNoSpace,
                   fmt::format("step {} takes {} when it is whole, {} has {} free",
                               all.summary.step, format_bytes(all.summary.bytes),
                               quote_path(all.job.directory), format_bytes(*free)),
                   "make room, or use another file system");
  co_return co_await make_places(worker, all);
}

Task<Result<>> end(Worker& worker, Compacting& all) {
  CheckpointStore store = all.store(worker);
  if (all.writes) {
    CheckpointManifest manifest = all.chain->newest();
    manifest.parent.reset();
    manifest.increments = 0;
    // The new manifest is that of a whole checkpoint: it has no parent and no changed blocks.
    for (RankRecord& rank : manifest.ranks)
      for (FileRecord& file : rank.files)
        for (PieceRecord& piece : file.pieces) piece.changed.clear();
    // Only after this may the changed blocks go: until then the old manifest needs them.
    Result<> done = co_await store.replace(manifest);
    if (!done) co_return done;
    for (const RankRecord& rank : manifest.ranks) {
      const std::string path = store.path(manifest.step, changed_path(rank.rank));
      done = co_await worker.storage->remove(path);
      if (!done) co_return done;
    }
  }
  all.summary.elapsed = worker.storage->reactor().refresh_now() - all.begin;
  if (all.job.keep == 0) co_return Result<>{};
  const auto parents = co_await store.parents();
  if (!parents) co_return fail(parents.error());
  auto removed = co_await store.prune(all.job.keep, *parents);
  if (!removed) co_return fail(removed.error());
  all.summary.removed = std::move(*removed);
  co_return Result<>{};
}

// Removes the files that were written, which are of no use after an error.
Task<> undo(Worker& worker, const Compacting& all) {
  const CheckpointManifest& manifest = all.chain->newest();
  for (const RankRecord& rank : manifest.ranks)
    for (const FileRecord& file : rank.files) {
      const std::string path = all.store(worker).path(manifest.step, file.path);
      const Result<> removed = co_await worker.storage->remove(path);
      if (!removed) continue;  // It was not written yet, or the next compaction overwrites it.
    }
}

void make_buffers(Worker& worker, Compacting& all) {
  const std::size_t block = all.job.block_bytes + worker.storage->slack_bytes();
  const StreamReaderOptions reads{all.job.at_once, 2};
  Reactor& reactor = worker.storage->reactor();
  try {
    worker.reads =
        std::make_unique<BufferPool>(reactor, BufferPoolOptions{block, reads.buffers(), true});
    worker.writes =
        std::make_unique<BufferPool>(reactor, BufferPoolOptions{block, all.job.at_once + 1, true});
  } catch (const NoBuffers&) {
    const std::lock_guard lock(all.mutex);
    all.no_buffers = std::current_exception();
    all.failed = true;
  }
}

Task<> run_reactor(unsigned index, unsigned reactors, Worker& worker, Compacting& all) {
  Reactor& reactor = worker.storage->reactor();
  if (index == 0) {
    const Result<> begun = co_await begin(worker, all);
    if (!begun) all.record(begun.error());
  }
  co_await all.barrier.arrive(reactor, [] {});
  if (all.chain && index < all.chain->newest().ranks.size()) make_buffers(worker, all);
  if (all.chain)
    for (std::size_t rank = index; rank < all.chain->newest().ranks.size(); rank += reactors)
      for (std::size_t file = 0; file < all.chain->newest().ranks[rank].files.size(); ++file) {
        if (all.failed) break;
        const Result<> written = co_await write_file(worker, all, rank, file);
        if (!written) all.record(written.error());
      }
  co_await all.barrier.arrive(reactor, [] {});
  if (index != 0) co_return;
  if (all.failed) {
    if (all.chain && all.writes) co_await undo(worker, all);
    co_return;
  }
  const Result<> ended = co_await end(worker, all);
  if (!ended) all.record(ended.error());
}

}  // namespace

Result<CompactSummary> compact_checkpoint(ReactorGroup& group, const StorageFactory& storage,
                                          const CompactJob& job, CheckpointProgress& progress,
                                          const std::stop_token& stop) {
  Compacting all{job, progress, {group.size(), [] {}}};
  std::vector<Worker> workers(group.size());
  group.run(
      [&](unsigned index, Reactor& reactor) {
        Worker& worker = workers[index];
        worker.storage = storage(reactor);
        reactor.spawn(run_reactor(index, group.size(), worker, all));
      },
      [&](unsigned index) {
        workers[index].reads.reset();
        workers[index].writes.reset();
        workers[index].storage.reset();
      },
      stop);
  if (all.no_buffers) std::rethrow_exception(all.no_buffers);
  if (all.error) return fail(*all.error);
  return std::move(all.summary);
}

}  // namespace feedrate

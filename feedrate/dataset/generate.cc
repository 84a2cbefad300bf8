#include "feedrate/dataset/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "feedrate/base/text.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/runtime/barrier.h"
#include "feedrate/runtime/sync.h"
#include "feedrate/storage/stream_writer.h"

namespace feedrate {
namespace {

std::string manifest_path(const Dataset& dataset) {
  return dataset.directory() + "/" + std::string(kManifestName);
}

// Everything that all writers share.
struct Generation {
  const Dataset& dataset;
  const GenerateOptions& options;
  GenerateProgress& progress;
  std::vector<std::uint64_t> todo;
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::optional<Error> error;
  DirectoryClaim claim = {};

  void record(Error problem) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(problem);
    failed = true;
  }
};

Task<Result<>> write_text(Storage& storage, BufferPool& pool, const std::string& path,
                          const std::string& text) {
  const std::string temporary = path + ".part";
  Buffer buffer = co_await pool.acquire();
  FEEDRATE_ASSERT(text.size() <= buffer.bytes().size());
  std::memcpy(buffer.bytes().data(), text.data(), text.size());
  Result<FileHandle> file = co_await storage.open(temporary, OpenMode::kCreate);
  if (!file) co_return fail(file.error());
  Result<> outcome = co_await storage.write(**file, 0, text.size(), buffer);
  if (outcome) outcome = co_await storage.sync(**file);
  const Result<> closed = co_await storage.close(std::move(*file));
  if (outcome) outcome = closed;
  if (outcome) outcome = co_await storage.rename(temporary, path);
  const std::string directory = path.substr(0, path.rfind('/'));
  if (outcome) outcome = co_await storage.sync_directory(directory);
  co_return outcome;
}

constexpr std::uint64_t kWritesInFlight = 2;

Task<Result<>> write_file(Storage& storage, BufferPool& pool, Generation& generation,
                          std::uint64_t index) {
  const std::string path = generation.dataset.resolve(generation.dataset.part(index).path);
  const std::string temporary = path + ".part";
  Result<FileHandle> file = co_await storage.open(temporary, OpenMode::kCreate);
  if (!file) co_return fail(file.error());
  const auto renderer = generation.dataset.render_part(index);
  GenerateProgress& progress = generation.progress;
  const StreamWriterOptions options{0, generation.options.block_bytes, kWritesInFlight};
  StreamWriter writer(
      storage, pool, **file, options,
      [&renderer](std::span<std::byte> out, std::uint64_t) { return renderer->next(out); },
      [&progress](std::uint64_t bytes, Duration) { progress.bytes_written += bytes; });
  Result<> outcome = co_await writer.write_all();
  if (outcome) outcome = co_await storage.sync(**file);
  const Result<> closed = co_await storage.close(std::move(*file));
  if (outcome) outcome = closed;
  if (outcome) outcome = co_await storage.rename(temporary, path);
  if (!outcome) {
    const Result<> removed = co_await storage.remove(temporary);
    if (!removed) co_return outcome;  // the first error is the one to report
  }
  co_return outcome;
}

Task<> writer_loop(Storage& storage, BufferPool& pool, Generation& generation) {
  while (!generation.failed && !storage.reactor().stopping()) {
    const std::size_t next = generation.next.fetch_add(1);
    if (next >= generation.todo.size()) co_return;
    const Result<> outcome = co_await write_file(storage, pool, generation, generation.todo[next]);
    if (!outcome) generation.record(outcome.error());
  }
}

// Returns whether there is nothing but what a new file system, or our own interrupted first step,
// leaves.
bool is_unused(const std::vector<DirectoryEntry>& entries) {
  const std::string first_step = std::string(kManifestName) + ".part";
  return std::ranges::all_of(entries, [&](const DirectoryEntry& entry) {
    return entry.name == "lost+found" || entry.name == first_step || entry.name == kLockName;
  });
}

Result<Manifest> check_directory(const Dataset& dataset,
                                 const std::vector<DirectoryEntry>& entries) {
  const auto existing = read_manifest(dataset.directory());
  if (!existing) {
    if (existing.error().kind() != ErrorKind::kNotFound) return fail(existing.error());
    if (!is_unused(entries))
      return fail(ErrorKind::kUsage,
                  fmt::format("{} is not empty and has no {} of ours, so nothing is written there",
                              quote_path(dataset.directory()), kManifestName),
                  "choose a new directory; to read your own files, use --data DIR");
    return Manifest{*dataset.plan(), false};
  }
  if (existing->plan != *dataset.plan())
    return fail(
        ErrorKind::kUsage,
        fmt::format("{} already holds another data set ({}, {} files, seed {})",
                    quote_path(dataset.directory()), existing->plan.workload, existing->plan.files,
                    existing->plan.seed),
        "use another directory, or the same workload, --size, --seed and layout (--subfolders, "
        "--set)");
  return *existing;
}

struct Todo {
  bool complete = false;
  std::uint64_t bytes = 0;
  std::set<std::string> directories;
};

// Finds what is to be done; changes nothing.
Task<Result<Todo>> look(Storage& storage, Generation& generation) {
  const Dataset& dataset = generation.dataset;
  const auto entries = co_await storage.list(dataset.directory());
  if (!entries) co_return fail(entries.error());
  const Result<Manifest> manifest = check_directory(dataset, *entries);
  if (!manifest) co_return fail(manifest.error());
  const bool fresh = is_unused(*entries);
  Todo todo{.complete = manifest->complete, .bytes = 0, .directories = {}};
  generation.todo.clear();
  generation.progress.files_kept = 0;
  for (std::uint64_t file = 0; file < dataset.parts(); ++file) {
    const Dataset::Part part = dataset.part(file);
    const std::string path = dataset.resolve(part.path);
    // A file gets its final name only once it is whole, so its size is proof enough. In a fresh
    // directory not even that has to be asked.
    if (!fresh) {
      const auto status = co_await storage.stat(path);
      if (status && status->bytes == part.bytes) {
        ++generation.progress.files_kept;
        continue;
      }
    }
    generation.todo.push_back(file);
    todo.bytes += part.bytes;
    todo.directories.insert(path.substr(0, path.rfind('/')));
  }
  if (!generation.todo.empty()) todo.complete = false;
  const auto free = co_await storage.free_bytes(dataset.directory());
  if (!free) co_return fail(free.error());
  if (todo.bytes > *free)
    co_return fail(ErrorKind::kNoSpace,
                   fmt::format("the data set needs {}, {} has {} free", format_bytes(todo.bytes),
                               quote_path(dataset.directory()), format_bytes(*free)),
                   *free / 10 * 9 < dataset.file_bytes(0)
                       ? "free some space, or use another file system"
                       : fmt::format("use --size='{}' or less, or another file system",
                                     format_bytes(*free / 10 * 9)));
  co_return todo;
}

// Decides what is to be done and prepares the directory. It runs before the writers.
Task<Result<>> prepare(Storage& storage, BufferPool& pool, Generation& generation, bool& complete) {
  const Dataset& dataset = generation.dataset;
  Result<> made = co_await storage.make_directories(dataset.directory());
  if (!made) co_return made;
  // Nothing, not even a lock, is put into a directory that is somebody else's, has no room, or has
  // all files: that one may be read-only, and may be read by any number at once.
  Result<Todo> todo = co_await look(storage, generation);
  if (!todo) co_return fail(todo.error());
  complete = todo->complete;
  if (complete) co_return Result<>{};
  Result<DirectoryClaim> claimed = co_await storage.claim(dataset.directory());
  if (!claimed) co_return fail(claimed.error());
  generation.claim = std::move(*claimed);
  // Until the claim was there, another writer may have worked here.
  todo = co_await look(storage, generation);
  if (!todo) co_return fail(todo.error());
  complete = todo->complete;
  // The manifest comes first: without it a later call would not know the directory as ours, and
  // refuse it.
  if (!complete) {
    const std::string path = manifest_path(dataset);
    const std::string text = manifest_to_json({*dataset.plan(), false});
    made = co_await write_text(storage, pool, path, text);
    if (!made) co_return made;
  }
  for (const std::string& directory : todo->directories) {
    made = co_await storage.make_directories(directory);
    if (!made) co_return made;
  }
  generation.progress.bytes_total = todo->bytes;
  co_return Result<>{};
}

Task<Result<>> finish_manifest(Storage& storage, BufferPool& pool, const Dataset& dataset) {
  std::set<std::string> directories;
  for (std::uint64_t file = 0; file < dataset.parts(); ++file) {
    const std::string path = dataset.resolve(dataset.part(file).path);
    // Each one's own name lies in the one above it.
    const std::string& root = dataset.directory();
    for (std::string folder = path.substr(0, path.rfind('/')); folder.size() > root.size();
         folder.resize(folder.rfind('/')))
      if (!directories.insert(folder).second) break;
  }
  directories.insert(dataset.directory());
  for (const std::string& directory : directories) {
    const Result<> synced = co_await storage.sync_directory(directory);
    if (!synced) co_return synced;
  }
  const std::string path = manifest_path(dataset);
  const std::string text = manifest_to_json({*dataset.plan(), true});
  co_return co_await write_text(storage, pool, path, text);
}

// Returns how it ended. `interrupted` means that it was stopped before the manifest said complete.
Result<> conclude(const Generation& generation, bool interrupted) {
  if (generation.error) {
    if (generation.error->kind() == ErrorKind::kNoSpace && generation.progress.bytes_written > 0)
      return fail(generation.error->with_hint(
          "free some space and run the same command again: finished files are kept"));
    if (generation.error->kind() == ErrorKind::kCancelled)
      return fail(ErrorKind::kCancelled, "interrupted; finished files are kept",
                  "run the same command again to go on");
    return fail(*generation.error);
  }
  if (interrupted && generation.next < generation.todo.size())
    return fail(ErrorKind::kCancelled, "interrupted; finished files are kept",
                "run the same command again to go on");
  return {};
}

// The storage and buffers of one reactor.
struct Worker {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
};

}  // namespace

Result<> check_takes_dataset(const Dataset& dataset) {
  std::vector<DirectoryEntry> entries;
  std::error_code unreadable;  // met again, and told, where it is written to
  for (std::filesystem::directory_iterator entry(dataset.directory(), unreadable), end;
       !unreadable && entry != end; entry.increment(unreadable))
    entries.push_back({.name = entry->path().filename().string()});
  FEEDRATE_CHECK(check_directory(dataset, entries));
  return {};
}

Result<GenerateSummary> generate_dataset(ReactorGroup& group, const StorageFactory& storage,
                                         const Dataset& dataset, const GenerateOptions& options,
                                         GenerateProgress& progress, const std::stop_token& stop) {
  FEEDRATE_ASSERT(dataset.plan().has_value());
  Generation generation{dataset, options, progress, {}, {}, {}, {}, {}, {}};
  const unsigned jobs_per_reactor =
      options.jobs == 0 ? 4 : std::max(1U, (options.jobs + group.size() - 1) / group.size());
  std::vector<Worker> workers(group.size());
  bool complete = false;
  GenerateSummary summary;
  Instant begin{};

  // The first reactor prepares, and then all of them write: a barrier keeps the others back until
  // then.
  Barrier prepared(group.size(), [] {});
  Barrier written(group.size(), [] {});
  struct Body {
    static Task<> run(unsigned index, Reactor& reactor, Worker& worker, Generation& work,
                      Barrier& ready, Barrier& done, bool& whole, unsigned jobs, Instant& start,
                      GenerateSummary& result) {
      if (index == 0) {
        start = reactor.now();
        const Result<> outcome = co_await prepare(*worker.storage, *worker.pool, work, whole);
        if (!outcome) work.record(outcome.error());
      }
      co_await ready.arrive(reactor, [] {});
      Semaphore running(reactor, 0);
      if (!work.failed) {
        for (unsigned job = 0; job < jobs; ++job)
          reactor.spawn(run_job(*worker.storage, *worker.pool, work, running));
        const bool joined = co_await running.acquire(jobs);
        FEEDRATE_ASSERT(joined);
      }
      co_await done.arrive(reactor, [] {});
      // Only when every file is whole may the manifest say that the data set is complete.
      if (index != 0) co_return;
      if (!work.failed && !whole && !reactor.stopping()) {
        const Result<> outcome =
            co_await finish_manifest(*worker.storage, *worker.pool, work.dataset);
        if (!outcome) work.record(outcome.error());
      }
      result.elapsed = reactor.refresh_now() - start;
    }
    static Task<> run_job(Storage& store, BufferPool& pool, Generation& work, Semaphore& running) {
      co_await writer_loop(store, pool, work);
      running.release(1);
    }
  };
  group.run(
      [&](unsigned index, Reactor& reactor) {
        Worker& worker = workers[index];
        worker.storage = storage(reactor);
        worker.pool = std::make_unique<BufferPool>(
            reactor, BufferPoolOptions{options.block_bytes + worker.storage->slack_bytes(),
                                       jobs_per_reactor * 3, worker.storage->carries_data()});
        reactor.spawn(Body::run(index, reactor, worker, generation, prepared, written, complete,
                                jobs_per_reactor, begin, summary));
      },
      [&](unsigned index) { workers[index] = {}; }, stop);

  FEEDRATE_CHECK(conclude(generation, stop.stop_requested() && !complete));
  summary.files_written = generation.todo.size();
  summary.files_kept = progress.files_kept;
  summary.bytes_written = progress.bytes_written;
  summary.jobs = jobs_per_reactor * group.size();
  return summary;
}

}  // namespace feedrate

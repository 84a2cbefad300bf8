// What one reactor gets out of the posix backend, for comparison with fio (bench/compare.py).
//
//   storage_bench random FILE BLOCK DEPTH SECONDS   random direct reads of BLOCK bytes of one file
//   storage_bench files  DIR  BYTES DEPTH           every file of DIR once in random order: open,
//                                                   read, close
//   storage_bench selftest                          both, tiny, in a directory of its own
// Prints one JSON object: bytes, seconds, cpu_seconds, operations.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "feedrate/base/random.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/runtime/sync.h"
#include "feedrate/storage/storage.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

struct Totals {
  std::uint64_t bytes = 0, operations = 0;
  Instant begin{}, end{};
  double cpu_begin = 0, cpu_end = 0;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

[[noreturn]] void stop(const Error& error) {
  std::fputs(error.render().c_str(), stderr);
  std::exit(3);
}

Task<> read_randomly(Storage& storage, BufferPool& pool, StorageFile& file, std::uint64_t block,
                     std::uint64_t blocks, RandomStream random, Instant until, Totals& totals) {
  Reactor& reactor = storage.reactor();
  Buffer buffer = co_await pool.acquire();
  while (reactor.now() < until) {
    const std::uint64_t offset = random.below(blocks) * block;
    const Result<ReadOutcome> outcome = co_await storage.read(file, offset, block, buffer);
    if (!outcome) stop(outcome.error());
    totals.bytes += block;
    ++totals.operations;
  }
}

struct FileList {
  std::vector<std::string> paths;
  std::size_t next = 0;
};

Task<> read_files(Storage& storage, BufferPool& pool, FileList& files, std::uint64_t bytes,
                  Totals& totals) {
  Buffer buffer = co_await pool.acquire();
  while (files.next < files.paths.size()) {
    const std::string& path = files.paths[files.next++];
    const Result<ReadOutcome> outcome = co_await storage.read_file(path, bytes, buffer);
    if (!outcome) stop(outcome.error());
    totals.bytes += bytes;
    ++totals.operations;
  }
}

Task<> finish(Task<> task, Semaphore& done) {
  co_await std::move(task);
  done.release(1);
}

Task<> run_random(Storage& storage, BufferPool& pool, std::string path, std::uint64_t block,
                  std::uint64_t depth, double seconds, Totals& totals) {
  Reactor& reactor = storage.reactor();
  const auto status = co_await storage.stat(path);
  if (!status) stop(status.error());
  auto file = co_await storage.open(path, OpenMode::kRead);
  if (!file) stop(file.error());
  Semaphore done(reactor, 0);
  totals.cpu_begin = cpu_seconds();
  totals.begin = reactor.refresh_now();
  const Instant until = totals.begin + from_seconds(seconds);
  for (std::uint64_t reader = 0; reader < depth; ++reader)
    reactor.spawn(finish(read_randomly(storage, pool, **file, block, status->bytes / block,
                                       RandomStream(reader + 1), until, totals),
                         done));
  const bool joined = co_await done.acquire(depth);
  FEEDRATE_ASSERT(joined);
  totals.end = reactor.refresh_now();
  totals.cpu_end = cpu_seconds();
  const Result<> closed = co_await storage.close(std::move(*file));
  if (!closed) stop(closed.error());
}

Task<> run_files(Storage& storage, BufferPool& pool, std::string directory, std::uint64_t bytes,
                 std::uint64_t depth, Totals& totals) {
  Reactor& reactor = storage.reactor();
  const auto entries = co_await storage.list(directory);
  if (!entries) stop(entries.error());
  FileList files;
  const KeyedPermutation order(entries->size(), 7);
  for (std::uint64_t i = 0; i < entries->size(); ++i)
    files.paths.push_back(directory + "/" + (*entries)[order(i)].name);
  Semaphore done(reactor, 0);
  totals.cpu_begin = cpu_seconds();
  totals.begin = reactor.refresh_now();
  for (std::uint64_t reader = 0; reader < depth; ++reader)
    reactor.spawn(finish(read_files(storage, pool, files, bytes, totals), done));
  const bool joined = co_await done.acquire(depth);
  FEEDRATE_ASSERT(joined);
  totals.end = reactor.refresh_now();
  totals.cpu_end = cpu_seconds();
}

int measure(bool files, const std::string& path, std::uint64_t bytes, std::uint64_t depth,
            double seconds) {
  const auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kUring, 1);
  if (!group) stop(group.error());
  const auto factory = make_storage_factory(local_files(), IoMode::kDirect, path, 1);
  Totals totals;
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  (*group)->run(
      [&](unsigned, Reactor& reactor) {
        storage = factory(reactor);
        pool = std::make_unique<BufferPool>(
            reactor, BufferPoolOptions{bytes + storage->slack_bytes(), depth, true});
        if (files)
          reactor.spawn(run_files(*storage, *pool, path, bytes, depth, totals));
        else
          reactor.spawn(run_random(*storage, *pool, path, bytes, depth, seconds, totals));
      },
      [&](unsigned) {
        pool.reset();
        storage.reset();
      },
      {});
  fmt::print(
      "{{\"bytes\": {}, \"seconds\": {:.6f}, \"cpu_seconds\": {:.6f}, \"operations\": {}}}\n",
      totals.bytes, to_seconds(totals.end - totals.begin), totals.cpu_end - totals.cpu_begin,
      totals.operations);
  return totals.operations > 0 ? 0 : 1;
}

int self_test() {
  char directory[] = "storage_bench_XXXXXX";
  if (mkdtemp(directory) == nullptr) return 3;
  const std::string file = std::string(directory) + "/file";
  std::FILE* out = std::fopen(file.c_str(), "w");
  for (int i = 0; i < 65536; ++i) std::fputs("0123456789abcdef", out);
  std::fclose(out);
  const int random = measure(false, file, 4096, 8, 0.05);
  const int whole = measure(true, directory, 65536, 2, 0);
  unlink(file.c_str());
  rmdir(directory);
  return random + whole;
}

}  // namespace
}  // namespace feedrate

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "selftest") return feedrate::self_test();
  const bool files = mode == "files" && argc == 5;
  if (!files && !(mode == "random" && argc == 6)) {
    std::fputs(
        "usage: storage_bench random FILE BLOCK DEPTH SECONDS | files DIR BYTES DEPTH | selftest\n",
        stderr);
    return 2;
  }
  return feedrate::measure(files, argv[2], std::strtoull(argv[3], nullptr, 10),
                           std::strtoull(argv[4], nullptr, 10), files ? 0 : std::atof(argv[5]));
}

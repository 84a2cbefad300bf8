#include "feedrate/checkpoint/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "feedrate/runtime/barrier.h"
#include "feedrate/storage/stream_reader.h"

namespace feedrate {
namespace {

// Limits the buffers of one reactor.
constexpr std::uint64_t kPoolBytesMax = std::uint64_t{512} << 20U;
// Limits the addresses where no page is touched, so that no memory is used.
constexpr std::uint64_t kAddressesMax = std::uint64_t{1} << 40U;

struct Worker {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  Histogram read_latency;
};

struct Loading {
  const LoadJob& job;
  CheckpointProgress& progress;
  Barrier barrier;
  Instant begin{};
  std::mutex mutex = {};
  std::optional<Error> error = {};
  std::atomic<bool> failed = false;
  std::atomic<std::uint64_t> bytes = 0;
  LoadSummary summary = {};

  void record(const Error& problem) {
    const std::lock_guard lock(mutex);
    if (!error) error = problem;
    failed = true;
  }
};

Task<Result<>> read_file(Worker& worker, Loading& loading, const FilePlan& plan) {
  const LoadJob& job = loading.job;
  const std::string path = fmt::format("{}/{}", job.directory, plan.path);
  std::vector<FileHandle> files;
  Result<FileHandle> opened = co_await worker.storage->open(path, OpenMode::kRead);
  if (!opened) co_return fail(opened.error());
  files.push_back(std::move(*opened));
  std::vector<StreamRead> reads;
  for (std::uint64_t at = 0; at < plan.bytes; at += job.block_bytes)
    reads.push_back({0, plan.begin + at, std::min(job.block_bytes, plan.bytes - at)});
  StreamReader reader(*worker.storage, *worker.pool, files, reads, {job.at_once, 2},
                      [&worker, &loading](std::uint64_t bytes, Duration latency) {
                        loading.bytes += bytes;
                        loading.progress.bytes_done += bytes;
                        worker.read_latency.record(static_cast<std::uint64_t>(latency.count()));
                      });
  Result<> outcome;
  while (!loading.failed) {
    auto block = co_await reader.next();
    if (!block) outcome = fail(block.error());
    if (!block || !*block) break;
  }
  co_await reader.finish();
  const Result<> closed = co_await worker.storage->close(std::move(files[0]));
  if (outcome) outcome = closed;
  co_return outcome;
}

Task<> read_rank(Worker& worker, Loading& loading, std::size_t index, Semaphore& done) {
  const std::size_t ranks = loading.job.ranks.size();
  for (const FilePlan& plan : loading.job.ranks[index % ranks].files) {
    if (loading.failed) break;
    const Result<> outcome = co_await read_file(worker, loading, plan);
    if (!outcome) loading.record(outcome.error());
  }
  const Duration ready = worker.storage->reactor().refresh_now() - loading.begin;
  {
    const std::lock_guard lock(loading.mutex);
    Duration& replica = loading.summary.ready[index / ranks];
    replica = std::max(replica, ready);
  }
  done.release(1);
}

Task<> run_reactor(unsigned index, unsigned reactors, Worker& worker, Loading& loading) {
  Reactor& reactor = worker.storage->reactor();
  co_await loading.barrier.arrive(reactor,
                                  [&loading, &reactor] { loading.begin = reactor.refresh_now(); });
  Semaphore done(reactor, 0);
  std::uint64_t mine = 0;
  const std::size_t readers = loading.job.ranks.size() * loading.job.replicas;
  for (std::size_t reader = index; reader < readers; reader += reactors, ++mine)
    reactor.spawn(read_rank(worker, loading, reader, done));
  const bool joined = co_await done.acquire(mine);
  FEEDRATE_ASSERT(joined);
}

}  // namespace

Result<LoadSummary> load_files(ReactorGroup& group, const StorageFactory& storage,
                               const LoadJob& job, CheckpointProgress& progress,
                               const std::stop_token& stop) {
  Loading loading{job, progress, {group.size(), [] {}}};
  loading.summary.ready.resize(job.replicas);
  for (const RankFiles& rank : job.ranks)
    for (const FilePlan& file : rank.files) progress.bytes_total += job.replicas * file.bytes;
  std::vector<Worker> workers(group.size());
  group.run(
      [&](unsigned index, Reactor& reactor) {
        Worker& worker = workers[index];
        worker.storage = storage(reactor);
        const std::size_t block = job.block_bytes + worker.storage->slack_bytes();
        const bool data = worker.storage->carries_data();
        const StreamReaderOptions reads{job.at_once, 2};
        const std::uint64_t readers = job.ranks.size() * job.replicas;
        const std::uint64_t mine =
            readers / group.size() + (index < readers % group.size() ? 1 : 0);
        const std::uint64_t wanted = mine * reads.buffers() + 1;
        const std::uint64_t affordable = std::max<std::uint64_t>(
            reads.buffers() + 1, (data ? kPoolBytesMax : kAddressesMax) / block);
        if (mine > 0)
          worker.pool = std::make_unique<BufferPool>(
              reactor, BufferPoolOptions{block, std::min(wanted, affordable), data});
        reactor.spawn(run_reactor(index, group.size(), worker, loading));
      },
      [&](unsigned index) {
        const std::lock_guard lock(loading.mutex);
        loading.summary.read_latency.merge(workers[index].read_latency);
        workers[index].pool.reset();
        workers[index].storage.reset();
      },
      stop);
  if (loading.error) return fail(*loading.error);
  loading.summary.bytes = loading.bytes;
  return std::move(loading.summary);
}

}  // namespace feedrate

#include "feedrate/checkpoint/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/chain.h"
#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/range_checker.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/runtime/barrier.h"
#include "feedrate/runtime/sync.h"

namespace feedrate {
namespace {

constexpr std::size_t kPoolBytesMax = std::size_t{512} << 20U;  // of a reactor's buffers
constexpr std::size_t kRanksAtOnce = 8;  // of one reactor, with buffers of their own
// What is there is looked at again a few times, while others may be writing and removing.
constexpr int kLooksInVain = 3;
constexpr int kTriesAgain = 2;
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

struct Worker {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<BufferPool> pool;
  Histogram read_latency;
};

// A file of the checkpoint that is read: all of it or, for another topology, parts of its pieces.
struct RestoreStream {
  std::size_t rank = 0, file = 0;  // Indexes of the checkpoint's rank and of the file in it.
  std::vector<PieceRange> ranges;  // Empty where all of the file is read.
};
struct RestoreRank {
  std::uint64_t rank = 0;
  std::vector<RestoreStream> streams;
};

// A step and the directory that it is in.
struct Candidate {
  std::uint64_t step = 0;
  const std::string* directory = nullptr;
  bool operator==(const Candidate&) const = default;
};

struct Restoring {
  const CheckpointRestoreJob& job;
  CheckpointProgress& progress;
  Barrier barrier;
  std::atomic<bool> damaged = false;  // Whether the one that is being read is damaged.
  std::atomic<std::uint64_t> bytes = 0;
  std::mutex mutex = {};
  // The first says what is wrong with that one, the second ends the whole restore.
  std::optional<Error> problem = {}, error = {};
  std::vector<Candidate> candidates = {};  // The newest comes last.
  std::vector<Candidate> others = {};      // The steps that were not asked for.
  std::vector<Candidate> tried = {};
  // The last candidate again, of which a file was not there.
  std::optional<SkippedCheckpoint> lacking = {};
  // Those of `others` that look whole without being read.
  std::vector<std::uint64_t> others_whole = {};
  // The one that is being read; not set when there is nothing left to read.
  std::optional<CheckpointChain> chain = {};
  const std::string* directory = nullptr;
  std::vector<RestoreRank> ranks = {};
  std::exception_ptr no_buffers = {};
  std::vector<RankTime> times = {};
  Instant begin{};
  bool whole = false;
  CheckpointRestoreSummary summary = {};

  void damage(const Error& why) {
    const std::lock_guard lock(mutex);
    if (!problem) problem = why;
    damaged = true;
  }
};

Task<Result<>> check_length(Worker& worker, const std::string& path, std::uint64_t bytes) {
  const Result<FileStatus> status = co_await worker.storage->stat(path);
  if (!status) co_return fail(status.error());
  if (status->bytes < bytes)
    co_return fail(ErrorKind::kCorrupt, fmt::format("{}: it has {} B, {} B belong to it",
                                                    quote_path(path), status->bytes, bytes));
  co_return Result<>{};
}

Task<Result<>> open_all(Worker& worker, const Restoring& restoring, const Gather& gather,
                        std::vector<FileHandle>& files) {
  for (const Gather::File& file : gather.files) {
    const std::string path = fmt::format("{}/{}", *restoring.directory, file.path);
    const Result<> long_enough = co_await check_length(worker, path, file.end);
    if (!long_enough) co_return long_enough;
    Result<FileHandle> opened = co_await worker.storage->open(path, OpenMode::kRead);
    if (!opened) co_return fail(opened.error());
    files.push_back(std::move(*opened));
  }
  co_return Result<>{};
}

Gather gather_of(const Restoring& restoring, const RestoreStream& stream) {
  const std::uint64_t block = restoring.job.block_bytes;
  if (stream.ranges.empty()) return restoring.chain->file(stream.rank, stream.file, block);
  Gather gather;
  for (const PieceRange& range : stream.ranges)
    restoring.chain->add_piece(range.place, range.offset, range.length, block, gather);
  return gather;
}

// Reads a stream and hands its bytes, in order, to the checker.
Task<Result<>> check_all(Worker& worker, Restoring& restoring, const RestoreStream& stream,
                         const std::vector<FileHandle>& files, const Gather& gather) {
  const CheckpointManifest& manifest = restoring.chain->newest();
  FileChecker whole(manifest.ranks[stream.rank].files[stream.file]);
  RangeChecker part(manifest, stream.ranges);
  StreamReader reader(*worker.storage, *worker.pool, files, gather.reads,
                      {restoring.job.reads_at_once, 2},
                      [&worker, &restoring](std::uint64_t bytes, Duration latency) {
                        restoring.bytes += bytes;
                        restoring.progress.bytes_done += bytes;
                        worker.read_latency.record(static_cast<std::uint64_t>(latency.count()));
                      });
  Result<> outcome;
  while (outcome && !restoring.damaged) {
    auto block = co_await reader.next();
    if (!block) outcome = fail(block.error());
    if (!block || !*block) break;
    if (!restoring.job.verify) continue;
    // Yields to the reactor between slices, so that reads which are done get successors while
    // checking goes on.
    std::span<const std::byte> rest = (*block)->bytes;
    while (outcome && !rest.empty()) {
      co_await worker.storage->reactor().yield();
      const std::span<const std::byte> slice = rest.first(std::min(kTurnBytes, rest.size()));
      rest = rest.subspan(slice.size());
      outcome = stream.ranges.empty() ? whole.consume(slice) : part.consume(slice);
    }
  }
  co_await reader.finish();
  if (outcome && !restoring.damaged && restoring.job.verify && stream.ranges.empty())
    outcome = whole.finish();
  co_return outcome;
}

Task<Result<>> read_stream(Worker& worker, Restoring& restoring, const RestoreStream& stream,
                           std::uint64_t& bytes) {
  const Gather gather = gather_of(restoring, stream);
  bytes += gather.bytes();
  std::vector<FileHandle> files;
  Result<> outcome = co_await open_all(worker, restoring, gather, files);
  if (outcome) outcome = co_await check_all(worker, restoring, stream, files, gather);
  for (FileHandle& file : files) {
    const Result<> closed = co_await worker.storage->close(std::move(file));
    if (outcome) outcome = closed;
  }
  co_return outcome;
}

Task<> read_rank(Worker& worker, Restoring& restoring, std::size_t index, Semaphore& done) {
  Reactor& reactor = worker.storage->reactor();
  const RestoreRank& rank = restoring.ranks[index];
  RankTime time{rank.rank, 0, {}};
  const Instant begin = reactor.refresh_now();
  for (const RestoreStream& stream : rank.streams) {
    if (restoring.damaged) break;
    std::uint64_t bytes = 0;
    Result<> outcome = co_await read_stream(worker, restoring, stream, bytes);
    // One error of the storage does not make a good checkpoint bad.
    for (int tries = 0; tries < kTriesAgain && !outcome && outcome.error().kind() == ErrorKind::kIo;
         ++tries) {
      bytes = 0;
      outcome = co_await read_stream(worker, restoring, stream, bytes);
    }
    time.bytes += bytes;
    if (!outcome) restoring.damage(outcome.error());
  }
  time.elapsed = reactor.refresh_now() - begin;
  restoring.times[index] = time;
  done.release(1);
}

Task<Result<>> find_in(Worker& worker, const std::string& directory,
                       std::vector<Candidate>& candidates) {
  CheckpointStore store(*worker.storage, directory);
  const Result<> ours = co_await store.require();
  if (!ours) co_return ours;
  const auto steps = co_await store.steps();
  if (!steps) co_return fail(steps.error());
  for (const std::uint64_t step : *steps) candidates.push_back({step, &directory});
  co_return Result<>{};
}

// Finds all checkpoints, or the one that is asked for. With two levels the node-local copy of a
// step comes last, so that it is tried first.
Task<Result<>> find_candidates(Worker& worker, Restoring& restoring) {
  const CheckpointRestoreJob& job = restoring.job;
  std::vector<Candidate>& found = restoring.candidates;
  Result<> ours = co_await find_in(worker, job.directory, found);
  if (!ours) co_return ours;
  if (!job.local.empty()) {
    ours = co_await find_in(worker, job.local, found);
    // A node that is new has no directory of ours.
    if (!ours && ours.error().kind() != ErrorKind::kNotFound) co_return ours;
  }
  // A stable sort leaves the node-local copy of a step behind the shared one, and candidates are
  // taken from the end.
  std::ranges::stable_sort(found, {}, &Candidate::step);
  if (!job.step) co_return Result<>{};
  const auto asked = std::ranges::stable_partition(
      found, [&job](const Candidate& each) { return each.step == *job.step; });
  restoring.others.assign(asked.begin(), asked.end());
  found.erase(asked.begin(), asked.end());
  if (!found.empty()) co_return Result<>{};
  std::vector<std::uint64_t> steps;
  for (const Candidate& other : restoring.others) steps.push_back(other.step);
  co_return fail(
      ErrorKind::kNotFound,
      fmt::format("--step: {} has no checkpoint of step {}", quote_path(job.directory), *job.step),
      steps.empty() ? "there is none" : fmt::format("it has {}", fmt::join(steps, ", ")));
}

// Returns whether a step is whole, judged by its manifests, by those it builds upon, and by the
// lengths of its files. The bytes are not read.
Task<bool> looks_whole(Worker& worker, const Restoring& restoring, const Candidate& candidate) {
  CheckpointStore store(*worker.storage, *candidate.directory);
  const Result<CheckpointChain> chain = co_await load_chain(store, candidate.step);
  if (!chain) co_return false;
  const std::vector<RankRecord>& ranks = chain->newest().ranks;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank)
    for (std::size_t file = 0; file < ranks[rank].files.size(); ++file) {
      const Gather gather = chain->file(rank, file, restoring.job.block_bytes);
      for (const Gather::File& part : gather.files) {
        const std::string path = fmt::format("{}/{}", *candidate.directory, part.path);
        const Result<> long_enough = co_await check_length(worker, path, part.end);
        if (!long_enough) co_return false;
      }
    }
  co_return true;
}

// Called when the step that was asked for is damaged: finds the steps that could be restored
// instead.
Task<> look_at_others(Worker& worker, Restoring& restoring) {
  for (const Candidate& other : restoring.others) {
    const bool whole = co_await looks_whole(worker, restoring, other);
    std::vector<std::uint64_t>& known = restoring.others_whole;
    if (whole && std::ranges::find(known, other.step) == known.end()) known.push_back(other.step);
  }
}

// Plans that each rank reads what it wrote.
std::vector<RestoreRank> same_topology(const CheckpointManifest& manifest) {
  std::vector<RestoreRank> ranks;
  for (std::size_t rank = 0; rank < manifest.ranks.size(); ++rank) {
    RestoreRank& restore = ranks.emplace_back();
    restore.rank = manifest.ranks[rank].rank;
    for (std::size_t file = 0; file < manifest.ranks[rank].files.size(); ++file)
      restore.streams.push_back({rank, file, {}});
  }
  return ranks;
}

// Returns a stream for each file of the checkpoint that has something of what the rank needs.
std::vector<RestoreStream> streams_of(const RankNeeds& need) {
  std::vector<RestoreStream> streams;
  for (const PieceRange& range : need.ranges) {
    const bool same = !streams.empty() && streams.back().rank == range.place.rank &&
                      streams.back().file == range.place.file;
    if (!same) streams.push_back({range.place.rank, range.place.file, {}});
    streams.back().ranges.push_back(range);
  }
  return streams;
}

Result<std::vector<RestoreRank>> other_topology(const CheckpointRestoreJob& job,
                                                const CheckpointManifest& manifest,
                                                CheckpointRestoreSummary& summary) {
  FEEDRATE_TRY(summary.topology, job.topology(manifest));
  FEEDRATE_CHECK(check_reshape(manifest, summary.topology, job.weights_only));
  FEEDRATE_TRY(const ModelShape model, job.model(manifest));
  FEEDRATE_TRY(const std::vector<RankNeeds> needs, reshape(manifest, scaled(model, manifest.scale),
                                                           summary.topology, job.weights_only));
  summary.other_topology = true;
  std::vector<RestoreRank> ranks;
  summary.needed_bytes = 0;
  for (std::uint64_t replica = 0; replica < job.replicas; ++replica)
    for (const RankNeeds& need : needs) {
      summary.needed_bytes += need.needed_bytes;
      ranks.push_back({replica * needs.size() + need.rank, streams_of(need)});
    }
  return ranks;
}

Result<> plan_ranks(Restoring& restoring) {
  const CheckpointManifest& manifest = restoring.chain->newest();
  restoring.summary.topology = manifest.parallelism;
  if (restoring.job.topology) {
    FEEDRATE_TRY(restoring.ranks, other_topology(restoring.job, manifest, restoring.summary));
  } else {
    restoring.ranks = same_topology(manifest);
    restoring.summary.needed_bytes = manifest.bytes();
  }
  restoring.times.assign(restoring.ranks.size(), {});
  return {};
}

// A writer or compact beside this restore may have removed what was listed, after a newer one was
// whole. So what is there is listed again when nothing is left to try; a listing may miss a name
// that is made meanwhile, so one that finds nothing new is not believed at once. Returns false when
// there is nothing more to try.
Task<bool> look_again(Worker& worker, Restoring& restoring) {
  if (restoring.job.step) co_return false;
  for (int looks = 0; looks < kLooksInVain; ++looks) {
    restoring.candidates.clear();
    const Result<> found = co_await find_candidates(worker, restoring);
    if (!found) restoring.error = found.error();
    if (!found) co_return false;
    // What was removed on purpose is no damage.
    std::erase_if(restoring.summary.skipped, [&restoring](const SkippedCheckpoint& each) {
      return std::ranges::find(restoring.candidates, each.step, &Candidate::step) ==
             restoring.candidates.end();
    });
    std::erase_if(restoring.candidates, [&restoring](const Candidate& each) {
      return std::ranges::find(restoring.tried, each) != restoring.tried.end();
    });
    if (!restoring.candidates.empty()) co_return true;
    co_await worker.storage->reactor().sleep_for(kLookAgain);
  }
  co_return false;
}

// Loads a step's manifests. An error of the storage may pass, and a compact may have replaced one
// of them meanwhile, so that the first error is not taken for damage.
Task<Result<CheckpointChain>> load(Worker& worker, const Candidate& candidate) {
  CheckpointStore store(*worker.storage, *candidate.directory);
  Result<CheckpointChain> chain = co_await load_chain(store, candidate.step);
  for (int tries = 0;
       tries < kTriesAgain && !chain && chain.error().kind() != ErrorKind::kCancelled; ++tries) {
    co_await worker.storage->reactor().sleep_for(kLookAgain);
    chain = co_await load_chain(store, candidate.step);
  }
  co_return chain;
}

// Chooses the newest candidate that is left and whose manifests can be read.
Task<> choose(Worker& worker, Restoring& restoring) {
  const std::optional<CheckpointChain> before = std::exchange(restoring.chain, std::nullopt);
  while (true) {
    if (restoring.candidates.empty()) {
      const bool more = co_await look_again(worker, restoring);
      if (!more) break;
    }
    const Candidate candidate = restoring.candidates.back();
    restoring.candidates.pop_back();
    restoring.tried.push_back(candidate);
    Result<CheckpointChain> chain = co_await load(worker, candidate);
    // A read that a stop cancelled says nothing about damage.
    if (!chain && chain.error().kind() == ErrorKind::kCancelled) {
      restoring.error = chain.error();
      break;
    }
    const std::optional<SkippedCheckpoint> lacking = std::exchange(restoring.lacking, std::nullopt);
    if (!chain) {
      restoring.summary.skipped.push_back({candidate.step, chain.error().message()});
      continue;
    }
    if (lacking && chain->steps() == before->steps() && chain->newest() == before->newest()) {
      restoring.summary.skipped.push_back(*lacking);
      continue;
    }
    restoring.chain = std::move(*chain);
    restoring.directory = candidate.directory;
    const Result<> planned = plan_ranks(restoring);
    if (!planned) restoring.error = planned.error();
    restoring.progress.bytes_total = restoring.summary.needed_bytes;
    restoring.progress.bytes_done = 0;
    restoring.bytes = 0;
    break;
  }
}

// Called after all ranks have read one: notes that it is restored, or why it is skipped.
void conclude(Worker& worker, Restoring& restoring) {
  const std::uint64_t step = restoring.chain->newest().step;
  if (!restoring.damaged) {
    CheckpointRestoreSummary& summary = restoring.summary;
    restoring.whole = true;
    summary.elapsed = worker.storage->reactor().refresh_now() - restoring.begin;
    summary.ranks = restoring.times;
    summary.bytes = restoring.bytes;
    summary.directory = *restoring.directory;
    summary.steps_read = restoring.chain->steps();
    return;
  }
  // A read that a stop cancelled ends the restore: trying an older one would take the wrong step.
  if (restoring.problem->kind() == ErrorKind::kCancelled) restoring.error = *restoring.problem;
  SkippedCheckpoint skipped{step, restoring.problem->message()};
  // A compact beside this restore removes files after it has replaced the manifest that named them.
  if (restoring.problem->kind() == ErrorKind::kNotFound) {
    restoring.candidates.push_back({step, restoring.directory});
    restoring.lacking = std::move(skipped);
  } else {
    restoring.summary.skipped.push_back(std::move(skipped));
  }
  restoring.problem.reset();
  restoring.damaged = false;
}

// Makes the buffers for the `ranks` that this reactor reads. Where there are many ranks, some wait
// for the buffers of others.
void make_buffers(std::size_t ranks, Worker& worker, Restoring& restoring) {
  if (ranks == 0) return;
  const StreamReaderOptions reads{restoring.job.reads_at_once, 2};
  const std::size_t block = restoring.job.block_bytes + worker.storage->slack_bytes();
  // One rank's stream must have all of its buffers; further ranks wait for each other's.
  const std::size_t affordable = std::max<std::size_t>(reads.buffers() + 1, kPoolBytesMax / block);
  const std::size_t blocks =
      std::min(std::min(kRanksAtOnce, ranks) * reads.buffers() + 1, affordable);
  if (worker.pool && worker.pool->blocks() >= blocks) return;
  try {
    worker.pool.reset();
    worker.pool = std::make_unique<BufferPool>(
        worker.storage->reactor(),
        BufferPoolOptions{block, blocks, worker.storage->carries_data()});
  } catch (const NoBuffers&) {
    const std::lock_guard lock(restoring.mutex);
    restoring.no_buffers = std::current_exception();
  }
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
    if (restoring.error || restoring.whole || !restoring.chain) break;
    const std::size_t ranks = restoring.ranks.size();
    const std::size_t mine = ranks / reactors + (index < ranks % reactors ? 1 : 0);
    make_buffers(mine, worker, restoring);
    // The time starts when all have their buffers.
    co_await restoring.barrier.arrive(reactor, [&] { restoring.begin = reactor.refresh_now(); });
    if (restoring.no_buffers) break;
    Semaphore done(reactor, 0);
    for (std::size_t rank = index; rank < ranks; rank += reactors)
      reactor.spawn(read_rank(worker, restoring, rank, done));
    const bool joined = co_await done.acquire(mine);
    FEEDRATE_ASSERT(joined);
    co_await restoring.barrier.arrive(reactor, [] {});
    if (index == 0) conclude(worker, restoring);
  }
  if (index == 0 && !restoring.error && !restoring.whole && !restoring.no_buffers)
    co_await look_at_others(worker, restoring);
}

Error damaged_step(const Restoring& restoring) {
  std::vector<std::string> reasons;
  for (const SkippedCheckpoint& skipped : restoring.summary.skipped)
    reasons.push_back(skipped.reason);
  const std::vector<std::uint64_t>& whole = restoring.others_whole;
  return {ErrorKind::kCorrupt,
          fmt::format("--step: {} has step {}, but it is damaged: {}",
                      quote_path(restoring.job.directory), *restoring.job.step,
                      fmt::join(reasons, "; ")),
          whole.empty() ? "no other step there has all its files: write one with "
                          "'feedrate checkpoint'"
                        : fmt::format("by their manifests and file sizes these steps are whole: "
                                      "{}; leave out --step to restore the newest",
                                      fmt::join(whole, ", "))};
}

Error nothing_whole(const Restoring& restoring) {
  if (restoring.job.step) return damaged_step(restoring);
  std::string message =
      fmt::format("{} has no whole checkpoint", quote_path(restoring.job.directory));
  for (const SkippedCheckpoint& skipped : restoring.summary.skipped)
    message += fmt::format("; step {}: {}", skipped.step, skipped.reason);
  return {ErrorKind::kNotFound, message, "write one with 'feedrate checkpoint'"};
}

}  // namespace

Result<CheckpointRestoreSummary> restore_checkpoint(ReactorGroup& group,
                                                    const StorageFactory& storage,
                                                    const CheckpointRestoreJob& job,
                                                    CheckpointProgress& progress,
                                                    const std::stop_token& stop) {
  Restoring restoring{job, progress, {group.size(), [] {}}};
  std::vector<Worker> workers(group.size());
  group.run(
      [&](unsigned index, Reactor& reactor) {
        Worker& worker = workers[index];
        worker.storage = storage(reactor);
        reactor.spawn(run_reactor(index, group.size(), worker, restoring));
      },
      [&](unsigned index) {
        const std::lock_guard lock(restoring.mutex);
        restoring.summary.read_latency.merge(workers[index].read_latency);
        workers[index].pool.reset();
        workers[index].storage.reset();
      },
      stop);
  if (restoring.no_buffers) std::rethrow_exception(restoring.no_buffers);
  if (restoring.error) return fail(*restoring.error);
  if (!restoring.whole) return fail(nothing_whole(restoring));
  restoring.summary.manifest = restoring.chain->newest();
  return std::move(restoring.summary);
}

}  // namespace feedrate

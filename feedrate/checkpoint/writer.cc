#include "feedrate/checkpoint/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "feedrate/base/text.h"
#include "feedrate/checkpoint/chain.h"
#include "feedrate/checkpoint/data_files.h"
#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/storage/stream_reader.h"

namespace feedrate {
namespace {

// Limits the buffers of one writer.
constexpr std::uint64_t kPoolBytesMax = std::uint64_t{512} << 20U;
// Limits the addresses where no page is touched, so that no memory is used.
constexpr std::uint64_t kAddressesMax = std::uint64_t{1} << 40U;

std::uint64_t total_bytes(const std::vector<FilePlan>& files) {
  std::uint64_t sum = 0;
  for (const FilePlan& file : files) sum += file.bytes;
  return sum;
}
std::uint64_t total_bytes(const std::vector<RankFiles>& ranks) {
  std::uint64_t sum = 0;
  for (const RankFiles& rank : ranks) sum += total_bytes(rank.files);
  return sum;
}

std::string changed_path(std::uint64_t rank) {
  return fmt::format("{}/{}", rank_folder(rank), kChangedFile);
}

// Returns whether `parent` has the same files with the same pieces, so that its blocks can be built
// upon.
bool fits(const CheckpointManifest& parent, const CheckpointManifest& head,
          const std::vector<RankFiles>& ranks) {
  if (parent.layout != head.layout || parent.sum_block_bytes != head.sum_block_bytes ||
      parent.ranks.size() != ranks.size())
    return false;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const std::vector<FileRecord>& before = parent.ranks[rank].files;
    const std::vector<FilePlan>& now = ranks[rank].files;
    const bool same = std::ranges::equal(before, now, [](const FileRecord& a, const FilePlan& b) {
      return a.path == b.path && a.begin == b.begin && a.bytes == b.bytes &&
             std::ranges::equal(a.pieces, b.pieces, {}, &PieceRecord::placed);
    });
    if (parent.ranks[rank].rank != ranks[rank].rank || !same) return false;
  }
  return true;
}

}  // namespace

CheckpointWriting::CheckpointWriting(const CheckpointWriteJob& job, unsigned writers,
                                     CheckpointProgress& progress)
    : job_(job),
      progress_(progress),
      writers_(writers),
      front_(writers,
             [this] {
               over_ = failed_ || stopping_;
               if (std::exchange(front_arrived_, 0) < writers_) over_ = true;
             }),
      back_(writers, [this] {
        // A writer has left with its ranks unwritten.
        if (std::exchange(back_arrived_, 0) < writers_)
          record(Error(ErrorKind::kCancelled, "interrupted"));
      }) {
  FEEDRATE_ASSERT(job.layout != nullptr && job.step_stride > 0 && job.block_bytes % 4096 == 0);
  FEEDRATE_ASSERT(job.data.empty() || job.layout->name() == "raw");
  records_.resize(job.data.empty() ? job.ranks.size() : job.data_ranks);
  times_.resize(records_.size());
  if (job.write_bytes_per_second > 0) pacer_.emplace(job.write_bytes_per_second);
  for (const auto& [rank, rate] : job.slow_ranks) slow_.try_emplace(rank, rate);
}

void CheckpointWriting::record(const Error& problem) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = problem;
  failed_ = true;
}

CheckpointWriter::CheckpointWriter(CheckpointWriting& all, unsigned index, Reactor& reactor,
                                   std::unique_ptr<Storage> storage, std::unique_ptr<Storage> local)
    : all_(all),
      index_(index),
      reactor_(reactor),
      storage_(std::move(storage)),
      local_(std::move(local)),
      behind_(reactor, 1) {
  const std::uint64_t ranks = mine(all.records_.size());
  if (ranks == 0) return;
  const bool data = storage_->carries_data();
  const std::size_t slack =
      std::max(storage_->slack_bytes(), local_ ? local_->slack_bytes() : std::size_t{0});
  // Where storage carries no data, buffers need no room; but copies from one level to the other
  // hold sizes in buffers even then.
  const std::size_t block = data || two_levels() ? all.job_.block_bytes + slack : kBufferAlignment;
  const StreamReaderOptions copies{all.job_.writes_at_once, 2};
  const std::uint64_t wanted = ranks * (copies.buffers() + 1) + 1;
  // Fewer buffers than wanted are enough: a stream waits when all are taken, and never holds one
  // that it cannot use.
  const std::uint64_t affordable =
      std::max<std::uint64_t>(copies.buffers() + 2, (data ? kPoolBytesMax : kAddressesMax) / block);
  pool_ = std::make_unique<BufferPool>(
      reactor, BufferPoolOptions{block, std::min(wanted, affordable), data});
}

CheckpointWriter::~CheckpointWriter() {
  const std::lock_guard lock(all_.mutex_);
  all_.summary_.write_latency.merge(write_latency_);
  all_.summary_.sync_latency.merge(sync_latency_);
  for (const auto& [rank, memory] : memories_) all_.summary_.snapshot_bytes += memory.bytes();
}

CheckpointWriter::Level CheckpointWriter::first() const {
  if (two_levels()) return {*local_, all_.job_.local};
  return {*storage_, all_.job_.directory};
}

// Returns the number of this writer's ranks; ranks are dealt out in turn.
std::uint64_t CheckpointWriter::mine(std::uint64_t ranks) const {
  return ranks / all_.writers_ + (index_ < ranks % all_.writers_ ? 1 : 0);
}

Task<> CheckpointWriter::arrive_front() {
  CheckpointWriting& all = all_;
  Reactor& reactor = reactor_;
  co_await all.front_.arrive(reactor, [&all, &reactor] {
    ++all.front_arrived_;
    all.stopping_ |= reactor.stopping();
  });
}
Task<> CheckpointWriter::arrive_back() {
  CheckpointWriting& all = all_;
  co_await all.back_.arrive(reactor_, [&all] { ++all.back_arrived_; });
}

Task<> CheckpointWriter::start() {
  if (leads()) {
    all_.next_step_ = all_.job_.head.step;
    if (all_.job_.data.empty() && all_.job_.head.sum_block_bytes == 0)
      all_.progress_.bytes_total = total_bytes(all_.job_.ranks) * all_.job_.count;
    Result<> started;
    if (two_levels() && local_->carries_data() != storage_->carries_data())
      started = fail(ErrorKind::kUsage, "--local-storage: one of the two levels moves no data",
                     "use storage that does, or none, for both");
    for (const Storage* level : {storage_.get(), local_.get()})
      if (started && level != nullptr) started = check_layout(*level);
    if (started) started = co_await start_level(first());
    if (started && two_levels()) started = co_await start_level(shared());
    if (!started) all_.record(started.error());
  }
  if (all_.job_.asynchronous && all_.job_.data.empty() && storage_->carries_data()) {
    const Result<> made = make_memories();
    if (!made) all_.record(made.error());
  }
  co_await arrive_front();
}

// Fails where several ranks write into one file and the storage cannot put the parts of a file
// together.
Result<> CheckpointWriter::check_layout(const Storage& storage) const {
  if (storage.facts().append) return {};
  for (const RankFiles& rank : all_.job_.ranks)
    for (const FilePlan& file : rank.files)
      if (file.shared)
        return fail(ErrorKind::kUsage,
                    fmt::format("--layout: the ranks of '{}' write into one file, and {} storage "
                                "takes a file as a whole only",
                                all_.job_.head.layout, storage.name()),
                    "use another layout, such as safetensors");
  return {};
}

// Returns whether a step and all that it builds upon have their files, as long as they must be.
Task<bool> CheckpointWriter::is_there(CheckpointStore& kept, std::uint64_t step) {
  auto chain = co_await load_chain(kept, step);
  if (!chain) co_return false;
  for (std::size_t rank = 0; rank < chain->newest().ranks.size(); ++rank)
    for (std::size_t file = 0; file < chain->newest().ranks[rank].files.size(); ++file) {
      const Gather gather = chain->file(rank, file, all_.job_.block_bytes);
      for (const Gather::File& each : gather.files) {
        const std::string path = fmt::format("{}/{}", kept.directory(), each.path);
        const Result<FileStatus> status = co_await kept.storage().stat(path);
        if (!status || status->bytes < each.end) co_return false;
      }
    }
  co_return true;
}

// Steps go on after those that are there.
Task<Result<>> CheckpointWriter::start_level(Level level) {
  if (!level.storage.carries_data()) co_return Result<>{};  // Nothing is kept there.
  CheckpointStore kept = store(level);
  Result<DirectoryClaim> prepared = co_await kept.prepare();
  if (!prepared) co_return fail(prepared.error());
  claims_.push_back(std::move(*prepared));
  const auto steps = co_await kept.steps();
  if (!steps) co_return fail(steps.error());
  // Where copying the newest step to the shared level was interrupted, nothing may build upon it:
  // its copy would lack its parent.
  const bool copies = &level.storage != &first().storage;
  if (copies && all_.parent_ && !std::ranges::binary_search(*steps, all_.parent_->step))
    all_.parent_.reset();
  if (steps->empty()) co_return Result<>{};
  all_.next_step_ = std::max(all_.next_step_, steps->back() + all_.job_.step_stride);
  // Collects which step builds upon which, and the checksums to compare with. Nothing builds upon a
  // damaged one.
  for (const std::uint64_t step : *steps) {
    Result<CheckpointManifest> manifest = co_await kept.manifest(step);
    if (!manifest) continue;
    all_.parents_[step] = manifest->parent;
    const bool newest = step == steps->back() && !copies;
    if (newest && all_.job_.head.sum_block_bytes > 0) all_.parent_ = std::move(*manifest);
  }
  if (all_.parent_ && !copies) {
    const bool there = co_await is_there(kept, all_.parent_->step);
    if (!there) all_.parent_.reset();
  }
  co_return Result<>{};
}

Result<> CheckpointWriter::make_memories() {
  const std::vector<RankFiles>& ranks = all_.ranks();
  memories_.clear();
  for (std::size_t rank = index_; rank < ranks.size(); rank += all_.writers_) {
    FEEDRATE_TRY(RankMemory memory, RankMemory::make(ranks[rank].files));
    memories_.emplace(rank, std::move(memory));
  }
  return {};
}

// Reads the user's files as they are now into memory, where a job would have its state.
Task<> CheckpointWriter::load_data() {
  if (leads()) {
    const Result<> planned = co_await plan_data();
    if (!planned) all_.record(planned.error());
  }
  co_await arrive_front();
  const Result<> made = make_memories();
  if (!made) all_.record(made.error());
  for (std::size_t rank = index_; rank < all_.planned_.size(); rank += all_.writers_)
    for (std::size_t file = 0; file < all_.planned_[rank].files.size() && !all_.failed_; ++file) {
      const Result<> loaded = co_await load_file(rank, file);
      if (!loaded) all_.record(loaded.error());
    }
  co_await arrive_front();
}

Task<Result<>> CheckpointWriter::plan_data() {
  auto planned = co_await plan_data_files(*storage_, all_.job_.data, all_.job_.data_ranks);
  if (!planned) co_return fail(planned.error());
  // JSON holds only names in UTF-8, so that restored files would have other names.
  for (const RankFiles& rank : *planned)
    for (const FilePlan& file : rank.files)
      if (!is_utf8(file.path))
        co_return fail(ErrorKind::kUsage,
                       fmt::format("{}: its name is not UTF-8, and the manifest of a checkpoint "
                                   "cannot hold it",
                                   quote_path(file.path.substr(file.path.find('/') + 1))),
                       "rename the file");
  all_.planned_ = std::move(*planned);
  co_return Result<>{};
}

Task<Result<>> CheckpointWriter::load_file(std::size_t rank, std::size_t file) {
  const FilePlan& plan = all_.planned_[rank].files[file];
  if (plan.pieces.empty()) co_return Result<>{};
  const std::string path = fmt::format("{}/{}", all_.job_.data, plan.pieces[0].piece.name);
  std::vector<FileHandle> files;
  Result<FileHandle> opened = co_await storage_->open(path, OpenMode::kRead);
  if (!opened) co_return fail(opened.error());
  files.push_back(std::move(*opened));
  std::vector<StreamRead> reads;
  for (std::uint64_t at = 0; at < plan.bytes; at += all_.job_.block_bytes)
    reads.push_back({0, at, std::min(all_.job_.block_bytes, plan.bytes - at)});
  StreamReader reader(*storage_, *pool_, files, reads, {all_.job_.writes_at_once, 2},
                      [](std::uint64_t, Duration) {});
  std::byte* out = memories_.at(rank).piece(file, 0).data();
  Result<> outcome;
  while (outcome) {
    auto block = co_await reader.next();
    if (!block) outcome = fail(block.error());
    if (!block || !*block) break;
    std::memcpy(out, (*block)->bytes.data(), (*block)->bytes.size());
    out += (*block)->bytes.size();
  }
  co_await reader.finish();
  const Result<> closed = co_await storage_->close(std::move(files[0]));
  if (outcome) outcome = closed;
  co_return outcome;
}

// Called by the first writer, while the others wait at a barrier.
void CheckpointWriter::begin_current(Instant begin, Instant waited) {
  const CheckpointWriteJob& job = all_.job_;
  all_.begin_ = begin;
  WrittenCheckpoint& current = all_.current_ = {};
  current.step = all_.next_step_;
  all_.next_step_ += job.step_stride;
  current.bytes = total_bytes(all_.ranks());
  all_.summary_.files = 0;
  for (const RankFiles& rank : all_.ranks()) all_.summary_.files += rank.files.size();
  if (all_.summary_.begun++ > 0) current.waited = waited - begin;
  const bool sums = job.head.sum_block_bytes > 0;
  all_.incremental_ = sums && all_.parent_ && all_.parent_->increments < job.increments_max &&
                      fits(*all_.parent_, job.head, all_.ranks());
  if (all_.incremental_) current.parent = all_.parent_->step;
}

Task<bool> CheckpointWriter::checkpoint() {
  const Instant called = reactor_.refresh_now();
  const bool idle = co_await behind_.acquire(1);
  FEEDRATE_ASSERT(idle);
  co_await arrive_front();
  if (!all_.over_ && !all_.job_.data.empty()) co_await load_data();
  if (all_.over_) {
    behind_.release(1);
    co_return false;
  }
  const Instant now = reactor_.refresh_now();
  // Reading a user's files is not counted, since a real job has its state in memory already.
  if (leads()) begin_current(all_.job_.data.empty() ? called : now, now);
  co_await arrive_front();
  if (all_.job_.asynchronous)
    co_await snapshot();
  else
    co_await write_first();
  if (leads()) all_.current_.blocked = reactor_.refresh_now() - all_.begin_;
  const bool failed = all_.failed_;
  reactor_.spawn(write_behind());
  co_return !failed;
}

Task<> CheckpointWriter::snapshot() {
  const Instant begin = reactor_.refresh_now();
  const std::vector<RankFiles>& ranks = all_.ranks();
  std::uint64_t largest = 0;
  for (std::size_t rank = index_; rank < ranks.size(); rank += all_.writers_) {
    largest = std::max(largest, total_bytes(ranks[rank].files));
    const auto memory = memories_.find(rank);
    if (memory != memories_.end() && all_.job_.data.empty())
      memory->second.snapshot(all_.job_.head.content, all_.current_.step);
  }
  // Every rank copies over a link of its own, so the largest rank decides how long the copies take.
  if (all_.job_.snapshot_bytes_per_second > 0)
    co_await reactor_.sleep_until(
        begin + from_seconds(static_cast<double>(largest) / all_.job_.snapshot_bytes_per_second));
  co_await arrive_front();
}

// Writes and publishes the checkpoint at the first level. All writers take part.
Task<> CheckpointWriter::write_first() {
  if (leads()) {
    all_.writing_ = reactor_.refresh_now();
    if (first().storage.carries_data()) {
      CheckpointStore target = store(first());
      Result<> begun;
      if (!all_.incremental_) begun = co_await target.check_room(all_.current_.bytes);
      const std::vector<RankFiles> places = stored_files();
      if (begun) begun = co_await target.begin(all_.current_.step, places);
      if (!begun) all_.record(begun.error());
    }
  }
  co_await arrive_back();
  Semaphore done(reactor_, 0);
  std::uint64_t started = 0;
  for (std::size_t rank = index_; rank < all_.ranks().size() && !all_.failed_;
       rank += all_.writers_, ++started)
    reactor_.spawn(write_rank(rank, done));
  const bool joined = co_await done.acquire(started);
  FEEDRATE_ASSERT(joined);
  co_await arrive_back();
  if (leads()) co_await publish_first();
  co_await arrive_back();
}

// Returns the files that are stored for this checkpoint: all of them, or one for each rank with
// what changed.
std::vector<RankFiles> CheckpointWriter::stored_files() const {
  if (!all_.incremental_) return all_.ranks();
  std::vector<RankFiles> places;
  for (const RankFiles& rank : all_.ranks()) {
    places.push_back({rank.rank, {FilePlan()}});
    places.back().files[0].path = changed_path(rank.rank);
  }
  return places;
}

Task<> CheckpointWriter::write_rank(std::size_t index, Semaphore& done) {
  RankTime time{all_.ranks()[index].rank, 0, {}};
  const Instant begin = reactor_.refresh_now();
  Result<> outcome;
  if (all_.incremental_)
    outcome = co_await write_changed(index, time);
  else
    outcome = co_await write_files(index, time);
  if (!outcome) all_.record(outcome.error());
  time.elapsed = reactor_.refresh_now() - begin;
  all_.times_[index] = time;
  done.release(1);
}

PieceFill CheckpointWriter::bytes_of(std::size_t rank, std::size_t file) const {
  const auto memory = memories_.find(rank);
  if (memory != memories_.end()) return memory->second.fill(file);
  return emulated_bytes(all_.ranks()[rank].files[file], all_.job_.head.content, all_.current_.step);
}

Task<Result<>> CheckpointWriter::write_files(std::size_t index, RankTime& time) {
  const RankFiles& rank = all_.ranks()[index];
  RankRecord record{rank.rank, {}};
  for (std::size_t number = 0; number < rank.files.size(); ++number) {
    if (all_.failed_) break;
    const FilePlan& plan = rank.files[number];
    FileRenderer renderer(plan, *all_.job_.layout, bytes_of(index, number),
                          all_.job_.head.sum_block_bytes);
    const Target target{first(), store(first()).writing_path(all_.current_.step, plan.path),
                        plan.shared ? OpenMode::kWrite : OpenMode::kCreate, plan.begin, rank.rank};
    const StreamWriter::Source source = [&renderer](std::span<std::byte> out, std::uint64_t room) {
      return out.empty() ? renderer.skip(room) : renderer.next(out);
    };
    const Result<> outcome = co_await write_stream(target, source);
    if (!outcome) co_return outcome;
    record.files.push_back(renderer.record());
    time.bytes += plan.bytes;
  }
  all_.records_[index] = std::move(record);
  co_return Result<>{};
}

Task<Result<>> CheckpointWriter::write_changed(std::size_t index, RankTime& time) {
  const RankFiles& rank = all_.ranks()[index];
  ChangedRenderer renderer(
      rank.files, *all_.job_.layout,
      [this, index](std::size_t file) { return bytes_of(index, file); },
      all_.job_.head.sum_block_bytes, all_.parent_->ranks[index]);
  const std::string path = changed_path(rank.rank);
  const Target target{first(), store(first()).writing_path(all_.current_.step, path),
                      OpenMode::kCreate, 0, rank.rank};
  const StreamWriter::Source source = [this, &renderer, &time](std::span<std::byte> out,
                                                               std::uint64_t room) {
    const std::uint64_t count =
        out.empty() ? renderer.skip(room, all_.job_.head.content, all_.current_.step)
                    : renderer.next(out);
    time.bytes += count;
    return count;
  };
  const Result<> outcome = co_await write_stream(target, source);
  if (outcome) all_.records_[index] = {rank.rank, std::move(renderer).records()};
  co_return outcome;
}

Task<Result<>> CheckpointWriter::write_stream(const Target& target,
                                              const StreamWriter::Source& source) {
  Storage& storage = target.level.storage;
  Result<FileHandle> file = co_await storage.open(target.path, target.mode);
  if (!file) co_return fail(file.error());
  StreamWriterOptions options{target.begin, all_.job_.block_bytes, all_.job_.writes_at_once, {}};
  // The limit is for what is written while training goes on, which are the copies to the shared
  // level where there are two levels.
  if (all_.pacer_ && !two_levels()) options.pacers.push_back(&*all_.pacer_);
  const auto slow = all_.slow_.find(target.rank);
  if (slow != all_.slow_.end()) options.pacers.push_back(&slow->second);
  StreamWriter writer(storage, *pool_, **file, options, source,
                      [this](std::uint64_t bytes, Duration latency) {
                        all_.progress_.bytes_done += bytes;
                        write_latency_.record(static_cast<std::uint64_t>(latency.count()));
                      });
  Result<> outcome = co_await writer.write_all();
  const Instant written = reactor_.refresh_now();
  if (outcome) outcome = co_await storage.sync(**file);
  sync_latency_.record(static_cast<std::uint64_t>((reactor_.now() - written).count()));
  const Result<> closed = co_await storage.close(std::move(*file));
  if (outcome) outcome = closed;
  co_return outcome;
}

Task<> CheckpointWriter::publish_first() {
  WrittenCheckpoint& current = all_.current_;
  // Every rank has synced its files by now.
  const Instant ranks_done = reactor_.refresh_now();
  current.persisted = ranks_done - all_.begin_;
  current.ranks = all_.times_;
  for (const RankTime& time : current.ranks) current.stored_bytes += time.bytes;
  if (!all_.failed_) {
    all_.manifest_ = make_manifest();
    const Result<> published = co_await publish(first());
    if (!published) all_.record(published.error());
  }
  const Instant end = reactor_.refresh_now();
  current.restorable = end - all_.begin_;
  current.elapsed = end - all_.writing_;
  current.publish = end - ranks_done;
  if (!all_.failed_) {
    all_.parents_[current.step] = all_.manifest_.parent;
    if (all_.manifest_.sum_block_bytes > 0) all_.parent_ = all_.manifest_;
  }
  if (!all_.failed_ || !first().storage.carries_data()) co_return;
  CheckpointStore target = store(first());
  const Result<> abandoned = co_await target.abandon(current.step);
  if (!abandoned) co_return;  // The next writer removes it.
}

// Makes the manifest of the checkpoint that is written now. Its parent is still `parent_`, which
// changes only once this one is published.
CheckpointManifest CheckpointWriter::make_manifest() const {
  CheckpointManifest manifest = all_.job_.head;
  manifest.step = all_.current_.step;
  manifest.ranks = all_.records_;
  manifest.emulated = all_.job_.data.empty();
  if (all_.incremental_) {
    manifest.parent = all_.parent_->step;
    manifest.increments = all_.parent_->increments + 1;
  }
  return manifest;
}

Task<Result<>> CheckpointWriter::publish(Level level) {
  if (!level.storage.carries_data()) co_return Result<>{};
  const std::vector<WholeFile> files = all_.job_.layout->common_files(all_.ranks());
  CheckpointStore target = store(level);
  co_return co_await target.publish(all_.manifest_, files);
}

Task<Result<>> CheckpointWriter::prune(Level level) {
  if (all_.job_.keep == 0) co_return Result<>{};
  CheckpointStore kept = store(level);
  const auto removed = co_await kept.prune(all_.job_.keep, all_.parents_);
  if (!removed) co_return fail(removed.error());
  co_return Result<>{};
}

// Does what training does not wait for: writing (when asynchronous), removing older checkpoints,
// and copying to the shared level.
Task<> CheckpointWriter::write_behind() {
  if (all_.job_.asynchronous) co_await write_first();
  if (leads() && !all_.failed_ && first().storage.carries_data()) {
    const Result<> pruned = co_await prune(first());
    if (!pruned) all_.record(pruned.error());
  }
  if (two_levels()) co_await copy_to_shared();
  if (leads()) end_current();
  co_await arrive_back();
  behind_.release(1);
}

Task<> CheckpointWriter::copy_to_shared() {
  CheckpointStore target = store(shared());
  const bool data = storage_->carries_data();
  if (leads() && data && !all_.failed_) {
    const std::vector<RankFiles> places = stored_files();
    const Result<> begun = co_await target.begin(all_.current_.step, places);
    if (!begun) all_.record(begun.error());
  }
  co_await arrive_back();
  Semaphore done(reactor_, 0);
  std::uint64_t started = 0;
  for (std::size_t rank = index_; rank < all_.ranks().size() && !all_.failed_;
       rank += all_.writers_, ++started)
    reactor_.spawn(copy_rank(rank, done));
  const bool joined = co_await done.acquire(started);
  FEEDRATE_ASSERT(joined);
  co_await arrive_back();
  if (!leads()) co_return;
  Result<> outcome;
  if (!all_.failed_) outcome = co_await publish(shared());
  if (outcome && !all_.failed_ && data) outcome = co_await prune(shared());
  if (!outcome) all_.record(outcome.error());
  all_.current_.shared = reactor_.refresh_now() - all_.begin_;
  if (!all_.failed_ || !data) co_return;
  const Result<> abandoned = co_await target.abandon(all_.current_.step);
  if (!abandoned) co_return;  // The next writer removes it.
}

Task<> CheckpointWriter::copy_rank(std::size_t index, Semaphore& done) {
  const RankRecord& rank = all_.records_[index];
  const std::uint64_t step = all_.current_.step;
  Target from{first(), "", OpenMode::kRead, 0, rank.rank};
  Target to{shared(), "", OpenMode::kCreate, 0, rank.rank};
  Result<> outcome;
  if (all_.incremental_) {
    const std::string path = changed_path(rank.rank);
    from.path = store(first()).path(step, path);
    to.path = store(shared()).writing_path(step, path);
    outcome = co_await copy_file(from, to, all_.times_[index].bytes, nullptr);
  } else {
    for (std::size_t number = 0; number < rank.files.size() && outcome; ++number) {
      const FileRecord& file = rank.files[number];
      from.path = store(first()).path(step, file.path);
      to.path = store(shared()).writing_path(step, file.path);
      from.begin = to.begin = file.begin;
      to.mode = all_.ranks()[index].files[number].shared ? OpenMode::kWrite : OpenMode::kCreate;
      outcome = co_await copy_file(from, to, file.bytes, &file);
    }
  }
  if (!outcome) all_.record(outcome.error());
  done.release(1);
}

// Copies a file from one level to the other and checks it on the way, where there is a record with
// checksums.
Task<Result<>> CheckpointWriter::copy_file(const Target& from, const Target& to,
                                           std::uint64_t bytes, const FileRecord* record) {
  std::vector<FileHandle> files;
  Result<FileHandle> opened = co_await from.level.storage.open(from.path, OpenMode::kRead);
  if (!opened) co_return fail(opened.error());
  files.push_back(std::move(*opened));
  std::vector<StreamRead> reads;
  for (std::uint64_t at = 0; at < bytes; at += all_.job_.block_bytes)
    reads.push_back({0, from.begin + at, std::min(all_.job_.block_bytes, bytes - at)});
  StreamReader reader(from.level.storage, *pool_, files, reads, {all_.job_.writes_at_once, 2},
                      [](std::uint64_t, Duration) {});
  // A file of changed blocks has no record of its own; its blocks are checked when they are
  // restored.
  std::optional<FileChecker> checker;
  if (record != nullptr && storage_->carries_data()) checker.emplace(*record);
  Result<> outcome = co_await copy_blocks(reader, to, checker ? &*checker : nullptr);
  co_await reader.finish();
  const Result<> closed = co_await from.level.storage.close(std::move(files[0]));
  if (outcome) outcome = closed;
  co_return outcome;
}

Task<Result<>> CheckpointWriter::copy_blocks(StreamReader& reader, const Target& to,
                                             FileChecker* checker) {
  Storage& storage = to.level.storage;
  Result<FileHandle> file = co_await storage.open(to.path, to.mode);
  if (!file) co_return fail(file.error());
  Semaphore permits(reactor_, all_.job_.writes_at_once);
  Result<> outcome;
  std::uint64_t offset = to.begin;
  while (outcome) {
    auto block = co_await reader.next();
    if (!block) outcome = fail(block.error());
    if (!block || !*block) break;
    const std::uint64_t bytes = (*block)->bytes.size();
    if (checker != nullptr) {
      const Result<> good = checker->consume((*block)->bytes);
      if (!good) outcome = good;
    }
    if (all_.pacer_) {
      const Instant at = all_.pacer_->reserve(reactor_.refresh_now(), bytes);
      co_await reactor_.sleep_until(at);
    }
    const bool admitted = co_await permits.acquire(1);
    FEEDRATE_ASSERT(admitted);
    reactor_.spawn(copy_block(storage, **file, std::move(**block), offset, permits, outcome));
    offset += bytes;
  }
  // Having all permits means that no write is in flight; `outcome` and the file must outlive the
  // writes.
  const bool drained = co_await permits.acquire(all_.job_.writes_at_once);
  FEEDRATE_ASSERT(drained);
  if (outcome && checker != nullptr) outcome = checker->finish();
  if (outcome) outcome = co_await storage.sync(**file);
  const Result<> closed = co_await storage.close(std::move(*file));
  if (outcome) outcome = closed;
  co_return outcome;
}

Task<> CheckpointWriter::copy_block(Storage& storage, StorageFile& file, StreamReader::Block block,
                                    std::uint64_t offset, Semaphore& permits, Result<>& outcome) {
  const Result<> written = co_await storage.write(file, offset, block.bytes.size(), block.buffer);
  if (!written && outcome) outcome = written;
  permits.release(1);
}

void CheckpointWriter::end_current() {
  if (!all_.failed_) all_.summary_.written.push_back(std::move(all_.current_));
}

Task<> CheckpointWriter::finish() {
  const bool idle = co_await behind_.acquire(1);
  FEEDRATE_ASSERT(idle);
  behind_.release(1);
  claims_.clear();
  all_.front_.leave(reactor_);
  all_.back_.leave(reactor_);
}

}  // namespace feedrate

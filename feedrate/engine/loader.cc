#include "feedrate/engine/loader.h"

#include <algorithm>
#include <utility>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

bool in_order(const TrainingPlan& plan) { return plan.order == AccessOrder::kRandomSamples; }

}  // namespace

std::uint64_t window_batches(const TrainingPlan& plan) {
  if (plan.client == ClientKind::kNative || !in_order(plan)) return plan.prefetch_batches;
  // One batch at least in the hands of every reader, as with PyTorch's prefetch_factor.
  const std::uint64_t per_reader = (plan.prefetch_batches + plan.readers - 1) / plan.readers;
  return per_reader * plan.readers;
}

// Extents being read in transfers, several at once when there are several lanes.
struct Loader::ParallelRead {
  std::vector<Extent> reads;  // those before `current` are done, that one in part
  std::size_t current;
  std::uint64_t transfer_bytes;
  Semaphore finished;
  std::optional<Error> error;

  std::optional<Extent> next() {
    while (current < reads.size() && reads[current].length == 0) ++current;
    if (current == reads.size()) return std::nullopt;
    Extent& rest = reads[current];
    const Extent piece{rest.offset, std::min(transfer_bytes, rest.length)};
    rest = {piece.end(), rest.length - piece.length};
    return piece;
  }
};

Loader::Loader(LoaderContext& context, std::uint32_t rank)
    : context_(context),
      reactor_(context.storage.reactor()),
      source_(context.plan, context.orders, rank),
      assembly_(in_order(context.plan), context.plan.timing.batch_samples,
                context.plan.shuffle_buffer_samples),
      window_(reactor_, window_batches(context.plan) * context.plan.timing.batch_samples +
                            context.plan.shuffle_buffer_samples),
      epoch_ended_(reactor_),
      samples_per_epoch_(context.orders.shape().samples_read_per_rank()),
      samples_total_(samples_per_epoch_ * context.plan.epochs) {}

void Loader::start(Semaphore& finished) {
  readers_active_ = context_.plan.readers;
  for (std::uint32_t reader = 0; reader < context_.plan.readers; ++reader)
    reactor_.spawn(run_reader(finished));
}

Task<> Loader::run_reader(Semaphore& finished) {
  if (!faithful())
    co_await read_items();
  else if (in_order(context_.plan))
    co_await read_whole_batches();
  else
    co_await stream_files();
  if (--readers_active_ == 0 && !closed_) close();
  finished.release(1);
}

Task<std::optional<Instant>> Loader::next_batch() {
  struct Awaiter {
    Loader& loader;
    bool await_ready() const { return loader.assembly_.has_batch() || loader.closed_; }
    void await_suspend(std::coroutine_handle<> waiter) { loader.accelerator_ = waiter; }
    void await_resume() const {}
  };
  co_await Awaiter{*this};
  if (!assembly_.has_batch() || reactor_.stopping()) co_return std::nullopt;
  co_return assembly_.take_batch();
}

void Loader::release_batch() {
  window_.release(context_.plan.timing.batch_samples);
  if (context_.plan.hold) {
    // A sample may have come in several pieces: the oldest share of them goes with the batch.
    const std::uint64_t batch = context_.plan.timing.batch_samples;
    const std::uint64_t gone = held_.size() * batch / (assembly_.waiting_samples() + batch);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  if (faithful()) epoch_ended_.signal();
}

void Loader::close() {
  closed_ = true;
  window_.close();
  epoch_ended_.signal();
  if (accelerator_) reactor_.post(std::exchange(accelerator_, {}));
}

Task<> Loader::read_items() {
  const std::uint64_t samples_max = std::max<std::uint64_t>(
      1, window_batches(context_.plan) * context_.plan.timing.batch_samples / 2);
  while (!closed_) {
    const std::optional<WorkItem> item = source_.next(context_.plan.transfer_bytes, samples_max);
    if (!item) co_return;
    const bool admitted = co_await window_.acquire(item->samples);
    if (!admitted) co_return;
    const bool go_on = co_await read_and_deliver(*item);
    if (!go_on) co_return;
  }
}

Task<> Loader::read_whole_batches() {
  const std::uint32_t batch = context_.plan.timing.batch_samples;
  while (!closed_) {
    // Room first, then the batch: a reader that held the next batch but no room, while others took
    // the room for later batches, would block them all.
    const bool admitted = co_await window_.acquire(batch);
    if (!admitted) co_return;
    std::vector<WorkItem> items;
    while (items.size() < batch) {
      const std::optional<WorkItem> item = source_.next(kNoLimit, 1);
      if (!item) co_return;
      items.push_back(*item);
    }
    co_await wait_for_epoch(items.front().epoch);
    for (const WorkItem& item : items) {
      const bool go_on = co_await read_and_deliver(item);
      if (!go_on) co_return;
    }
  }
}

Task<> Loader::stream_files() {
  while (!closed_) {
    const std::optional<WorkItem> item = source_.next(kNoLimit, kNoLimit);
    if (!item) co_return;
    co_await wait_for_epoch(item->epoch);
    if (closed_) co_return;
    const Result<FileCache::Entry*> entry = co_await context_.files.acquire(item->file);
    if (!entry) {
      if (!accept(fail(entry.error()), item->number, item->samples)) co_return;
      continue;
    }
    const bool go_on = co_await stream_run(*item, **entry);
    context_.files.release(**entry);
    if (!go_on) co_return;
  }
}

// Reads a run in transfers of the framework's size; samples are delivered as their last byte
// arrives, no more at once than the window takes.
Task<bool> Loader::stream_run(WorkItem item, FileCache::Entry& entry) {
  const FileIndex& index = *entry.index;
  if (!index.contiguous()) co_return co_await stream_blocks(item, entry);
  const std::uint64_t last = item.first_sample + item.samples;
  const std::uint64_t end = index.sample(last - 1).end();
  std::uint64_t offset = index.sample(item.first_sample).offset;
  std::uint64_t sample = item.first_sample;
  while (offset < end) {
    const Extent piece{offset, std::min(context_.plan.transfer_bytes, end - offset)};
    const Result<> outcome = co_await read_piece(*entry.file, piece, entry.verifier.get());
    offset = piece.end();
    const std::uint64_t arrived = std::min(index.first_ending_after(offset), last);
    const std::uint64_t number = item.number + (sample - item.first_sample);
    const bool go_on = co_await hand_over(outcome, number, arrived - sample);
    if (!go_on) co_return false;
    sample = arrived;
  }
  co_return true;
}

// The same where samples come in blocks of several reads: one block after the other.
Task<bool> Loader::stream_blocks(WorkItem item, FileCache::Entry& entry) {
  std::vector<Extent> reads;
  for (std::uint64_t done = 0; done < item.samples;) {
    const std::uint64_t first = item.first_sample + done;
    const std::uint64_t count = entry.index->run_length(first, item.samples - done, 0);
    reads.clear();
    entry.index->locate(first, count, reads);
    const Result<> outcome = co_await read_extents(*entry.file, reads, entry.verifier.get());
    const bool go_on = co_await hand_over(outcome, item.number + done, count);
    if (!go_on) co_return false;
    done += count;
  }
  co_return true;
}

// Delivers samples as the window takes them, a batch at most at a time.
Task<bool> Loader::hand_over(Result<> outcome, std::uint64_t number, std::uint64_t samples) {
  if (samples == 0) co_return outcome.has_value() ? !closed_ : accept(outcome, 0, 0);
  for (std::uint64_t done = 0; done < samples;) {
    const std::uint64_t count =
        std::min<std::uint64_t>(samples - done, context_.plan.timing.batch_samples);
    const bool admitted = co_await window_.acquire(count);
    if (!admitted) co_return false;
    if (!accept(outcome, number + done, count)) co_return false;
    done += count;
  }
  co_return !closed_;
}

Task<> Loader::wait_for_epoch(std::uint64_t epoch) {
  const std::uint64_t batches = epoch * context_.orders.shape().steps_per_epoch();
  while (!closed_ && assembly_.batches_taken() < batches) co_await epoch_ended_.wait();
}

Task<bool> Loader::read_and_deliver(WorkItem item) {
  const Result<> outcome = co_await read_item(item);
  co_return accept(outcome, item.number, item.samples);
}

// Counts what came, good or bad; false when the reader must end.
bool Loader::accept(const Result<>& outcome, std::uint64_t number, std::uint64_t samples) {
  if (!outcome) {
    if (outcome.error().kind() == ErrorKind::kCancelled) return false;
    context_.stats.add_error(outcome.error());
    if (context_.plan.on_error == OnError::kStop) {
      context_.on_fatal(outcome.error());
      return false;
    }
  }
  if (samples > 0) deliver(number, samples);
  return !closed_;
}

void Loader::deliver(std::uint64_t number, std::uint64_t samples) {
  // Checking and copying take time of their own: the batch is complete after them.
  const bool worked = context_.plan.verify || context_.plan.hold;
  const Instant now = worked ? reactor_.refresh_now() : reactor_.now();
  assembly_.deliver(number, samples, now);
  delivered_ += samples;
  context_.stats.samples_read += samples;
  context_.stats.samples.add(now, static_cast<double>(samples));
  context_.progress.samples.fetch_add(samples, std::memory_order_relaxed);
  const bool epoch_ends = delivered_ % samples_per_epoch_ == 0;
  if ((faithful() && epoch_ends) || delivered_ == samples_total_) assembly_.end_of_input(now);
  if (assembly_.has_batch() && accelerator_) reactor_.post(std::exchange(accelerator_, {}));
}

Task<Result<>> Loader::read_item(WorkItem item) {
  if (context_.plan.dataset->one_sample_per_file()) co_return co_await read_own_file(item);
  const Result<FileCache::Entry*> entry = co_await context_.files.acquire(item.file);
  if (!entry) co_return fail(entry.error());
  std::vector<Extent> reads;
  (*entry)->index->locate(item.first_sample, item.samples, reads);
  const Result<> outcome = co_await read_extents(*(*entry)->file, reads, (*entry)->verifier.get());
  context_.files.release(**entry);
  co_return outcome;
}

// A file that is a sample: opened, read whole (native) or as the format's own reader does
// (faithful), closed.
Task<Result<>> Loader::read_own_file(WorkItem item) {
  const Dataset& dataset = *context_.plan.dataset;
  const std::uint64_t bytes = dataset.file_bytes(item.file);
  const std::string path = dataset.full_path(item.file);
  std::shared_ptr<const FileIndex> index;
  std::unique_ptr<Verifier> verifier;
  if (context_.plan.verify || faithful()) index = dataset.index(item.file);
  if (context_.plan.verify) verifier = dataset.format().verifier(index, dataset.content(item.file));

  const Instant begin = reactor_.now();
  if (!faithful() && bytes <= context_.plan.transfer_bytes) {
    Buffer buffer = co_await context_.buffers.acquire();
    const Instant issued = reactor_.now();
    const Result<ReadOutcome> outcome = co_await context_.storage.read_file(path, bytes, buffer);
    if (!outcome) co_return fail(outcome.error());
    context_.stats.add_open(outcome->opened_at - issued);
    co_return account(path, *outcome, outcome->opened_at, 0, verifier.get());
  }
  Result<FileHandle> file = co_await context_.storage.open(path, OpenMode::kRead);
  if (!file) co_return fail(file.error());
  context_.stats.add_open(reactor_.now() - begin);
  Result<> outcome;
  if (faithful())
    outcome = co_await read_opened_file(**file, *index, verifier.get());
  else
    outcome = co_await read_whole(**file, bytes, verifier.get());
  const Result<> closed = co_await context_.storage.close(std::move(*file));
  if (outcome && !closed) co_return closed;
  co_return outcome;
}

Task<Result<>> Loader::read_whole(StorageFile& file, std::uint64_t bytes, Verifier* verifier) {
  const std::vector<Extent> all{{0, bytes}};
  co_return co_await read_extents(file, all, verifier);
}

Task<Result<>> Loader::read_opened_file(StorageFile& file, const FileIndex& index,
                                        Verifier* verifier) {
  std::vector<Extent> reads = index.open_reads;
  index.locate(0, 1, reads);
  co_return co_await read_extents(file, reads, verifier);
}

// Reads these in order; natively several transfers at once.
Task<Result<>> Loader::read_extents(StorageFile& file, const std::vector<Extent>& reads,
                                    Verifier* verifier) {
  const std::uint64_t transfer = context_.plan.transfer_bytes;
  ParallelRead shared{reads, 0, transfer, Semaphore(reactor_, 0), std::nullopt};
  // Checksums need the bytes in order, so what is verified is read in one lane.
  const bool one_transfer = reads.size() == 1 && reads.front().length <= transfer;
  const bool one_lane =
      one_transfer || context_.plan.transfers_per_sample == 1 || faithful() || verifier != nullptr;
  if (one_lane) {
    while (const std::optional<Extent> piece = shared.next()) {
      const Result<> outcome = co_await read_piece(file, *piece, verifier);
      if (!outcome) co_return outcome;
    }
    co_return Result<>{};
  }
  const std::uint32_t lanes = context_.plan.transfers_per_sample;
  for (std::uint32_t lane = 0; lane < lanes; ++lane) reactor_.spawn(read_lane(shared, file));
  const bool joined = co_await shared.finished.acquire(lanes);
  FEEDRATE_ASSERT(joined);
  if (shared.error) co_return fail(*shared.error);
  co_return Result<>{};
}

Task<> Loader::read_lane(ParallelRead& shared, StorageFile& file) {
  while (!shared.error && !closed_) {
    const std::optional<Extent> piece = shared.next();
    if (!piece) break;
    const Result<> outcome = co_await read_piece(file, *piece, nullptr);
    if (!outcome && !shared.error) shared.error = outcome.error();
  }
  shared.finished.release(1);
}

Task<Result<>> Loader::read_piece(StorageFile& file, Extent piece, Verifier* verifier) {
  Buffer buffer = co_await context_.buffers.acquire();
  const Instant begin = reactor_.now();
  const Result<ReadOutcome> outcome =
      co_await context_.storage.read(file, piece.offset, piece.length, buffer);
  if (!outcome) co_return fail(outcome.error());
  co_return account(file.path(), *outcome, begin, piece.offset, verifier);
}

Result<> Loader::account(const std::string& path, const ReadOutcome& outcome, Instant begin,
                         std::uint64_t offset, Verifier* verifier) {
  context_.stats.add_read(begin, reactor_.now(), outcome.bytes.size(), outcome.moved_bytes);
  context_.progress.bytes.fetch_add(outcome.moved_bytes, std::memory_order_relaxed);
  if (context_.plan.hold) held_.emplace_back(outcome.bytes.begin(), outcome.bytes.end());
  if (verifier == nullptr || !context_.storage.carries_data()) return {};
  Result<> checked = verifier->consume(offset, outcome.bytes);
  if (!checked) return fail(checked.error().with_context(quote_path(path)));
  return {};
}

}  // namespace feedrate

#include "feedrate/engine/loader.h"

#include <algorithm>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

std::uint64_t total_length(const std::vector<Extent>& extents) {
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.length;
  return total;
}

// Leaves only the bytes of a file that belong to its samples, as locate() finds them.
void cut_out_samples(const FileIndex& index, std::vector<std::byte>& file) {
  std::vector<Extent> reads;
  index.locate(0, index.sample_count(), reads);
  std::vector<std::byte> samples;
  for (const Extent& read : reads) {
    const std::uint64_t begin = std::min<std::uint64_t>(read.offset, file.size());
    const std::uint64_t end = std::min<std::uint64_t>(read.end(), file.size());
    samples.insert(samples.end(), file.begin() + static_cast<std::ptrdiff_t>(begin),
                   file.begin() + static_cast<std::ptrdiff_t>(end));
  }
  file.swap(samples);
}

bool in_order(const TrainingPlan& plan) { return plan.order == AccessOrder::kRandomSamples; }

}  // namespace

std::uint64_t window_batches(const TrainingPlan& plan) {
  // One in the hands of the training process; of a stream, what is left of the last transfer, too.
  if (plan.reads_in_process()) return in_order(plan) ? 1 : 2;
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
      assembly_(in_order(context.plan), context.plan.micro_batch_samples(),
                context.plan.shuffle_buffer_samples),
      window_(reactor_, window_batches(context.plan) * context.plan.micro_batch_samples() +
                            context.plan.shuffle_buffer_samples),
      moved_(reactor_),
      samples_per_epoch_(context.orders.shape().samples_read_per_rank()),
      samples_total_(samples_per_epoch_ * context.plan.epochs) {}

void Loader::start(Semaphore& finished) {
  readers_active_ = readers();
  for (std::uint32_t reader = 0; reader < readers(); ++reader)
    reactor_.spawn(run_reader(finished, reader));
}

Task<> Loader::run_reader(Semaphore& finished, std::uint32_t reader) {
  StallTrace trace;
  co_await read_label_manifest();
  if (!faithful())
    co_await read_items(trace);
  else if (in_order(context_.plan))
    co_await read_whole_batches(trace, reader);
  else
    co_await stream_files(trace);
  if (--readers_active_ == 0 && !closed_) close();
  finished.release(1);
}

// A job cannot make a batch before it knows the labels: readers wait for the one that reads them.
Task<> Loader::read_label_manifest() {
  const Dataset::SideFile& labels = context_.plan.dataset->label_manifest();
  if (labels.path.empty() || context_.plan.labels_known) co_return;
  if (labels_ == Labels::kUnread) {
    labels_ = Labels::kReading;
    const std::string path = context_.plan.dataset->resolve(labels.path);
    StallTrace ignored;  // the first batch waits for it, and that is start-up anyway
    const Result<> outcome =
        co_await read_whole_file(path, labels.bytes, Sink{ignored, nullptr, nullptr, false});
    if (!outcome) accept(outcome, 0, 0, ignored);
    labels_ = Labels::kRead;
    moved_.signal();
  }
  while (labels_ != Labels::kRead && !closed_) co_await moved_.wait();
}

Task<std::optional<Loader::Batch>> Loader::next_batch(Instant free) {
  struct Awaiter {
    Loader& loader;
    bool await_ready() const { return loader.assembly_.has_batch() || loader.closed_; }
    void await_suspend(std::coroutine_handle<> waiter) {
      loader.accelerator_ = waiter;
      if (loader.context_.plan.reads_in_process()) loader.moved_.signal();
    }
    void await_resume() const {}
  };
  const bool asked = co_await ask(free);
  if (!asked) co_return std::nullopt;
  co_await Awaiter{*this};
  if (!assembly_.has_batch() || reactor_.stopping()) co_return std::nullopt;
  Batch batch;
  const bool first = starts_anew(assembly_.batches_taken());
  batch.ready = assembly_.take_batch();
  batch.pieces = std::move(pieces_.front());
  pieces_.pop_front();
  if (first) batch.pieces = {{batch.ready, StallCause::kStartup}};
  co_return batch;
}

bool Loader::ran_out() const {
  return (samples_total_ > 0 && delivered_ >= samples_total_) ||
         (faithful() && delivered_ > 0 && delivered_ % samples_per_epoch_ == 0);
}

// A framework's loop asks for a batch when the step before it is done. An epoch begins with that,
// and where the training process reads by itself every batch does.
Task<bool> Loader::ask(Instant free) {
  if (!faithful()) co_return true;
  const std::uint64_t batch = assembly_.batches_taken();
  const bool epoch_begins = batch % batches_per_epoch() == 0;
  if (!epoch_begins && !context_.plan.reads_in_process()) co_return true;
  const bool on_time = co_await reactor_.sleep_until(free);
  if (!on_time) co_return false;
  if (epoch_begins) {
    epochs_begun_ = batch / batches_per_epoch() + 1;
    moved_.signal();
  }
  co_return true;
}

// A training process that reads by itself is its own only reader, so it reads while it waits for a
// batch, and never while it computes.
Task<> Loader::wait_until_asked() {
  if (!context_.plan.reads_in_process()) co_return;
  while (!closed_ && !accelerator_) co_await moved_.wait();
}

std::uint64_t Loader::batches_per_epoch() const {
  return context_.orders.shape().steps_per_epoch() * context_.plan.micro_batches;
}

// Whether nothing could have been read ahead for this batch.
bool Loader::starts_anew(std::uint64_t batch) const {
  if (context_.plan.reads_in_process()) return batch == 0;  // nothing ever is
  return batch == 0 || (faithful() && batch % batches_per_epoch() == 0);
}

void Loader::release_batch(Instant busy_until) {
  chain_.busy_until(busy_until);
  window_.release(context_.plan.micro_batch_samples());
  ++batches_released_;
  if (context_.plan.hold) {
    // A sample may have come in several pieces: the oldest share of them goes with the batch.
    const std::uint64_t batch = context_.plan.micro_batch_samples();
    const std::uint64_t gone = held_.size() * batch / (assembly_.waiting_samples() + batch);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  if (faithful()) moved_.signal();
}

void Loader::close() {
  closed_ = true;
  window_.close();
  moved_.signal();
  if (accelerator_) reactor_.post(std::exchange(accelerator_, {}));
}

Task<> Loader::read_items(StallTrace& trace) {
  const std::uint64_t samples_max = std::max<std::uint64_t>(
      1, window_batches(context_.plan) * context_.plan.micro_batch_samples() / 2);
  while (!closed_) {
    const std::optional<WorkItem> item = source_.next(context_.plan.transfer_bytes, samples_max);
    if (!item) co_return;
    const std::uint64_t at_first = std::min(item->samples, samples_max);
    const bool admitted = co_await window_.acquire(at_first);
    if (!admitted) co_return;
    trace.restart(reactor_.now(), item->file, item->epoch);
    const Result<> outcome = co_await read_item(*item, trace);
    bool go_on = accept(outcome, item->number, at_first, trace);
    if (go_on && at_first < item->samples)
      go_on =
          co_await hand_over(Result<>{}, item->number + at_first, item->samples - at_first, trace);
    if (!go_on) co_return;
  }
}

// PyTorch deals batches out to its workers in turn, however far each of them is, and hands them on
// in order: a slow worker holds up its own batches and, once they are due, the training.
Task<> Loader::read_whole_batches(StallTrace& trace, std::uint32_t reader) {
  const std::uint64_t batch = context_.plan.micro_batch_samples(), epoch = batches_per_epoch();
  for (std::uint64_t first = 0; first < samples_total_ || samples_total_ == 0;
       first += samples_per_epoch_) {
    for (std::uint64_t turn = reader; turn < epoch; turn += readers()) {
      co_await wait_for_epoch(first / samples_per_epoch_);
      co_await wait_for_dispatch(first / batch + turn);
      co_await wait_until_asked();
      for (std::uint64_t i = 0; i < batch; ++i) {
        if (closed_) co_return;
        const WorkItem item = source_.random_item(first + turn * batch + i);
        trace.restart(reactor_.now(), item.file, item.epoch);
        const Result<> outcome = co_await read_item(item, trace);
        if (!accept(outcome, item.number, item.samples, trace)) co_return;
      }
    }
    // More readers than batches: the next epoch is not begun before this one is over.
    co_await wait_for_epoch(first / samples_per_epoch_ + 1);
    if (closed_) co_return;
  }
}

Task<> Loader::stream_files(StallTrace& trace) {
  while (!closed_) {
    const std::optional<WorkItem> item = source_.next(kNoLimit, kNoLimit);
    if (!item) co_return;
    co_await wait_for_epoch(item->epoch);
    co_await wait_until_asked();
    if (closed_) co_return;
    trace.restart(reactor_.now(), item->file, item->epoch);
    const Result<FileCache::Entry*> entry = co_await context_.files.acquire(item->file);
    trace.add(StallCause::kOpen, reactor_.now());
    if (!entry) {
      if (!accept(fail(entry.error()), item->number, item->samples, trace)) co_return;
      continue;
    }
    const Result<> metadata = co_await read_metadata(**entry, trace);
    bool go_on = metadata.has_value() || accept(metadata, 0, 0, trace);
    if (go_on) go_on = co_await stream_run(*item, **entry, trace);
    context_.files.release(**entry);
    if (!go_on) co_return;
  }
}

// Reads a run in transfers of the framework's size; samples are delivered as their last byte
// arrives, no more at once than the window takes.
Task<bool> Loader::stream_run(WorkItem item, FileCache::Entry& entry, StallTrace& trace) {
  const FileIndex& index = *entry.index;
  if (!index.contiguous()) co_return co_await stream_blocks(item, entry, trace);
  const std::uint64_t last = item.first_sample + item.samples;
  const std::uint64_t end = index.sample(last - 1).end();
  std::uint64_t offset = index.sample(item.first_sample).offset;
  std::uint64_t sample = item.first_sample;
  const Sink sink{trace, entry.verifier.get(), nullptr};
  while (offset < end) {
    co_await wait_until_asked();
    const std::uint64_t transfer = std::min(context_.plan.transfer_bytes, context_.buffer_bytes);
    const Extent piece{offset, std::min(transfer, end - offset)};
    const Result<> outcome = co_await read_piece(*entry.file, piece, sink);
    if (outcome) context_.stats.epoch(item.epoch).located += piece.length;
    offset = piece.end();
    const std::uint64_t arrived = std::min(index.first_ending_after(offset), last);
    const std::uint64_t number = item.number + (sample - item.first_sample);
    const bool go_on = co_await hand_over(outcome, number, arrived - sample, trace);
    if (!go_on) co_return false;
    if (arrived > sample) trace.restart(reactor_.now(), item.file, item.epoch);
    sample = arrived;
  }
  co_return true;
}

// The same where samples come in blocks of several reads: one block after the other.
Task<bool> Loader::stream_blocks(WorkItem item, FileCache::Entry& entry, StallTrace& trace) {
  std::vector<Extent> reads;
  const Sink sink{trace, entry.verifier.get(), nullptr};
  for (std::uint64_t done = 0; done < item.samples;) {
    const std::uint64_t first = item.first_sample + done;
    const std::uint64_t count = entry.index->run_length(first, item.samples - done, 0);
    co_await wait_until_asked();
    reads.clear();
    entry.index->locate(first, count, reads);
    const Result<> outcome = co_await read_extents(*entry.file, reads, sink);
    if (outcome) context_.stats.epoch(item.epoch).located += total_length(reads);
    const bool go_on = co_await hand_over(outcome, item.number + done, count, trace);
    if (!go_on) co_return false;
    trace.restart(reactor_.now(), item.file, item.epoch);
    done += count;
  }
  co_return true;
}

// Delivers samples as the window takes them, a batch at most at a time, and only some of those
// where there is room for some: the batch that frees the rest may lack just them. Emulated decoding
// of a stream takes its time before that, of one sample after the other, and where the training
// process reads by itself only of those that it waits for.
Task<bool> Loader::hand_over(Result<> outcome, std::uint64_t number, std::uint64_t samples,
                             StallTrace& trace) {
  if (samples == 0) co_return outcome.has_value() ? !closed_ : accept(outcome, 0, 0, trace);
  for (std::uint64_t done = 0; done < samples;) {
    const bool decoding = faithful() && emulates_decoding() && outcome.has_value();
    const std::uint64_t room = std::max<std::uint64_t>(1, window_.available());
    const std::uint64_t most = decoding ? 1 : context_.plan.micro_batch_samples();
    const std::uint64_t count = std::min({samples - done, room, most});
    const bool admitted = co_await window_.acquire(count);
    if (!admitted) co_return false;
    if (decoding) co_await wait_until_asked();
    trace.add(StallCause::kQueue, reactor_.now());
    if (decoding) outcome = co_await emulate_decoding(count);
    trace.add(StallCause::kDecode, reactor_.now());
    if (!accept(outcome, number + done, count, trace)) co_return false;
    if (decoding) trace.restart(reactor_.now(), trace.file(), trace.epoch());
    outcome = {};  // counted once
    done += count;
  }
  co_return !closed_;
}

Task<> Loader::wait_for_epoch(std::uint64_t epoch) {
  while (!closed_ && epochs_begun_ <= epoch) co_await moved_.wait();
}

// A reader holds its batches in advance: a new one is dealt out for each that the accelerator
// starts on.
Task<> Loader::wait_for_dispatch(std::uint64_t batch) {
  while (!closed_ && batch >= batches_released_ + window_batches(context_.plan))
    co_await moved_.wait();
}

// Counts what came, good or bad; false when the reader must end.
bool Loader::accept(const Result<>& outcome, std::uint64_t number, std::uint64_t samples,
                    const StallTrace& trace) {
  if (!outcome) {
    if (outcome.error().kind() == ErrorKind::kCancelled) return false;
    context_.stats.add_error(outcome.error());
    if (context_.plan.on_error == OnError::kStop) {
      context_.on_fatal(outcome.error());
      return false;
    }
  }
  if (samples > 0) deliver(number, samples, trace);
  return !closed_;
}

void Loader::deliver(std::uint64_t number, std::uint64_t samples, const StallTrace& trace) {
  // Checking and copying take time of their own: the batch is complete after them.
  const bool worked = context_.plan.level != ByteLevel::kRaw || context_.plan.hold;
  const Instant now = worked ? reactor_.refresh_now() : reactor_.now();
  const std::uint64_t complete = assembly_.batches_complete();
  if (assembly_.is_next(number)) chain_.advance(trace, now);
  assembly_.deliver(number, samples, now);
  delivered_ += samples;
  context_.stats.samples_read += samples;
  context_.stats.samples.add(now, static_cast<double>(samples));
  context_.progress.samples.fetch_add(samples, std::memory_order_relaxed);
  const bool epoch_ends = delivered_ % samples_per_epoch_ == 0;
  if ((faithful() && epoch_ends) || delivered_ == samples_total_) assembly_.end_of_input(now);
  for (std::uint64_t i = complete; i < assembly_.batches_complete(); ++i)
    pieces_.push_back(chain_.take());
  if (assembly_.has_batch() && accelerator_) reactor_.post(std::exchange(accelerator_, {}));
}

Task<Result<>> Loader::read_item(WorkItem item, StallTrace& trace) {
  if (context_.plan.dataset->one_sample_per_file()) co_return co_await read_own_file(item, trace);
  const Result<FileCache::Entry*> entry = co_await context_.files.acquire(item.file);
  trace.add(StallCause::kOpen, reactor_.now());
  if (!entry) co_return fail(entry.error());
  Result<> outcome = co_await read_metadata(**entry, trace);
  if (outcome) outcome = co_await read_cached_file(item, **entry, trace);
  context_.files.release(**entry);
  co_return outcome;
}

Task<Result<>> Loader::read_cached_file(WorkItem item, FileCache::Entry& entry, StallTrace& trace) {
  const FileIndex& index = *entry.index;
  std::vector<Extent> reads;
  index.locate(item.first_sample, item.samples, reads);
  std::vector<std::byte> gathered;
  const Sink sink{trace, entry.verifier.get(), decodes() ? &gathered : nullptr};
  Result<> outcome = co_await read_extents(*entry.file, reads, sink);
  if (outcome) context_.stats.epoch(item.epoch).located += total_length(reads);
  if (!outcome || !decodes()) {
    if (outcome && emulates_decoding()) outcome = co_await emulate_decoding(item.samples);
    trace.add(StallCause::kDecode, reactor_.now());
    co_return outcome;
  }
  std::vector<std::uint64_t> lengths;
  for (std::uint64_t i = 0; index.contiguous() && i < item.samples; ++i)
    lengths.push_back(index.sample(item.first_sample + i).length);
  if (lengths.empty()) lengths.push_back(gathered.size());
  outcome = co_await decode(entry.file->path(), gathered, lengths);
  trace.add(StallCause::kDecode, reactor_.now());
  co_return outcome;
}

Task<Result<>> Loader::read_metadata(FileCache::Entry& entry, StallTrace& trace) {
  if (!std::exchange(entry.fresh, false)) co_return Result<>{};
  StallTrace ignored;  // all of it is part of opening
  const Result<> outcome = co_await read_extents(*entry.file, entry.index->open_reads,
                                                 Sink{ignored, nullptr, nullptr, false});
  trace.add(StallCause::kOpen, reactor_.now());
  if (!outcome) co_return outcome;
  co_return co_await read_side_file(entry.number, trace);
}

Task<Result<>> Loader::read_side_file(std::uint64_t file, StallTrace& trace) {
  const Dataset& dataset = *context_.plan.dataset;
  if (!dataset.has_side_files()) co_return Result<>{};
  const Dataset::SideFile side = dataset.side_file(file);
  if (side.path.empty() || side.bytes == 0) co_return Result<>{};
  const std::string path = dataset.resolve(side.path);
  co_return co_await read_whole_file(path, side.bytes, Sink{trace, nullptr, nullptr, false});
}

// A file that is a sample, and the one beside it.
Task<Result<>> Loader::read_own_file(WorkItem item, StallTrace& trace) {
  const Dataset& dataset = *context_.plan.dataset;
  const bool verify = context_.plan.level == ByteLevel::kVerify;
  std::shared_ptr<const FileIndex> index;
  std::unique_ptr<Verifier> verifier;
  if (verify || faithful()) index = dataset.index(item.file);
  if (verify) verifier = dataset.format().verifier(index, dataset.content(item.file));
  std::vector<std::byte> gathered;
  const Sink sink{trace, verifier.get(), decodes() ? &gathered : nullptr};
  Result<> outcome = co_await read_own_bytes(item, sink, index.get());
  if (outcome) count_located(item, index.get());
  if (outcome && dataset.has_side_files()) outcome = co_await read_side_file(item.file, trace);
  if (outcome && decodes()) {
    if (!dataset.format().whole_file()) cut_out_samples(*dataset.index(item.file), gathered);
    const std::vector<std::uint64_t> lengths{gathered.size()};
    const std::string path = dataset.full_path(item.file);
    outcome = co_await decode(path, gathered, lengths);
  } else if (outcome && emulates_decoding()) {
    outcome = co_await emulate_decoding(item.samples);
  }
  trace.add(StallCause::kDecode, reactor_.now());
  co_return outcome;
}

// Opened, read whole (native) or as the format's own reader does (faithful), closed.
Task<Result<>> Loader::read_own_bytes(WorkItem item, Sink sink, const FileIndex* index) {
  const Dataset& dataset = *context_.plan.dataset;
  const std::string path = dataset.full_path(item.file);
  const std::uint64_t bytes = dataset.file_bytes(item.file);
  if (!faithful()) co_return co_await read_whole_file(path, bytes, sink);
  const Instant begin = reactor_.now();
  Result<FileHandle> file = co_await context_.storage.open(path, OpenMode::kRead);
  sink.trace.add(StallCause::kOpen, reactor_.now());
  if (!file) co_return fail(file.error());
  context_.stats.add_open(reactor_.now() - begin);
  const Result<> outcome = co_await read_opened_file(**file, *index, sink);
  const Result<> closed = co_await context_.storage.close(std::move(*file));
  sink.trace.add(StallCause::kOpen, reactor_.now());
  if (outcome && !closed) co_return closed;
  co_return outcome;
}

Task<Result<>> Loader::read_whole_file(const std::string& path, std::uint64_t bytes, Sink sink) {
  const Instant begin = reactor_.now();
  if (!faithful() && bytes <= std::min(context_.plan.transfer_bytes, context_.buffer_bytes)) {
    Buffer buffer = co_await context_.buffers.acquire();
    const Instant issued = reactor_.now();
    sink.trace.add(StallCause::kQueue, issued);
    if (skips(sink)) co_return Result<>{};
    const Result<ReadOutcome> outcome = co_await context_.storage.read_file(path, bytes, buffer);
    if (!outcome) co_return fail(outcome.error());
    sink.trace.add(StallCause::kOpen, outcome->opened_at);
    context_.stats.add_open(outcome->opened_at - issued);
    co_return account(path, *outcome, outcome->opened_at, 0, sink);
  }
  Result<FileHandle> file = co_await context_.storage.open(path, OpenMode::kRead);
  sink.trace.add(StallCause::kOpen, reactor_.now());
  if (!file) co_return fail(file.error());
  context_.stats.add_open(reactor_.now() - begin);
  const Result<> outcome = co_await read_whole(**file, bytes, sink);
  const Result<> closed = co_await context_.storage.close(std::move(*file));
  sink.trace.add(StallCause::kOpen, reactor_.now());
  if (outcome && !closed) co_return closed;
  co_return outcome;
}

Task<Result<>> Loader::read_whole(StorageFile& file, std::uint64_t bytes, Sink sink) {
  const std::vector<Extent> all{{0, bytes}};
  co_return co_await read_extents(file, all, sink);
}

Task<Result<>> Loader::read_opened_file(StorageFile& file, const FileIndex& index, Sink sink) {
  // Decoding takes the file as a whole. The metadata is in there, and must not count twice.
  if (sink.gathered != nullptr) co_return co_await read_whole(file, index.file_bytes, sink);
  std::vector<Extent> reads = index.open_reads;
  index.locate(0, index.sample_count(), reads);
  co_return co_await read_extents(file, reads, sink);
}

// Reads these in order; natively several transfers at once.
Task<Result<>> Loader::read_extents(StorageFile& file, const std::vector<Extent>& reads,
                                    Sink sink) {
  const std::uint64_t transfer = std::min(context_.plan.transfer_bytes, context_.buffer_bytes);
  ParallelRead shared{reads, 0, transfer, Semaphore(reactor_, 0), std::nullopt};
  // Checksums and decoders need the bytes in order: one lane.
  const bool one_transfer = reads.size() == 1 && reads.front().length <= transfer;
  const bool one_lane =
      one_transfer || context_.plan.transfers_per_sample == 1 || faithful() || sink.in_order();
  if (one_lane) {
    while (const std::optional<Extent> piece = shared.next()) {
      const Result<> outcome = co_await read_piece(file, *piece, sink);
      if (!outcome) co_return outcome;
    }
    co_return Result<>{};
  }
  const std::uint32_t lanes = context_.plan.transfers_per_sample;
  for (std::uint32_t lane = 0; lane < lanes; ++lane)
    reactor_.spawn(read_lane(shared, file, sink.trace));
  const bool joined = co_await shared.finished.acquire(lanes);
  FEEDRATE_ASSERT(joined);
  if (shared.error) co_return fail(*shared.error);
  if (shared.next()) co_return fail(ErrorKind::kCancelled, "the run has ended");
  co_return Result<>{};
}

Task<> Loader::read_lane(ParallelRead& shared, StorageFile& file, StallTrace& trace) {
  while (!shared.error && !closed_) {
    const std::optional<Extent> piece = shared.next();
    if (!piece) break;
    const Result<> outcome = co_await read_piece(file, *piece, Sink{trace});
    if (!outcome && !shared.error) shared.error = outcome.error();
  }
  shared.finished.release(1);
}

Task<Result<>> Loader::read_piece(StorageFile& file, Extent piece, Sink sink) {
  if (skips(sink)) co_return Result<>{};
  Buffer buffer = co_await context_.buffers.acquire();
  const Instant begin = reactor_.now();
  sink.trace.add(StallCause::kQueue, begin);
  const Result<ReadOutcome> outcome =
      co_await context_.storage.read(file, piece.offset, piece.length, buffer);
  if (!outcome) co_return fail(outcome.error());
  co_return account(file.path(), *outcome, begin, piece.offset, sink);
}

Result<> Loader::account(const std::string& path, const ReadOutcome& outcome, Instant begin,
                         std::uint64_t offset, Sink sink) {
  ReaderStats& stats = context_.stats;
  const Instant now = reactor_.now();
  stats.add_read(begin, now, outcome.bytes.size(), outcome.moved_bytes);
  if (sink.is_sample) stats.epoch(sink.trace.epoch()).returned += outcome.bytes.size();
  sink.trace.add_read(first_byte(outcome, now), now, outcome.bytes.size());
  context_.progress.bytes.fetch_add(outcome.moved_bytes, std::memory_order_relaxed);
  if (context_.plan.hold) {
    held_.emplace_back(outcome.bytes.begin(), outcome.bytes.end());
    sink.trace.add(StallCause::kCopy, reactor_.refresh_now());
  }
  if (!context_.storage.carries_data()) return {};
  if (sink.gathered != nullptr)
    sink.gathered->insert(sink.gathered->end(), outcome.bytes.begin(), outcome.bytes.end());
  if (sink.verifier == nullptr) return {};
  const Duration before = thread_cpu_time();
  const Result<> checked = sink.verifier->consume(offset, outcome.bytes);
  stats.processing_cpu += thread_cpu_time() - before;
  stats.bytes_processed += outcome.bytes.size();
  sink.trace.add(StallCause::kDecode, reactor_.refresh_now());
  if (!checked) return fail(checked.error().with_context(quote_path(path)));
  return {};
}

// Counts what a sample takes that has a file of its own: the native client reads all of it, the
// faithful one what the format's reference reader reads.
void Loader::count_located(const WorkItem& item, const FileIndex* index) {
  std::uint64_t bytes = context_.plan.dataset->file_bytes(item.file);
  if (faithful() && !decodes()) {
    std::vector<Extent> reads = index->open_reads;
    index->locate(0, index->sample_count(), reads);
    bytes = total_length(reads);
  }
  context_.stats.epoch(item.epoch).located += bytes;
}

// When the first byte came. Where the storage cannot say: what the bytes take at the rate of one
// read by itself was transfer, the rest was waiting.
Instant Loader::first_byte(const ReadOutcome& outcome, Instant now) const {
  if (outcome.first_byte_at != Instant{}) return outcome.first_byte_at;
  if (context_.stream_bytes_per_second <= 0) return now;
  return now -
         from_seconds(static_cast<double>(outcome.moved_bytes) / context_.stream_bytes_per_second);
}

bool Loader::emulates_decoding() const {
  return context_.plan.decode_time.count() > 0 && !context_.storage.carries_data();
}

// Where no bytes move there is nothing to decode: it takes the time that the plan says.
Task<Result<>> Loader::emulate_decoding(std::uint64_t samples) {
  const TrainingPlan& plan = context_.plan;
  const Instant done = reactor_.now() + plan.decode_time * static_cast<Duration::rep>(samples);
  const bool waited = co_await reactor_.sleep_until(done);
  if (!waited) co_return fail(ErrorKind::kCancelled, "the run was interrupted");
  co_return Result<>{};
}

bool Loader::skips(const Sink& sink) const {
  return sink.is_sample && context_.plan.test_skips_epoch > 0 &&
         sink.trace.epoch() + 1 == context_.plan.test_skips_epoch;
}

bool Loader::decodes() const {
  return context_.plan.level == ByteLevel::kDecode && context_.storage.carries_data();
}

namespace {

struct Decoded {
  Duration cpu{};
  std::uint64_t samples = 0, bytes = 0;
  std::optional<Error> error;
};

Decoded decode_samples(Decoder& decoder, std::span<const std::byte> gathered,
                       const std::vector<std::uint64_t>& lengths) {
  Decoded result;
  const Duration before = thread_cpu_time();
  for (const std::uint64_t length : lengths) {
    const auto bytes = decoder.decode(gathered.first(length));
    gathered = gathered.subspan(length);
    if (!bytes) {
      result.error = bytes.error();
      break;
    }
    ++result.samples;
    result.bytes += *bytes;
  }
  result.cpu = thread_cpu_time() - before;
  return result;
}

}  // namespace

Task<Result<>> Loader::decode(const std::string& path, const std::vector<std::byte>& gathered,
                              const std::vector<std::uint64_t>& lengths) {
  auto& idle = context_.idle_decoders;
  std::unique_ptr<Decoder> decoder;
  if (idle.empty()) {
    decoder = context_.plan.dataset->format().decoder();
  } else {
    decoder = std::move(idle.back());
    idle.pop_back();
  }
  if (decoder == nullptr) co_return Result<>{};  // the stored bytes are the tensors
  const std::span<const std::byte> bytes(gathered);
  auto job = reactor_.offload(
      [&decoder, bytes, &lengths] { return decode_samples(*decoder, bytes, lengths); });
  const Decoded result = co_await job;
  idle.push_back(std::move(decoder));
  ReaderStats& stats = context_.stats;
  stats.processing_cpu += result.cpu;
  stats.samples_processed += result.samples;
  stats.bytes_processed += gathered.size();
  stats.bytes_decoded += result.bytes;
  if (result.error) co_return fail(result.error->with_context(quote_path(path)));
  co_return Result<>{};
}

}  // namespace feedrate

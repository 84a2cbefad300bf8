#include "feedrate/engine/read_path.h"

#include <algorithm>
#include <utility>

namespace feedrate {
namespace {

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

}  // namespace

std::uint64_t total_length(const std::vector<Extent>& extents) {
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.length;
  return total;
}

// The extents that are read in transfers, several at once when there are several lanes.
struct ReadPath::ParallelRead {
  std::vector<Extent> reads;  // Those before `current` are done, that one in part.
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

Task<Result<>> ReadPath::read_item(WorkItem item, StallTrace& trace) {
  if (context_.plan.dataset->one_sample_per_file()) co_return co_await read_own_file(item, trace);
  const Result<FileCache::Entry*> entry = co_await context_.files.acquire(item.file);
  trace.add(StallCause::kOpen, reactor().now());
  if (!entry) co_return fail(entry.error());
  Result<> outcome = co_await read_metadata(**entry, trace);
  if (outcome) outcome = co_await read_cached_file(item, **entry, trace);
  context_.files.release(**entry);
  co_return outcome;
}

Task<Result<>> ReadPath::read_cached_file(WorkItem item, FileCache::Entry& entry,
                                          StallTrace& trace) {
  const FileIndex& index = *entry.index;
  std::vector<Extent> reads;
  index.locate(item.first_sample, item.samples, reads);
  std::vector<std::byte> gathered;
  const Sink sink{trace, entry.verifier.get(), processing_.decodes() ? &gathered : nullptr};
  Result<> outcome = co_await read_extents(*entry.file, reads, sink);
  if (outcome) context_.stats.epoch(item.epoch).located += total_length(reads);
  if (!outcome || !processing_.decodes()) {
    if (outcome && processing_.emulates_decoding())
      outcome = co_await processing_.emulate_decoding(item.samples);
    trace.add(StallCause::kDecode, reactor().now());
    co_return outcome;
  }
  std::vector<std::uint64_t> lengths;
  for (std::uint64_t i = 0; index.contiguous() && i < item.samples; ++i)
    lengths.push_back(index.sample(item.first_sample + i).length);
  if (lengths.empty()) lengths.push_back(gathered.size());
  outcome = co_await processing_.decode(entry.file->path(), gathered, lengths);
  trace.add(StallCause::kDecode, reactor().now());
  co_return outcome;
}

Task<Result<>> ReadPath::read_metadata(FileCache::Entry& entry, StallTrace& trace) {
  if (!std::exchange(entry.fresh, false)) co_return Result<>{};
  StallTrace ignored;  // Ignored, because all of it counts as opening.
  const Result<> outcome = co_await read_extents(*entry.file, entry.index->open_reads,
                                                 Sink{ignored, nullptr, nullptr, false});
  trace.add(StallCause::kOpen, reactor().now());
  if (!outcome) co_return outcome;
  co_return co_await read_side_file(entry.number, trace);
}

Task<Result<>> ReadPath::read_side_file(std::uint64_t file, StallTrace& trace) {
  const Dataset& dataset = *context_.plan.dataset;
  if (!dataset.has_side_files()) co_return Result<>{};
  const Dataset::SideFile side = dataset.side_file(file);
  if (side.path.empty() || side.bytes == 0) co_return Result<>{};
  const std::string path = dataset.resolve(side.path);
  co_return co_await read_whole_file(path, side.bytes, Sink{trace, nullptr, nullptr, false});
}

// Reads a file that is a sample, and the file beside it.
Task<Result<>> ReadPath::read_own_file(WorkItem item, StallTrace& trace) {
  const Dataset& dataset = *context_.plan.dataset;
  const bool verify = context_.plan.level == ByteLevel::kVerify;
  std::shared_ptr<const FileIndex> index;
  std::unique_ptr<Verifier> verifier;
  if (verify || context_.faithful()) index = dataset.index(item.file);
  if (verify) verifier = dataset.format().verifier(index, dataset.content(item.file));
  std::vector<std::byte> gathered;
  const Sink sink{trace, verifier.get(), processing_.decodes() ? &gathered : nullptr};
  Result<> outcome = co_await read_own_bytes(item, sink, index.get());
  if (outcome) count_located(item, index.get());
  if (outcome && dataset.has_side_files()) outcome = co_await read_side_file(item.file, trace);
  if (outcome && processing_.decodes()) {
    if (!dataset.format().whole_file()) cut_out_samples(*dataset.index(item.file), gathered);
    const std::vector<std::uint64_t> lengths{gathered.size()};
    const std::string path = dataset.full_path(item.file);
    outcome = co_await processing_.decode(path, gathered, lengths);
  } else if (outcome && processing_.emulates_decoding()) {
    outcome = co_await processing_.emulate_decoding(item.samples);
  }
  trace.add(StallCause::kDecode, reactor().now());
  co_return outcome;
}

// Opens a file, reads it whole (native) or as the format's own reader does (faithful), and closes
// it.
Task<Result<>> ReadPath::read_own_bytes(WorkItem item, Sink sink, const FileIndex* index) {
  const Dataset& dataset = *context_.plan.dataset;
  const std::string path = dataset.full_path(item.file);
  const std::uint64_t bytes = dataset.file_bytes(item.file);
  if (!context_.faithful()) co_return co_await read_whole_file(path, bytes, sink);
  const Instant begin = reactor().now();
  Result<FileHandle> file = co_await context_.storage.open(path, OpenMode::kRead);
  sink.trace.add(StallCause::kOpen, reactor().now());
  if (!file) co_return fail(file.error());
  context_.stats.add_open(reactor().now() - begin);
  const Result<> outcome = co_await read_opened_file(**file, *index, sink);
  const Result<> closed = co_await context_.storage.close(std::move(*file));
  sink.trace.add(StallCause::kOpen, reactor().now());
  if (outcome && !closed) co_return closed;
  co_return outcome;
}

Task<Result<>> ReadPath::read_whole_file(const std::string& path, std::uint64_t bytes, Sink sink) {
  const Instant begin = reactor().now();
  if (!context_.faithful() &&
      bytes <= std::min(context_.plan.transfer_bytes, context_.buffer_bytes)) {
    Buffer buffer = co_await context_.buffers.acquire();
    const Instant issued = reactor().now();
    sink.trace.add(StallCause::kQueue, issued);
    const Result<ReadOutcome> outcome = co_await context_.storage.read_file(path, bytes, buffer);
    if (!outcome) co_return fail(outcome.error());
    sink.trace.add(StallCause::kOpen, outcome->opened_at);
    context_.stats.add_open(outcome->opened_at - issued);
    co_return account(path, *outcome, outcome->opened_at, 0, sink);
  }
  Result<FileHandle> file = co_await context_.storage.open(path, OpenMode::kRead);
  sink.trace.add(StallCause::kOpen, reactor().now());
  if (!file) co_return fail(file.error());
  context_.stats.add_open(reactor().now() - begin);
  const Result<> outcome = co_await read_whole(**file, bytes, sink);
  const Result<> closed = co_await context_.storage.close(std::move(*file));
  sink.trace.add(StallCause::kOpen, reactor().now());
  if (outcome && !closed) co_return closed;
  co_return outcome;
}

Task<Result<>> ReadPath::read_whole(StorageFile& file, std::uint64_t bytes, Sink sink) {
  const std::vector<Extent> all{{0, bytes}};
  co_return co_await read_extents(file, all, sink);
}

Task<Result<>> ReadPath::read_opened_file(StorageFile& file, const FileIndex& index, Sink sink) {
  // Decoding takes the whole file, which contains the metadata; reading those by themselves would
  // count them twice.
  if (sink.gathered != nullptr) co_return co_await read_whole(file, index.file_bytes, sink);
  std::vector<Extent> reads = index.open_reads;
  index.locate(0, index.sample_count(), reads);
  co_return co_await read_extents(file, reads, sink);
}

// Reads the extents in order; the native client may have several transfers in flight.
Task<Result<>> ReadPath::read_extents(StorageFile& file, const std::vector<Extent>& reads,
                                      Sink sink) {
  const std::uint64_t transfer = std::min(context_.plan.transfer_bytes, context_.buffer_bytes);
  ParallelRead shared{reads, 0, transfer, Semaphore(reactor(), 0), std::nullopt};
  // Checksums and decoders need the bytes in order, which only one lane gives.
  const bool one_transfer = reads.size() == 1 && reads.front().length <= transfer;
  const bool one_lane = one_transfer || context_.plan.transfers_per_sample == 1 ||
                        context_.faithful() || sink.in_order();
  if (one_lane) {
    while (const std::optional<Extent> piece = shared.next()) {
      const Result<> outcome = co_await read_piece(file, *piece, sink);
      if (!outcome) co_return outcome;
    }
    co_return Result<>{};
  }
  const std::uint32_t lanes = context_.plan.transfers_per_sample;
  for (std::uint32_t lane = 0; lane < lanes; ++lane)
    reactor().spawn(read_lane(shared, file, sink.trace));
  const bool joined = co_await shared.finished.acquire(lanes);
  FEEDRATE_ASSERT(joined);
  if (shared.error) co_return fail(*shared.error);
  if (shared.next()) co_return fail(ErrorKind::kCancelled, "the run has ended");
  co_return Result<>{};
}

Task<> ReadPath::read_lane(ParallelRead& shared, StorageFile& file, StallTrace& trace) {
  while (!shared.error && !closed_) {
    const std::optional<Extent> piece = shared.next();
    if (!piece) break;
    const Result<> outcome = co_await read_piece(file, *piece, Sink{trace});
    if (!outcome && !shared.error) shared.error = outcome.error();
  }
  shared.finished.release(1);
}

Task<Result<>> ReadPath::read_piece(StorageFile& file, Extent piece, Sink sink) {
  Buffer buffer = co_await context_.buffers.acquire();
  const Instant begin = reactor().now();
  sink.trace.add(StallCause::kQueue, begin);
  const Result<ReadOutcome> outcome =
      co_await context_.storage.read(file, piece.offset, piece.length, buffer);
  if (!outcome) co_return fail(outcome.error());
  co_return account(file.path(), *outcome, begin, piece.offset, sink);
}

Result<> ReadPath::account(const std::string& path, const ReadOutcome& outcome, Instant begin,
                           std::uint64_t offset, const Sink& sink) {
  ReaderStats& stats = context_.stats;
  const Instant now = reactor().now();
  stats.add_read(begin, now, outcome.bytes.size(), outcome.moved_bytes);
  if (sink.is_sample) stats.epoch(sink.trace.epoch()).returned += outcome.bytes.size();
  sink.trace.add_read(first_byte(outcome, now), now, outcome.bytes.size());
  context_.progress.bytes.fetch_add(outcome.moved_bytes, std::memory_order_relaxed);
  return processing_.take(path, outcome.bytes, offset, sink);
}

// Counts the bytes that a sample with a file of its own takes: the native client reads all of the
// file, the faithful one what the format's reference reader reads.
void ReadPath::count_located(const WorkItem& item, const FileIndex* index) {
  std::uint64_t bytes = context_.plan.dataset->file_bytes(item.file);
  if (context_.faithful() && !processing_.decodes()) {
    std::vector<Extent> reads = index->open_reads;
    index->locate(0, index->sample_count(), reads);
    bytes = total_length(reads);
  }
  context_.stats.epoch(item.epoch).located += bytes;
}

// Returns when the first byte came. Where the storage cannot say that, the time that the bytes take
// at the rate of one read without company counts as transfer, and the rest as waiting.
Instant ReadPath::first_byte(const ReadOutcome& outcome, Instant now) const {
  if (outcome.first_byte_at != Instant{}) return outcome.first_byte_at;
  if (context_.stream_bytes_per_second <= 0) return now;
  return now -
         from_seconds(static_cast<double>(outcome.moved_bytes) / context_.stream_bytes_per_second);
}

}  // namespace feedrate

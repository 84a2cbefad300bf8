#include "feedrate/storage/stream_reader.h"

namespace feedrate {

StreamReader::StreamReader(Storage& storage, BufferPool& pool, std::span<const FileHandle> files,
                           std::span<const StreamRead> reads, const StreamReaderOptions& options,
                           Observed observed)
    : storage_(storage),
      pool_(pool),
      files_(files),
      reads_(reads),
      observed_(std::move(observed)),
      in_flight_(storage.reactor(), options.reads_at_once),
      ended_(storage.reactor(), 0),
      arrived_(storage.reactor()),
      taken_(storage.reactor()),
      places_(std::min<std::uint64_t>(options.reads_at_once + options.ahead, reads.size())) {}

Task<Result<std::optional<StreamReader::Block>>> StreamReader::next() {
  if (!started_) {
    started_ = true;
    for (std::size_t lane = 0; lane < places_.size(); ++lane) storage_.reactor().spawn(run_lane());
  }
  if (stopped_ || given_ == reads_.size()) co_return std::optional<Block>();
  Place& place = places_[given_ % places_.size()];
  while (!place.outcome) co_await arrived_.wait();
  if (!*place.outcome || storage_.reactor().stopping()) {
    stopped_ = true;
    const Result<ReadOutcome> outcome = *place.outcome;
    taken_.signal();
    if (!outcome) co_return fail(outcome.error());
    co_return fail(ErrorKind::kCancelled, "interrupted");
  }
  Block block{std::move(place.buffer), (*place.outcome)->bytes, given_};
  place.outcome.reset();
  ++given_;
  taken_.signal();
  co_return std::optional<Block>(std::move(block));
}

Task<> StreamReader::finish() {
  stopped_ = true;
  taken_.signal();
  if (!started_) co_return;
  const bool joined = co_await ended_.acquire(places_.size());
  FEEDRATE_ASSERT(joined);
  places_.clear();
}

Task<> StreamReader::run_lane() {
  Reactor& reactor = storage_.reactor();
  while (!stopped_ && issued_ < reads_.size()) {
    const std::size_t index = issued_++;
    const StreamRead& read = reads_[index];
    // The read that had this place before may still wait for the caller.
    while (index >= given_ + places_.size() && !stopped_) co_await taken_.wait();
    if (stopped_) break;
    // The buffer comes before the permit: a lane that waits for a buffer must not keep another one
    // from reading.
    Buffer buffer = co_await pool_.acquire();
    const bool admitted = co_await in_flight_.acquire(1);
    FEEDRATE_ASSERT(admitted);
    const Instant begin = reactor.refresh_now();
    Result<ReadOutcome> outcome =
        co_await storage_.read(*files_[read.file], read.offset, read.length, buffer);
    if (outcome) observed_(read.length, reactor.now() - begin);
    in_flight_.release(1);
    Place& place = places_[index % places_.size()];
    place.buffer = std::move(buffer);
    place.outcome = std::move(outcome);
    arrived_.signal();
  }
  ended_.release(1);
}

}  // namespace feedrate

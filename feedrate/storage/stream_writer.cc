#include "feedrate/storage/stream_writer.h"

#include <algorithm>

namespace feedrate {

// Fills a block in slices and yields to the reactor between them, so that writes which are done get
// successors.
Task<std::uint64_t> StreamWriter::fill(Buffer& buffer) {
  if (!storage_.carries_data()) co_return source_({}, options_.block_bytes);
  const std::span<std::byte> block = buffer.bytes().first(options_.block_bytes);
  std::uint64_t made = 0;
  while (made < block.size()) {
    co_await storage_.reactor().yield();
    const std::uint64_t room = std::min<std::uint64_t>(kTurnBytes, block.size() - made);
    const std::uint64_t count = source_(block.subspan(made, room), room);
    made += count;
    if (count < room) break;
  }
  co_return made;
}

Task<Result<>> StreamWriter::write_all() {
  Reactor& reactor = storage_.reactor();
  std::uint64_t offset = options_.begin;
  while (!error_) {
    // The next block is made while others are being written, so that storage need not wait for it.
    Pending pending;
    pending.buffer = co_await pool_.acquire();
    pending.length = co_await fill(pending.buffer);
    const std::uint64_t length = pending.length;
    if (length == 0 || reactor.stopping()) break;
    for (Pacer* pacer : options_.pacers) {
      const Instant at = pacer->reserve(reactor.refresh_now(), length);
      co_await reactor.sleep_until(at);
    }
    const bool admitted = co_await permits_.acquire(1);
    FEEDRATE_ASSERT(admitted);
    reactor.spawn(write_one(std::move(pending), offset));
    offset += length;
  }
  // Having all permits means that no write is in flight.
  const bool drained = co_await permits_.acquire(options_.writes_at_once);
  FEEDRATE_ASSERT(drained);
  permits_.release(options_.writes_at_once);
  if (error_) co_return fail(*error_);
  if (reactor.stopping()) co_return fail(ErrorKind::kCancelled, "interrupted");
  co_return Result<>{};
}

Task<> StreamWriter::write_one(Pending pending, std::uint64_t offset) {
  Reactor& reactor = storage_.reactor();
  const Instant begin = reactor.refresh_now();
  const Result<> outcome = co_await storage_.write(file_, offset, pending.length, pending.buffer);
  if (!outcome && !error_) error_ = outcome.error();
  if (outcome) written_(pending.length, reactor.now() - begin);
  permits_.release(1);
}

}  // namespace feedrate

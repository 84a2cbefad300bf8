// Reads a list of extents, several at a time, and gives them out in their order.
//
// Reads go on while the caller looks at what it has: a window of them is in flight or waits for its
// turn. Everything runs on the storage's reactor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "feedrate/runtime/sync.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct StreamRead {
  std::size_t file = 0;  // The index of the file.
  std::uint64_t offset = 0, length = 0;
};

struct StreamReaderOptions {
  std::uint64_t reads_at_once = 4;
  std::uint64_t ahead = 2;  // Further reads that are done and wait for the caller.
  // The most buffers of the pool that are held at once.
  std::uint64_t buffers() const { return reads_at_once + ahead + 1; }
};

class StreamReader {
 public:
  using Observed = std::function<void(std::uint64_t bytes, Duration latency)>;

  // `files` and `reads` must outlive it; the pool's blocks hold each length and the slack. A stream
  // takes its buffers in the order of its reads, so that several may share a pool of any size.
  StreamReader(Storage& storage, BufferPool& pool, std::span<const FileHandle> files,
               std::span<const StreamRead> reads, const StreamReaderOptions& options,
               Observed observed);

  struct Block {
    Buffer buffer;
    // The bytes in `buffer`; they have a size but no content when the storage carries no data.
    std::span<const std::byte> bytes;
    std::size_t read = 0;  // The index of the read.
  };
  // Returns nullopt at the end. It must not be called again after an error. A block's buffer
  // returns to the pool when the block is destroyed.
  Task<Result<std::optional<Block>>> next();
  // Waits for what is still in flight. It must be awaited before the reader is destroyed, also
  // after an error.
  Task<> finish();

 private:
  struct Place {
    Buffer buffer;
    std::optional<Result<ReadOutcome>> outcome;  // Set once the read is done.
  };
  Task<> run_lane();

  Storage& storage_;
  BufferPool& pool_;
  std::span<const FileHandle> files_;
  std::span<const StreamRead> reads_;
  Observed observed_;
  Semaphore in_flight_, ended_;
  Event arrived_, taken_;
  // Read i has the place i modulo their number; there is one for each lane.
  std::vector<Place> places_;
  std::size_t issued_ = 0, given_ = 0;
  bool started_ = false, stopped_ = false;
};

}  // namespace feedrate

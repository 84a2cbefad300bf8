// Writes a file, or a part of one, from a source of bytes, several blocks at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "feedrate/runtime/pacer.h"
#include "feedrate/runtime/sync.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct StreamWriterOptions {
  std::uint64_t begin = 0;  // Where in the file it begins; aligned for direct I/O.
  // The size of each write; the pool's blocks hold this and the slack.
  std::uint64_t block_bytes = 0;
  std::uint64_t writes_at_once = 2;  // The writer takes one buffer more, which is filled meanwhile.
  std::vector<Pacer*> pacers = {};   // Each write waits for all of them.
};

class StreamWriter {
 public:
  // Fills `out` and returns how much it filled. When the storage carries no data `out` is empty,
  // and the source only says how much it would fill. Either way it advances by `room` bytes; by
  // fewer only at the end, and by 0 after it.
  using Source = std::function<std::uint64_t(std::span<std::byte> out, std::uint64_t room)>;
  using Written = std::function<void(std::uint64_t bytes, Duration latency)>;

  StreamWriter(Storage& storage, BufferPool& pool, StorageFile& file,
               const StreamWriterOptions& options, Source source, Written written)
      : storage_(storage),
        pool_(pool),
        file_(file),
        options_(options),
        source_(std::move(source)),
        written_(std::move(written)),
        permits_(storage.reactor(), options.writes_at_once) {}

  // Writes until the source ends, a write fails or the reactor is stopped (kCancelled).
  Task<Result<>> write_all();

 private:
  // A buffer that is being written while the next one is filled.
  struct Pending {
    Buffer buffer;
    std::uint64_t length = 0;
  };
  Task<std::uint64_t> fill(Buffer& buffer);
  Task<> write_one(Pending pending, std::uint64_t offset);

  Storage& storage_;
  BufferPool& pool_;
  StorageFile& file_;
  StreamWriterOptions options_;
  Source source_;
  Written written_;
  Semaphore permits_;
  std::optional<Error> error_;
};

}  // namespace feedrate

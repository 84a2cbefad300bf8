// The system calls of a storage backend, as requests that complete on a Reactor.
//
// Three drivers: io_uring (uring_reactor.cc), a pool of threads that call preadv and the like, for
// hosts where io_uring is not to be had (thread_reactor.cc), and inline, which does the call at
// once and costs no virtual time (virtual_reactor.cc).
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"

namespace feedrate {

// An open file: a file descriptor, or a slot of the ring's own file table.
struct IoFile {
  int number = -1;
  bool registered = false;
};

enum class IoKind : std::uint8_t {
  kOpen,      // path, open_flags, mode -> file, result (0 or -errno)
  kRead,      // file, offset, buffer[length] -> result bytes
  kWrite,     // file, offset, buffer[length] -> result bytes
  kSync,      // file
  kClose,     // file
  kReadFile,  // open path, read buffer[length] at offset, close; one linked chain on io_uring
};

// A request. It lives in the awaiting coroutine's frame until it completes.
struct alignas(8) IoRequest {
  IoKind kind = IoKind::kRead;
  std::uint8_t parts_pending = 0;  // driver's own
  bool for_reading = false;        // kOpen: only reads follow, so a slot of the ring will do
  std::int16_t buffer_index = -1;  // of register_buffers, where the buffer lies in such a region
  IoFile file;
  const char* path = nullptr;
  int open_flags = 0;
  unsigned mode = 0;
  void* buffer = nullptr;
  std::uint32_t length = 0;
  std::uint64_t offset = 0;

  std::int32_t result = 0;       // bytes, or -errno
  std::int32_t open_result = 0;  // kReadFile: 0, or -errno of the open
  Instant opened_at{};           // kReadFile: when the open was seen to complete
  int slot = -1;                 // driver's own
  std::coroutine_handle<> waiter;

  // The file's name, for a request that does not come back; where it is null, the path.
  const char* name = nullptr;
  // The reactor's own list of requests in flight, oldest first.
  Instant since{};
  IoRequest* older = nullptr;
  IoRequest* newer = nullptr;
};

// Requests that have been in flight for suspiciously long.
struct StuckIo {
  std::string oldest;       // in words: a read of "data/x"
  Instant since{};          // the oldest one's start
  std::uint64_t count = 0;  // in flight, with it
};

class IoDriver {
 public:
  virtual ~IoDriver() = default;
  virtual std::string_view name() const = 0;  // "io_uring", "threads", "inline"
  // Starts the request. Its waiter is posted to the reactor when all of it is done.
  virtual void submit(IoRequest& request) = 0;
  // Pins the region for faster I/O, until it is unregistered, and returns its index. Returns -1
  // when the host does not allow it (RLIMIT_MEMLOCK) or there are many already; I/O works all the
  // same.
  virtual std::int16_t register_buffers(std::span<std::byte> region) = 0;
  // To be called on the thread that runs the reactor. If it is called on another one, the region
  // stays pinned as long as the driver exists.
  virtual void unregister_buffers(std::int16_t /*index*/) {}
  // Says what the driver could not get from this host and does without, for the result's warnings.
  virtual std::string shortfall() const { return {}; }
};

// Reads CLOCK_MONOTONIC, the clock of the real-time reactors.
Instant monotonic_now();

// Does the request at once with plain system calls. Its opened_at is on the real clock.
void perform_blocking(IoRequest& request);

}  // namespace feedrate

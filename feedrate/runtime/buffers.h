// A reactor's I/O buffers: equal blocks in one region backed by huge pages where the host has them.
//
// Huge pages matter: on virtio-blk guests O_DIRECT reads of 112 KiB and more run nearly twice as
// fast from 2 MiB pages, because each request needs few segments. Blocks are aligned for direct
// I/O and handed out last-in first-out, so that the bytes in flight stay few and cache-warm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "feedrate/runtime/reactor.h"

namespace feedrate {

inline constexpr std::size_t kBufferAlignment = 4096;

class BufferPool;

// One block, which is given back when it goes out of scope.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();
  std::span<std::byte> bytes() const { return bytes_; }
  std::int16_t registered_index() const;  // as IoRequest::buffer_index
  explicit operator bool() const { return pool_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, std::span<std::byte> bytes) : pool_(pool), bytes_(bytes) {}
  BufferPool* pool_ = nullptr;
  std::span<std::byte> bytes_;
};

struct BufferPoolOptions {
  std::size_t block_bytes = 0;  // rounded up to kBufferAlignment
  std::size_t blocks = 0;
  bool will_carry_data = true;  // false (null storage): pages are never touched, nothing is pinned
};

// Thrown when the address space that this process may use (RLIMIT_AS, `ulimit -v`) does not hold a
// pool.
class NoBuffers : public std::bad_alloc {
 public:
  explicit NoBuffers(std::size_t bytes) : bytes_(bytes) {}
  const char* what() const noexcept override { return "no address space for I/O buffers"; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
};

class BufferPool {
 public:
  BufferPool(Reactor& reactor, const BufferPoolOptions& options);
  BufferPool(const BufferPool&) = delete;
  ~BufferPool();

  // Returns a block, and waits for one when all are out. To be called on the reactor's thread only.
  auto acquire() {
    struct Awaiter {
      BufferPool& pool;
      std::byte* block = nullptr;
      bool await_ready() {
        if (pool.free_.empty()) return false;
        block = pool.free_.back();
        pool.free_.pop_back();
        return true;
      }
      void await_suspend(std::coroutine_handle<> waiter) {
        pool.waiters_.push_back({waiter, &block});
      }
      Buffer await_resume() { return Buffer(&pool, {block, pool.block_bytes_}); }
    };
    return Awaiter{*this};
  }
  std::size_t block_bytes() const { return block_bytes_; }
  std::size_t blocks() const { return blocks_; }
  bool registered() const { return registered_index_ >= 0; }
  // Says why direct reads may run slower than they could, or "".
  const std::string& shortfall() const { return shortfall_; }

 private:
  friend class Buffer;
  struct Waiter {
    std::coroutine_handle<> handle;
    std::byte** block;
  };
  void give_back(std::byte* block);

  Reactor& reactor_;
  std::size_t block_bytes_, blocks_, region_bytes_;
  std::byte* region_ = nullptr;
  std::int16_t registered_index_ = -1;
  std::string shortfall_;
  std::vector<std::byte*> free_;
  std::deque<Waiter> waiters_;
};

}  // namespace feedrate

// libhdf5 with its file replaced: it writes into an Image of ours, and every call of it is made
// under one lock. It is used only for files that we make, since libhdf5 1.10 crashes on damaged
// ones.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>

namespace feedrate::hdf5 {

// The file as libhdf5 sees it. `type` says what the bytes are for (H5FD_MEM_DRAW: values).
class Image {
 public:
  virtual ~Image() = default;
  virtual std::uint64_t size() const = 0;
  virtual bool read(H5FD_mem_t type, std::uint64_t offset, std::span<std::byte> out) = 0;
  virtual bool write(H5FD_mem_t type, std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

// Locks the library and keeps it from printing. The lock is held around every use of libhdf5,
// handles included.
[[nodiscard]] std::unique_lock<std::mutex> lock_library();

// Owns a libhdf5 identifier and closes it. It is negative when the call that made it failed.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_;
  Close close_;
};

// `image` must outlive the handle.
Handle create_image(Image& image);

}  // namespace feedrate::hdf5

#include "feedrate/runtime/task.h"

#include <array>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FEEDRATE_POOL_FRAMES 0  // let the sanitizer see every frame's life
#else
#define FEEDRATE_POOL_FRAMES 1
#endif

namespace feedrate {
namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 64;  // frames up to 4 KiB are pooled

// It is outside of the pool, since the compiler may drop a destructor's last writes to its own
// object.
thread_local bool pool_alive = true;
struct FramePool {
  std::array<std::vector<void*>, kClasses> free_frames;
  ~FramePool() {
    pool_alive = false;
    for (auto& frames : free_frames)
      for (void* frame : frames) ::operator delete(frame);
  }
};
thread_local FramePool pool;

constexpr std::size_t size_class(std::size_t bytes) {
  return (bytes + kClassBytes - 1) / kClassBytes;
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
  const std::size_t index = size_class(bytes);
  if (FEEDRATE_POOL_FRAMES && index < kClasses && pool_alive) {
    auto& frames = pool.free_frames[index];
    if (!frames.empty()) {
      void* frame = frames.back();
      frames.pop_back();
      return frame;
    }
  }
  return ::operator new(index * kClassBytes);
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  const std::size_t index = size_class(bytes);
  if (FEEDRATE_POOL_FRAMES && index < kClasses && pool_alive)
    pool.free_frames[index].push_back(frame);
  else
    ::operator delete(frame);
}

}  // namespace feedrate

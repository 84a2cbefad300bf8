#include "feedrate/runtime/buffers.h"

#include <sys/mman.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "feedrate/base/error.h"

namespace feedrate {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20U;

// Returns the share of the mapping around `address` that sits on huge pages, from /proc/self/smaps.
// The kernel joins neighbouring regions (the pools of several reactors) into one mapping.
double huge_page_share(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<unsigned long>(address);
  std::string line;
  unsigned long start = 0, end = 0;
  while (std::getline(maps, line)) {
    unsigned long first = 0, last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2) start = first, end = last;
    if (wanted < start || wanted >= end || !line.starts_with("AnonHugePages:")) continue;
    const auto huge_bytes = std::stoull(line.substr(line.find(':') + 1)) * 1024;
    return static_cast<double>(huge_bytes) / static_cast<double>(end - start);
  }
  return 0;
}

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() {
  if (pool_ != nullptr) pool_->give_back(bytes_.data());
}

std::int16_t Buffer::registered_index() const {
  return pool_ != nullptr ? pool_->registered_index_ : std::int16_t{-1};
}

BufferPool::BufferPool(Reactor& reactor, const BufferPoolOptions& options)
    : reactor_(reactor),
      block_bytes_(round_up(options.block_bytes, kBufferAlignment)),
      blocks_(options.blocks),
      region_bytes_(round_up(block_bytes_ * blocks_, kHugePageBytes)) {
  FEEDRATE_ASSERT(blocks_ > 0 && block_bytes_ > 0);
  // The mapping is one huge page larger than needed, so that the region can start on a huge-page
  // boundary.
  void* mapping = mmap(nullptr, region_bytes_ + kHugePageBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw NoBuffers(region_bytes_);
  const auto start = reinterpret_cast<std::uintptr_t>(mapping);
  const std::size_t lead = round_up(start, kHugePageBytes) - start;
  if (lead > 0) munmap(mapping, lead);
  region_ = static_cast<std::byte*>(mapping) + lead;
  munmap(region_ + region_bytes_, kHugePageBytes - lead);
  if (options.will_carry_data) {
    madvise(region_, region_bytes_, MADV_HUGEPAGE);
    for (std::size_t offset = 0; offset < region_bytes_; offset += kBufferAlignment)
      region_[offset] = std::byte{1};
    if (huge_page_share(region_) < 0.5)
      shortfall_ =
          "I/O buffers have no huge pages (transparent_hugepage is off or memory is fragmented); "
          "direct reads of 112 KiB and more may run at half speed";
    registered_index_ = reactor_.io().register_buffers({region_, region_bytes_});
  }
  free_.reserve(blocks_);
  for (std::size_t block = blocks_; block-- > 0;) free_.push_back(region_ + block * block_bytes_);
}

BufferPool::~BufferPool() {
  FEEDRATE_ASSERT(free_.size() == blocks_ && waiters_.empty());
  if (registered()) reactor_.io().unregister_buffers(registered_index_);
  munmap(region_, region_bytes_);
}

void BufferPool::give_back(std::byte* block) {
  if (waiters_.empty()) {
    free_.push_back(block);
    return;
  }
  *waiters_.front().block = block;
  reactor_.post(waiters_.front().handle);
  waiters_.pop_front();
}

}  // namespace feedrate

#include "feedrate/checkpoint/rank_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstring>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {

Result<RankMemory> RankMemory::make(std::span<const FilePlan> files) {
  RankMemory memory;
  memory.files_ = files;
  std::uint64_t bytes = 0;
  for (const FilePlan& file : files) {
    std::vector<std::uint64_t>& offsets = memory.offsets_.emplace_back();
    for (const PlacedPiece& placed : file.pieces) {
      offsets.push_back(bytes);
      // Each piece begins on a cache line of its own.
      bytes += (placed.piece.bytes() + 63) / 64 * 64;
    }
  }
  if (bytes == 0) return memory;
  void* region = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (region == MAP_FAILED)
    return fail(ErrorKind::kEnvironment,
                fmt::format("no memory for a snapshot of {}", format_bytes(bytes)),
                "use --subset or a smaller --scale, or leave out --async");
  memory.region_ = static_cast<std::byte*>(region);
  memory.bytes_ = bytes;
  ::madvise(region, bytes, MADV_HUGEPAGE);
  // Touches every page now, so that a snapshot is not slowed down by page faults.
  std::memset(region, 0, bytes);
  return memory;
}

RankMemory::RankMemory(RankMemory&& other) noexcept { *this = std::move(other); }
RankMemory& RankMemory::operator=(RankMemory&& other) noexcept {
  std::swap(files_, other.files_);
  std::swap(offsets_, other.offsets_);
  std::swap(region_, other.region_);
  std::swap(bytes_, other.bytes_);
  return *this;
}
RankMemory::~RankMemory() {
  if (region_ != nullptr) ::munmap(region_, bytes_);
}

std::span<std::byte> RankMemory::piece(std::size_t file, std::size_t piece) const {
  return {region_ + offsets_[file][piece], files_[file].pieces[piece].piece.bytes()};
}

void RankMemory::snapshot(const CheckpointContent& content, std::uint64_t step) {
  for (std::size_t file = 0; file < files_.size(); ++file) {
    const PieceFill fill = emulated_bytes(files_[file], content, step);
    for (std::size_t number = 0; number < files_[file].pieces.size(); ++number)
      fill(number, 0, piece(file, number));
  }
}

PieceFill RankMemory::fill(std::size_t file) const {
  return [this, file](std::size_t number, std::uint64_t offset, std::span<std::byte> out) {
    const std::span<std::byte> bytes = piece(file, number);
    if (!out.empty()) std::memcpy(out.data(), bytes.data() + offset, out.size());
  };
}

}  // namespace feedrate

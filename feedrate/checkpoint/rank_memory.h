// The state of one rank in host memory. An asynchronous checkpoint copies it from the accelerator
// before training goes on, and writes it from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/checkpoint/content.h"
#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/layout.h"

namespace feedrate {

class RankMemory {
 public:
  RankMemory() = default;
  // Allocates room for all pieces and touches its pages in advance, as a job keeps a pinned region.
  // Fails with kEnvironment when the host does not have the memory. `files` must outlive it.
  static Result<RankMemory> make(std::span<const FilePlan> files);
  RankMemory(RankMemory&& other) noexcept;
  RankMemory& operator=(RankMemory&& other) noexcept;
  ~RankMemory();

  std::span<std::byte> piece(std::size_t file, std::size_t piece) const;
  std::uint64_t bytes() const { return bytes_; }
  // Writes the state of an emulated job at a step, which moves as many bytes in memory as a copy
  // does.
  void snapshot(const CheckpointContent& content, std::uint64_t step);
  PieceFill fill(std::size_t file) const;

 private:
  std::span<const FilePlan> files_;
  // The offset in region_ of each piece of each file.
  std::vector<std::vector<std::uint64_t>> offsets_;
  std::byte* region_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace feedrate

// The state of one rank in host memory: what an asynchronous checkpoint copies from the
// accelerator before training goes on, and what is written from then.
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
  // Room for all pieces, its pages touched in advance, as a job keeps a pinned region; kEnvironment
  // when the host does not have it. `files` must outlive it.
  static Result<RankMemory> make(std::span<const FilePlan> files);
  RankMemory(RankMemory&& other) noexcept;
  RankMemory& operator=(RankMemory&& other) noexcept;
  ~RankMemory();

  std::span<std::byte> piece(std::size_t file, std::size_t piece) const;
  std::uint64_t bytes() const { return bytes_; }
  // Takes the state of an emulated job at a step: as many bytes of memory traffic as a copy.
  void snapshot(const CheckpointContent& content, std::uint64_t step);
  PieceFill fill(std::size_t file) const;

 private:
  std::span<const FilePlan> files_;
  std::vector<std::vector<std::uint64_t>> offsets_;  // of each piece of each file
  std::byte* region_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace feedrate

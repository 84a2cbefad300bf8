#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/checkpoint/manifest.h"
#include "feedrate/checkpoint/reshape.h"

namespace feedrate {

// Compares bytes that are parts of pieces with what was written there. It is used where a part has
// no checksum of its own.
class RangeChecker {
 public:
  RangeChecker(const CheckpointManifest& manifest, const std::vector<PieceRange>& ranges)
      : manifest_(manifest), ranges_(ranges) {}

  Result<> consume(std::span<const std::byte> bytes);

 private:
  const CheckpointManifest& manifest_;
  const std::vector<PieceRange>& ranges_;
  std::size_t range_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace feedrate

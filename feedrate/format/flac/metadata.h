// The blocks in front of the frames. Private to flac/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "feedrate/format/format.h"

namespace feedrate::flac {

inline constexpr std::string_view kMagic = "fLaC";
inline constexpr std::uint64_t kBlockHeadBytes = 4, kStreamInfoBytes = 34;

struct BlockHead {
  bool last = false;
  unsigned type = 0;
  std::uint64_t bytes = 0;  // of what follows the head
};

// Parses the head of a block. Returns kCorrupt unless a block with this head may lie at `at` of a
// file of `total_bytes`.
Result<BlockHead> parse_block_head(std::uint64_t at, std::span<const std::byte> head,
                                   std::uint64_t total_bytes);

// Returns the number of samples by the data of a STREAMINFO block; 0 when it is unknown.
std::uint64_t total_samples(std::span<const std::byte> stream_info);

// Returns "fLaC" and the only metadata block of our files.
std::vector<std::byte> stream_head(std::uint64_t samples);

}  // namespace feedrate::flac

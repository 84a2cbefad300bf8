// The bytes of an emulated sample: a pure function of (seed, sample, offset), so that any byte read
// later can be verified without keeping a copy, at memory speed.
//
// A fixed pool of random bytes is XORed with a key for each 4 KiB block of a sample. The keys
// differ, so blocks are neither compressible nor equal to each other; with compressibility c the
// last c of each block is zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace feedrate {

struct SampleContent {
  std::uint64_t seed = 0;
  std::uint64_t sample = 0;  // index in the data set
  std::uint64_t bytes = 0;   // payload length
  std::uint32_t label = 0;
  double compressibility = 0;  // 0 (random) to 1 (all zero)
  std::uint64_t samples = 1;   // that this stream of bytes is the content of (one_content_per_file)
};

inline constexpr std::uint64_t kContentBlockBytes = 4096;

// Writes the payload bytes [offset, offset + out.size()). Requires offset + out.size() <=
// content.bytes.
void fill_content(const SampleContent& content, std::uint64_t offset, std::span<std::byte> out);

// Returns the payload offset of the first byte that differs from what fill_content would write, if
// any.
std::optional<std::uint64_t> first_difference(const SampleContent& content, std::uint64_t offset,
                                              std::span<const std::byte> bytes);

}  // namespace feedrate

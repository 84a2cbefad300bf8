// The header of a frame, and how we spread a payload over frames. Private to flac/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace feedrate::flac {

inline constexpr std::uint64_t kSampleBytes = 2, kBlockSamples = 4096,
                               kBlockBytes = kBlockSamples * kSampleBytes;
inline constexpr std::uint64_t kHeaderBytesMin = 6, kHeaderBytesMax = 16;
inline constexpr std::uint64_t kFramesMax = 1ULL << 31U;

struct FrameHeader {
  bool variable = false;  // number counts samples; else frames
  unsigned block_code = 0, rate_code = 0, size_code = 0;
  std::uint64_t block_samples = 0, number = 0;

  // Returns whether this may be the frame after `before`.
  bool follows(const FrameHeader& before) const;
  // Returns whether its block has the size of the one before. Where the block size is fixed, all
  // blocks but the last have the same.
  bool as_large_as(const FrameHeader& before) const {
    return variable || block_code == before.block_code;
  }
};

// Parses the header that `bytes` begin with, its CRC-8 included. Returns none when there is no
// header, or when it goes on after `bytes`.
std::optional<FrameHeader> parse_frame_header(std::span<const std::byte> bytes);

// Returns the header of our frame `number`, without its CRC-8.
std::vector<std::byte> frame_header(std::uint64_t number, std::uint64_t samples);

// Returns the samples of a payload, the last of them filled up.
std::uint64_t samples_of(std::uint64_t payload_bytes);
// Returns the bytes of all frames of this many samples; UINT64_MAX when there are more frames than
// numbers for them.
std::uint64_t frames_bytes(std::uint64_t samples);

}  // namespace feedrate::flac

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

  // Whether this may be the frame after `before`.
  bool follows(const FrameHeader& before) const;
  // Whether its block has the size that all but the last have where the size is fixed.
  bool as_large_as(const FrameHeader& before) const {
    return variable || block_code == before.block_code;
  }
};

// What `bytes` begin with, its CRC-8 included; none when that is no header or goes on after them.
std::optional<FrameHeader> parse_frame_header(std::span<const std::byte> bytes);

// The header of our frame `number`, without its CRC-8.
std::vector<std::byte> frame_header(std::uint64_t number, std::uint64_t samples);

// Samples of a payload, filled up.
std::uint64_t samples_of(std::uint64_t payload_bytes);
// All frames of so many samples; UINT64_MAX when the frame numbers do not reach.
std::uint64_t frames_bytes(std::uint64_t samples);

}  // namespace feedrate::flac

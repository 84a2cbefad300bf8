// The image that we write for a payload: its size, and all of its bytes but the content. Private to
// jpeg/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace feedrate::jpeg {

// The minimum coded unit of 4:2:0: 16 x 16 pixels, in four blocks of Y and one each of Cb and Cr.
inline constexpr std::uint64_t kUnitPixels = 16, kUnitBlocks = 6;

// The spread of a payload over the scan and the comments.
struct Image {
  std::uint64_t unit_columns, unit_rows;
  std::uint64_t block_bytes;  // DC and AC bytes and the end-of-block byte
  std::uint64_t comments;     // segments

  explicit Image(std::uint64_t payload_bytes);
  // Returns the bytes of a row of units and of the restart marker after it.
  std::uint64_t row_bytes() const { return unit_columns * kUnitBlocks * block_bytes + 2; }
  std::uint64_t scan_bytes() const { return unit_rows * row_bytes() - 2; }

  // Puts the marks of the scan over `bytes`, which stand at `position` of it, and makes the other
  // bytes coefficients.
  void mark_scan(std::uint64_t position, std::span<std::byte> bytes) const;

  // The file's bytes in front of the first comment, and those from the last comment to the scan.
  std::vector<std::byte> tables() const;
  std::vector<std::byte> scan_header() const;
};

inline constexpr std::uint64_t kCommentBytesMax = 65533, kCommentFramingBytes = 4;
// The smallest scan of content, which is one unit. Smaller payloads are filled up to it.
inline constexpr std::uint64_t kPayloadBytesMin = 48;

std::uint64_t file_bytes(std::uint64_t payload_bytes);

}  // namespace feedrate::jpeg

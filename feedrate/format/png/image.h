// The image that we write for a payload. Private to png/.
#pragma once

#include <cstdint>
#include <span>

namespace feedrate::png {

inline constexpr std::uint64_t kPixelBytes = 3;
// The smallest image, which is one pixel and a filter type. Smaller payloads are filled up to it.
inline constexpr std::uint64_t kPayloadBytesMin = 1 + kPixelBytes;
inline constexpr std::uint64_t kBlockBytesMax = 65535;          // of a stored block
inline constexpr std::uint64_t kRestBytesMax = 1ULL << 30U;     // of a private chunk
inline constexpr std::uint64_t kChunkFramingBytes = 4 + 4 + 4;  // length, type, CRC-32

// The spread of a payload over the rows, which the blocks share evenly, and the private chunks.
struct Image {
  std::uint64_t columns, rows, blocks, rests;

  explicit Image(std::uint64_t payload_bytes);
  std::uint64_t row_bytes() const { return 1 + kPixelBytes * columns; }
  std::uint64_t rows_bytes() const { return rows * row_bytes(); }
  // Returns where block `number` begins in the rows; for number = blocks, where the last one ends.
  std::uint64_t block_begin(std::uint64_t number) const { return rows_bytes() * number / blocks; }
  // Puts the filter types of the rows over `bytes`, which stand at `position` of the rows.
  void mark_rows(std::uint64_t position, std::span<std::byte> bytes) const;
};

std::uint64_t file_bytes(std::uint64_t payload_bytes);

}  // namespace feedrate::png

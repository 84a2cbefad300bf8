#include "feedrate/format/png/image.h"

#include <algorithm>
#include <cmath>

namespace feedrate::png {
namespace {

constexpr std::uint64_t kPixelsMax = 89'478'485;
// No image of this many pixels has longer rows in all.
constexpr std::uint64_t kRowsBytesMax = kPixelBytes * kPixelsMax + 16384;
constexpr std::uint64_t kSignatureBytes = 8, kHeaderBytes = 13, kZlibBytes = 2 + 4,
                        kBlockFramingBytes = 5;

// These two never return fewer for a larger payload, and always enough.
std::uint64_t blocks_for(std::uint64_t payload_bytes) {
  const std::uint64_t bytes = std::clamp(payload_bytes, kPayloadBytesMin, kRowsBytesMax);
  return (bytes + kBlockBytesMax - 1) / kBlockBytesMax;
}
std::uint64_t rests_for(std::uint64_t payload_bytes) { return 1 + payload_bytes / kRestBytesMax; }

}  // namespace

Image::Image(std::uint64_t payload_bytes)
    : blocks(blocks_for(payload_bytes)), rests(rests_for(payload_bytes)) {
  const std::uint64_t bytes = std::max(payload_bytes, kPayloadBytesMin);
  const std::uint64_t pixels = std::min(bytes / kPixelBytes, kPixelsMax);
  rows = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::sqrt(0.75 * static_cast<double>(pixels))));
  columns = std::min((bytes / rows - 1) / kPixelBytes, kPixelsMax / rows);
}

void Image::mark_rows(std::uint64_t position, std::span<std::byte> bytes) const {
  const std::uint64_t column = position % row_bytes();
  for (std::uint64_t i = column == 0 ? 0 : row_bytes() - column; i < bytes.size(); i += row_bytes())
    bytes[i] = std::byte{0};
}

std::uint64_t file_bytes(std::uint64_t payload_bytes) {
  return kSignatureBytes + kHeaderBytes + 2 * kChunkFramingBytes +
         rests_for(payload_bytes) * kChunkFramingBytes +
         blocks_for(payload_bytes) * (kChunkFramingBytes + kBlockFramingBytes) + kZlibBytes +
         std::max(payload_bytes, kPayloadBytesMin);
}

}  // namespace feedrate::png

#include "feedrate/format/jpeg/image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>

#include "feedrate/format/wire.h"

namespace feedrate::jpeg {
namespace {

constexpr std::uint64_t kBlockBytes = 8, kBlockBytesMax = 64;  // 1.5 to 12 bits a pixel
constexpr std::uint64_t kUnitsMax = 89'478'485 / (kUnitPixels * kUnitPixels);
constexpr std::uint64_t kUnitBytes = kUnitBlocks * kBlockBytes;
static_assert(kPayloadBytesMin == kUnitBytes);
// Up to this payload, one comment takes what the rows of units leave over.
constexpr std::uint64_t kOneCommentMax = kUnitsMax * kUnitBytes;
// Beyond it blocks grow by whole bytes, and at most this many comments take what is left of a step.
constexpr std::uint64_t kCommentsBeyond = 40;
// The scan of the largest image with the largest blocks holds at least this much.
constexpr std::uint64_t kScanBytesSure = (kUnitsMax - 1024) * kUnitBlocks * kBlockBytesMax;

constexpr std::byte kMarker{0xFF}, kEndOfBlock{0xFE}, kRestart{0xD0}, kTopBit{0x80};

std::uint64_t comments_for(std::uint64_t payload_bytes) {
  if (payload_bytes <= kOneCommentMax) return 1;
  if (payload_bytes <= kScanBytesSure) return kCommentsBeyond;
  return kCommentsBeyond +
         (payload_bytes - kScanBytesSure + kCommentBytesMax - 1) / kCommentBytesMax;
}

void append_bytes(std::vector<std::byte>& out, std::initializer_list<unsigned> bytes) {
  for (const unsigned byte : bytes) out.push_back(static_cast<std::byte>(byte));
}

// Adds a table with one code of each length from 1 to 8. The longest code is the one without value
// bits: end of block for AC, no difference for DC.
void append_huffman_table(std::vector<std::byte>& out, unsigned table) {
  append_bytes(out, {0xFF, 0xC4, 0, 2 + 1 + 16 + 8, table});
  for (int length = 1; length <= 16; ++length) append_bytes(out, {length <= 8 ? 1U : 0U});
  append_bytes(out, {7, 6, 5, 4, 3, 2, 1, 0});
}

// Changes 0xFE and 0xFF to 0x7E and 0x7F, and leaves the others as they are.
void make_coefficients(std::span<std::byte> bytes) {
  using Lanes = std::uint8_t __attribute__((vector_size(16)));
  std::size_t i = 0;
  for (; i + sizeof(Lanes) <= bytes.size(); i += sizeof(Lanes)) {
    Lanes lanes;
    std::memcpy(&lanes, bytes.data() + i, sizeof lanes);
    lanes ^= (Lanes)(lanes >= 0xFE) & 0x80;
    std::memcpy(bytes.data() + i, &lanes, sizeof lanes);
  }
  for (; i < bytes.size(); ++i)
    if (bytes[i] >= kEndOfBlock) bytes[i] ^= kTopBit;
}

}  // namespace

Image::Image(std::uint64_t payload_bytes)
    : block_bytes(kBlockBytes), comments(comments_for(payload_bytes)) {
  const std::uint64_t scan = std::max(payload_bytes, kPayloadBytesMin);
  if (scan > kOneCommentMax)
    block_bytes = std::clamp(scan / (kUnitsMax * kUnitBlocks), kBlockBytes, kBlockBytesMax);
  const std::uint64_t unit_bytes = kUnitBlocks * block_bytes;
  const std::uint64_t units = std::min(scan / unit_bytes, kUnitsMax);
  unit_rows = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::sqrt(0.75 * static_cast<double>(units))));
  unit_columns =
      std::min((scan - 2 * (unit_rows - 1)) / unit_rows / unit_bytes, kUnitsMax / unit_rows);
}

void Image::mark_scan(std::uint64_t position, std::span<std::byte> bytes) const {
  make_coefficients(bytes);
  const std::uint64_t blocks_bytes = row_bytes() - 2;
  while (!bytes.empty()) {
    const std::uint64_t row = position / row_bytes(), column = position % row_bytes();
    const std::size_t length = std::min<std::uint64_t>(bytes.size(), row_bytes() - column);
    const std::size_t blocks =
        std::min<std::uint64_t>(length, blocks_bytes - std::min(blocks_bytes, column));
    for (std::size_t i = block_bytes - 1 - column % block_bytes; i < blocks; i += block_bytes)
      bytes[i] = kEndOfBlock;
    for (std::size_t i = blocks; i < length; ++i)
      bytes[i] = column + i == blocks_bytes ? kMarker : kRestart | static_cast<std::byte>(row % 8);
    bytes = bytes.subspan(length);
    position += length;
  }
}

std::vector<std::byte> Image::tables() const {
  std::vector<std::byte> out;
  append_bytes(out,
               {0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
  append_bytes(out, {0xFF, 0xDB, 0, 2 + 1 + 64, 0});  // quantisation: all steps are 1
  out.resize(out.size() + 64, std::byte{1});
  append_bytes(out, {0xFF, 0xC0, 0, 2 + 15, 8});
  append_big(out, static_cast<std::uint16_t>(unit_rows * kUnitPixels));
  append_big(out, static_cast<std::uint16_t>(unit_columns * kUnitPixels));
  append_bytes(out, {3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0});
  append_huffman_table(out, 0x00);
  append_huffman_table(out, 0x10);
  append_bytes(out, {0xFF, 0xDD, 0, 4});
  append_big(out, static_cast<std::uint16_t>(unit_columns));
  return out;
}

std::vector<std::byte> Image::scan_header() const {
  std::vector<std::byte> out;
  append_bytes(out, {0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0});
  return out;
}

std::uint64_t file_bytes(std::uint64_t payload_bytes) {
  static const std::uint64_t fixed_bytes =
      Image(0).tables().size() + Image(0).scan_header().size() + 2;  // 2: end of image
  return fixed_bytes + comments_for(payload_bytes) * kCommentFramingBytes +
         std::max(payload_bytes, kPayloadBytesMin);
}

}  // namespace feedrate::jpeg

// The file that we write for a payload, all of it but the pixels. Private to dicom/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "feedrate/format/content.h"

namespace feedrate::dicom {

inline constexpr std::uint64_t kPixelBytes = 2;
// Lengths are even numbers of 32 bits, the largest of which stands for "undefined".
inline constexpr std::uint64_t kPayloadBytesMax = 0xFFFFFFFE;

enum class TransferSyntax : std::uint8_t { kExplicit, kImplicit };

// The spread of a payload over the pixels and the padding after them.
struct Image {
  std::uint64_t columns, rows;
  std::uint64_t padding_bytes;

  explicit Image(std::uint64_t payload_bytes);
  std::uint64_t pixel_bytes() const { return columns * rows * kPixelBytes; }
};

// Returns the file's bytes in front of the pixels; padding_head() returns those from there to the
// padding.
std::vector<std::byte> file_head(TransferSyntax syntax, const Image& image,
                                 const SampleContent& content);
std::vector<std::byte> padding_head(TransferSyntax syntax, const Image& image);

// Returns UINT64_MAX when the payload has more than kPayloadBytesMax.
std::uint64_t file_bytes(TransferSyntax syntax, std::uint64_t payload_bytes);

}  // namespace feedrate::dicom

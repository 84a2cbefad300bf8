// The checksums that media formats store. Shared by the formats, not for users of format.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace feedrate {

enum class ChecksumKind : std::uint8_t {
  kCrc32,    // zlib's: PNG, gzip, zip
  kAdler32,  // zlib's
  kCrc8,     // FLAC's: polynomial 0x07, from 0, most significant bit first
  kCrc16,    // FLAC's: polynomial 0x8005, from 0, most significant bit first
};
inline constexpr std::size_t kChecksumKinds = 4;

// Returns the bytes that a checksum of this kind takes in a file.
constexpr std::uint64_t checksum_bytes(ChecksumKind kind) {
  return kind == ChecksumKind::kCrc8 ? 1 : kind == ChecksumKind::kCrc16 ? 2 : 4;
}

constexpr std::uint32_t checksum_of_nothing(ChecksumKind kind) {
  return kind == ChecksumKind::kAdler32 ? 1 : 0;
}

// Continues a checksum: returns that of the bytes that `value` stands for, followed by `bytes`.
std::uint32_t update_checksum(ChecksumKind kind, std::uint32_t value,
                              std::span<const std::byte> bytes);

}  // namespace feedrate

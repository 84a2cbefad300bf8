// The zip records that both the reader and the writer know. Private to npz/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "feedrate/format/format.h"

namespace feedrate::npz {

inline constexpr std::uint32_t kLocalSignature = 0x04034B50, kCentralSignature = 0x02014B50,
                               kEndSignature = 0x06054B50, kEnd64Signature = 0x06064B50,
                               kLocator64Signature = 0x07064B50;
inline constexpr std::uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22,
                               kEnd64Bytes = 56, kLocator64Bytes = 20, kCommentBytesMax = 65535;
inline constexpr std::uint16_t kStored = 0, kDeflated = 8;
inline constexpr std::uint16_t kEncryptedFlag = 1, kDescriptorFlag = 8;
inline constexpr std::uint16_t kZip64Field = 1;
// A larger directory is refused, since numpy files have a handful of members.
inline constexpr std::uint64_t kDirectoryBytesMax = 64ULL << 20U;

// The fixed part of a local header.
struct LocalHeader {
  std::uint16_t flags = 0, method = 0, name_bytes = 0, extra_bytes = 0;
  std::uint32_t crc = 0;
  std::uint64_t data_position() const { return kLocalBytes + name_bytes + extra_bytes; }
};
Result<LocalHeader> parse_local_header(std::uint64_t offset, std::span<const std::byte> bytes);

struct Member {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t stored_bytes = 0, bytes = 0, header_offset = 0;
};

// The central directory, and what numpy.load reads at the end of the file to find it.
struct Directory {
  std::vector<Extent> reads;
  Extent extent;
};
Result<Directory> find_directory(RandomAccess& file);

// Finds the member that holds the samples: the last one named x.npy, or else the first of the
// largest.
Result<Member> find_array(RandomAccess& file, const Extent& directory);

// Returns the extent from the member's local header to the end of its data, which must lie before
// the directory.
Result<Extent> locate_member(RandomAccess& file, const Extent& directory, const Member& member);

// Continues a CRC-32 (ISO-HDLC, as in zip and zlib): returns that of the bytes that `crc` stands
// for, followed by `bytes`. It begins with 0.
std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace feedrate::npz

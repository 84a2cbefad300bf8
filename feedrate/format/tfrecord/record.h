// One TFRecord record: framing, checksum, and the Example around the content. Private to tfrecord/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "feedrate/format/content.h"

namespace feedrate::tfrecord {

inline constexpr std::uint64_t kHeadBytes = 12;  // length and its checksum
inline constexpr std::uint64_t kFootBytes = 4;   // checksum of the data

// Continues a CRC-32C (Castagnoli): returns that of the bytes that `crc` stands for, followed by
// `bytes`. It begins with 0.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);
std::uint32_t mask_checksum(std::uint32_t crc);
// Returns whether these 12 bytes are the valid head of a record.
bool valid_head(std::span<const std::byte> head);

// Returns the bytes of a whole record with this much content.
std::uint64_t stored_bytes(std::uint64_t content_bytes);
// Returns the largest content whose record fits, or 0.
std::uint64_t content_bytes_within(std::uint64_t stored_bytes_max);

// Returns everything of a record in front of the content: the framing and the start of the Example.
// The rest of the record is the content and the foot.
std::vector<std::byte> record_start(const SampleContent& content);

}  // namespace feedrate::tfrecord

// Chunks of a PNG file, as indexing and verifying need them. Private to png/.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "feedrate/format/format.h"

namespace feedrate::png {

inline constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
inline constexpr std::uint64_t kChunkHeadBytes = 8, kChunkCrcBytes = 4;
inline constexpr std::uint64_t kChunkDataBytesMax = (1ULL << 31U) - 1;

struct ChunkHead {
  std::uint64_t data_bytes = 0;
  std::string type;  // printable
  std::uint64_t bytes() const { return kChunkHeadBytes + data_bytes + kChunkCrcBytes; }
};

// Parses the head of a chunk. Returns kCorrupt unless a chunk with this head may lie at `at` of a
// file of `total_bytes`.
Result<ChunkHead> parse_chunk_head(std::uint64_t at, std::span<const std::byte> head,
                                   std::uint64_t total_bytes);

std::unexpected<Error> wrong_crc(std::uint64_t at, const ChunkHead& chunk);

// Checks the chunks of a file that comes in order, each by its CRC-32, up to and including IEND.
std::unique_ptr<Verifier> make_chunk_verifier(std::uint64_t file_bytes);

}  // namespace feedrate::png

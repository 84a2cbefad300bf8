// The options that a user may set, and the size that a row has with them.
#pragma once

#include <cstdint>
#include <string>

#include "feedrate/format/format.h"

namespace feedrate::hdf5 {

inline constexpr std::uint64_t kElementBytes = 4;  // float32
inline constexpr std::uint64_t kChunkBytesMax = std::uint64_t{64} << 20U;

struct Options {
  std::uint64_t chunk_bytes = 0;  // 0: contiguous
  bool gzip = false, shuffle = false;
  std::string dataset;  // empty: looked for
};

Result<Options> parse_options(const FormatOptions& options);

// The stored form of one of our rows: it has at least one element, and its last chunk is padded.
struct Row {
  Row(std::uint64_t payload_bytes, const Options& options);
  std::uint64_t elements;
  std::uint64_t chunk_elements;  // all of them when contiguous
  std::uint64_t chunks;
  std::uint64_t stored_chunk_bytes;  // with what gzip adds
  std::uint64_t stored_bytes() const { return chunks * stored_chunk_bytes; }
};

// A zlib stream of stored blocks: 2 B of head, blocks of at most kBlockBytes with 5 B in front of
// each, and 4 B of checksum.
inline constexpr std::uint64_t kBlockBytes = 65535;
inline constexpr std::uint64_t kBlockHeadBytes = 5;

}  // namespace feedrate::hdf5

// The description of a dataset, from its object header.
#pragma once

#include "feedrate/format/hdf5/object.h"

namespace feedrate::hdf5 {

enum class ChunkIndexKind : std::uint8_t {
  kTree1,
  kSingle,
  kImplicit,
  kFixedArray,
  kExtensibleArray,
  kTree2,
};

struct Dataset {
  std::vector<std::uint64_t> dims, dims_max;  // UINT64_MAX: without limit
  std::uint64_t element_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t address = 0;  // of the values, or of the chunk index
  bool filtered = false;      // each chunk has its own size

  std::vector<std::uint64_t> chunk;  // its dimensions; empty: contiguous
  std::uint64_t chunk_bytes = 0;     // without filters
  ChunkIndexKind index = ChunkIndexKind::kTree1;
  std::uint64_t single_bytes = 0;  // kSingle, filtered: stored size of the chunk
  std::uint64_t node_bytes = 0;    // kTree2
};

// Describes a dataset. Returns kUnsupported, with `name`, when its values are not stored plainly in
// this file.
Result<Dataset> describe(Source& source, const ObjectHeader& header, const std::string& name);
std::unexpected<Error> unsupported(const std::string& name, std::string_view what);

}  // namespace feedrate::hdf5

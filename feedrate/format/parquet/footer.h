// The footer of a foreign file: its row groups and their column chunks.
#pragma once

#include <optional>

#include "feedrate/format/format.h"

namespace feedrate::parquet {

inline constexpr std::string_view kMagic = "PAR1";
inline constexpr std::uint64_t kTailBytes = 8;  // length of the footer, magic

struct RowGroup {
  std::uint64_t rows = 0;
  std::vector<Extent> columns;  // column chunks
};

struct Footer {
  Extent extent;
  std::vector<RowGroup> groups;
};

// kCorrupt names the offset in the file; everything that it says lies within the file.
Result<Footer> read_footer(RandomAccess& file);

}  // namespace feedrate::parquet

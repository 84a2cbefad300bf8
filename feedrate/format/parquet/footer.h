// Reads the footer of a foreign file: its row groups and their column chunks.
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

// Reads the footer, and checks that everything it names lies within the file. kCorrupt names the
// offset in the file.
Result<Footer> read_footer(RandomAccess& file);

}  // namespace feedrate::parquet

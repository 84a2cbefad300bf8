// Finds the data elements of a file that somebody else may have written. Private to dicom/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "feedrate/format/format.h"

namespace feedrate::dicom {

inline constexpr std::uint64_t kPreambleBytes = 128;
inline constexpr std::string_view kMagic = "DICM";
inline constexpr std::string_view kImplicitLittle = "1.2.840.10008.1.2",
                                  kExplicitLittle = "1.2.840.10008.1.2.1",
                                  kExplicitBig = "1.2.840.10008.1.2.2",
                                  kDeflated = "1.2.840.10008.1.2.1.99";
// Sequences may lie in sequences, this many deep; more is taken for damage.
inline constexpr std::size_t kDepthMax = 64;

// Where the data set of a file lies. check_elements() returns kCorrupt with the offset of the first
// element that cannot be where it is, and kUnsupported for a big-endian file. It reads the heads of
// the elements through a window of fixed size, and not the values.
struct DataSetPlace {
  std::uint64_t begin = 0;  // behind the meta group
  std::string transfer_syntax;
};
Result<DataSetPlace> check_elements(RandomAccess& file);

}  // namespace feedrate::dicom

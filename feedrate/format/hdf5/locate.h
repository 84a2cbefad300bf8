// Finds where the samples of an HDF5 file lie. It reads the structure as libhdf5 1.10 does, in
// pieces of the same sizes.
#pragma once

#include "feedrate/format/format.h"
#include "feedrate/format/hdf5/options.h"

namespace feedrate::hdf5 {

inline constexpr std::string_view kSignature = "\x89HDF\r\n\x1A\n";
inline constexpr const char* kSamplesName = "climate";
inline constexpr const char* kLabelsName = "labels";
// Returns the name of the dataset of sample `number`, where the samples of a file differ in size.
std::string sample_name(std::uint64_t number);

Result<FileIndex> locate(RandomAccess& file, const Options& options);

}  // namespace feedrate::hdf5

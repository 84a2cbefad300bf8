// Finds the chunks of a dataset by every chunk index of libhdf5 1.10. B-trees of version 1 are what
// h5py writes by default; the others come with libver="latest".
#pragma once

#include "feedrate/format/hdf5/dataset.h"

namespace feedrate::hdf5 {

struct Chunk {
  std::uint64_t number;  // in row-major order of all chunks of the dataset's dimensions
  Extent extent;
};

// Returns the chunks that were written, in order of their numbers.
Result<std::vector<Chunk>> find_chunks(Source& source, const Dataset& dataset);
// Returns the number of chunks along each dimension; their product is less than 2^63.
std::vector<std::uint64_t> chunk_counts(const Dataset& dataset);

}  // namespace feedrate::hdf5

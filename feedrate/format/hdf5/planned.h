// The plan of an HDF5 file that we write: libhdf5 makes all structure in memory, and the values are
// left out.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "feedrate/format/format.h"
#include "feedrate/format/hdf5/options.h"
#include "feedrate/format/pieces.h"

namespace feedrate::hdf5 {

// The bytes that libhdf5 wrote; the rest is zero. They are structure only, since values are not
// kept.
class SparseBytes {
 public:
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  // Returns the first offset from `offset` on that lies in a page that was written, or UINT64_MAX.
  std::uint64_t next_page(std::uint64_t offset) const;

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  std::map<std::uint64_t, std::array<std::byte, kPageBytes>> pages_;
};

struct PlannedFile {
  FileIndex index;
  Extent labels;
  SparseBytes structure;
};

PlannedFile plan_file(const SampleSizes& payload_bytes, const Options& options);
FilePieces pieces_of(const PlannedFile& file, const std::vector<SampleContent>& samples,
                     const Options& options);

}  // namespace feedrate::hdf5

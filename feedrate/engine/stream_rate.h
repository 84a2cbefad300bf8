// Measures the rate of one read by itself, which tells waiting for the first byte from transfer.
#pragma once

#include "feedrate/dataset/dataset.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct StreamRate {
  double bytes_per_second = 0;   // 0: cannot be told
  std::uint64_t bytes_read = 0;  // to find it out
  Duration first_byte{};         // what a small read takes; 0: not known
};

// Reads small and large pieces of the first file, a few of each, one after the other. The large one
// takes longer than the small by the time that its bytes need. Reads nothing where the storage
// knows the first byte itself, moves no bytes, or where the file is too small to tell. Errors are
// left to the run.
Task<StreamRate> measure_stream_rate(Storage& storage, BufferPool& buffers, const Dataset& dataset);

}  // namespace feedrate

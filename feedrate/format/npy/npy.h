// NPY: the file that numpy.save(path, <uint8 array>) writes; the content is the array.
//
//   magic, version, length of the header | header: a Python dict, to a multiple of 64 B | array
//
// Ours is byte for byte the file of numpy 1.24.2. There are no checksums: in a foreign file there
// is nothing to verify.
//
// Reference reader: numpy.load(path). strace (numpy 1.24.2, Python 3.11, Debian 12) shows 4096 B,
// 128 B and 4096 B for the header, the first two of them again, then all whole pages of the array
// in one read and the rest in another. Here a transfer is at most 4 MiB, so that a reader's memory
// is bounded; the page cache's readahead cuts a larger one anyway.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& npy_format();

}  // namespace feedrate

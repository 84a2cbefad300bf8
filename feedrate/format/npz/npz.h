// NPZ: the file that numpy.savez(path, x=<uint8 array>, y=<int64 label>) writes and numpy.load
// reads.
//
//   local header of x.npy, npy header (128 B), content | local header of y.npy, npy header, label |
//   central directory | end-of-central-directory record
//
// Ours is byte for byte the file of numpy 1.24.2 and Python 3.11's zipfile (stored, not compressed;
// dated 1980-01-01; zip64 fields from 2 GiB - 1 on, where zipfile starts to use them). A sample is
// the member x.npy, or else the largest .npy member, from its local header to the end of its data;
// y is small and is not part of it. Deflated members (numpy.savez_compressed) are read too.
//
// Reference reader: numpy.load(path)["x"], whose system calls strace shows (numpy 1.24.2, Python
// 3.11, Debian 12) to be, in order:
//   open    4096 B at 0 (magic); 22 B at end - 22 (end record); 42 B at end - 42 (looking for the
//           zip64 locator); if there is one, 98 B at end - 98 (zip64 end record); 4096 B, or to the
//           end of the file, at the central directory. These are FileIndex::open_reads.
//   member  8192 B at its local header in two reads, twice (once to look at the magic); then the
//           data in steps of 262144 B (numpy.lib.format.BUFFER_SIZE), each of which Python's
//           buffered file splits into reads of 258048 and 4096 B.
// The 8 KiB that are read again come from the page cache; FileIndex does not repeat them.
//
// A member whose CRC-32 is only in a data descriptor after it (written to a pipe) is inflated but
// its CRC is not checked.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& npz_format();

}  // namespace feedrate

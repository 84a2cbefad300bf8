// WebDataset: tar shards whose neighbouring members of one key are a sample (000123.bin with
// 000123.cls), read front to back.
//
// Ours are POSIX ustar with a .bin member of content and a .cls member with the label in decimal.
// Foreign shards: ustar, GNU (long names) and pax; a sample is a run of regular files whose paths
// agree up to the first dot of the base name. Names are only compared, never opened: nested,
// absolute or hostile ones do no harm. The checksum of every header is checked when indexing.
//
// Reference reader: Python's tarfile in stream mode, as webdataset's tar_file_iterator uses it.
// strace on Python 3.11 (Debian 12): reads of 4096 and 8192 B; 8192 B is the transfer here.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& webdataset_format();

}  // namespace feedrate

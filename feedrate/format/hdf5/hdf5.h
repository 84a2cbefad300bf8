// HDF5: the format that h5py writes and that DeepCAM, CosmoFlow and BERT are trained from.
//
// Our files have two datasets in the root group: `climate`, float32, a sample in each row, and
// `labels`, int64. The layout of the structures is that of libhdf5 1.10 with its defaults
// (superblock version 0, B-trees version 1), because libhdf5 makes them: planned.h. Where the
// samples of a file differ in size, each has a dataset of its own, climate_000000 and so on.
// Options for the files that we write:
//   chunk_bytes  a row is cut into chunks of at most this; the last is padded
//   gzip=on      each chunk is a zlib stream (of stored blocks: content does not compress, and
//                deflating would be the measurement)
//   shuffle=on   the content is a chunk as the shuffle filter leaves it (needs gzip=on)
// and for all files
//   dataset      the dataset that holds the samples
//
// Foreign files: the samples are in `dataset`, or `climate`, or else the largest dataset in the
// root group. Its rows are samples when there is a one-dimensional `labels` as long as it has rows;
// otherwise all of it is one sample. Contiguous and chunked layouts, every chunk index of libhdf5
// 1.10. kUnsupported: values in other files (external storage, virtual datasets, external and soft
// links) or within the object header (compact), of variable length or of a named type; groups with
// their names in a fractal heap. Checksums of structure (superblock version 2 on) are not checked.
//
// Reference reader: libhdf5 1.10, as h5py uses it. FileIndex::open_reads is what it reads of
// superblock, object headers, heaps and B-trees when it opens the dataset and looks up all of its
// chunks; strace of h5py shows the same ranges (tests/interop/check_containers.py). A sample is
// then one read of a row, or one of each chunk.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& hdf5_format();

}  // namespace feedrate

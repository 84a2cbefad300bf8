// Parquet: tables stored column by column, as DLRM and Flux are read from it in MLPerf Storage. A
// sample is a row; the unit of reading is a row group.
//
//   PAR1 | row group: for each column its pages (header, values) | ... | footer | its length | PAR1
//
// Ours: a row is cut into `columns` columns of fixed width, PLAIN, not compressed, in pages of
// about 1 MiB. Widths differ by at most 1 B, those of the columns that are read being the larger.
// Columns of 4 and 8 B are INT32 and INT64, others FIXED_LEN_BYTE_ARRAY. The values of a file are
// one stream of content, in the order of the file. Options:
//   columns         1 if not given; for files that we write
//   columns_read    all if not given; spread evenly over the columns of a file
//   row_group_rows  for files that we write; if not given, as many as fit 128 MiB (parquet-mr's
//                   parquet.block.size)
//
// Foreign files: any schema, encoding and compression, since nothing is decoded: a column chunk is
// read from its dictionary page, if it has one, to its end. kUnsupported: column chunks in other
// files, encrypted footers. The samples of a row group are one block of FileIndex.
//
// Reference reader: pyarrow (arrow 17, cpp/src/parquet/file_reader.cc), which DLIO uses. It reads
// the last 64 KiB, then the whole footer when that was not all of it, and each column chunk of a
// row group at once. Not traced: Debian has no pyarrow. The faithful client's transfers of 1 MiB
// are our choice.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& parquet_format();

}  // namespace feedrate

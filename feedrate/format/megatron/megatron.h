// Megatron-LM's indexed data set, as GPT-3 is trained from it: NAME.bin holds token numbers end to
// end, NAME.idx says where each sequence lies.
//
// Our samples are sequences of equal length, each a document of its own, of uint16 tokens; all
// tokens of a file are one stream of content. Foreign files: any token type, one sample for each
// sequence of the index.
//
// .idx, little endian (megatron/core/datasets/indexed_dataset.py): "MMIDIDX\0\0", u64 version 1,
// u8 code of the token type, u64 sequences, u64 document boundaries, i32 length in tokens of each
// sequence, i64 offset in bytes of each, i64 first sequence of each document and the end.
//
// Reference reader: numpy.memmap over both files. The index is read whole once, and tokens page by
// page.
// A page is 4 KiB; how much more the kernel reads ahead is the kernel's business.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& megatron_format();

}  // namespace feedrate

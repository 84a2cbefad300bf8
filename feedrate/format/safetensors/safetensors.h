// safetensors: the tensors of a model behind one JSON header, as models are loaded from it. A
// sample is a tensor.
//
// Ours: tensors of bytes (dtype U8) named sample_000000 and so on. Foreign files: any, one sample a
// tensor, in the order of the file. The header is limited to 100 MB, as in the reference
// (huggingface/safetensors, MAX_HEADER_SIZE). There are no checksums.
//
// Reference reader: safe_open maps the file: header length, header, then pages of each tensor. How
// far a page fault reads ahead is the kernel's business; 128 KiB is its default (read_ahead_kb).
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& safetensors_format();

}  // namespace feedrate

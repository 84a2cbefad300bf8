// Fixed-size records and nothing else: Criteo click logs as DLRM reads them (a label, 13 numbers
// and 26 categories of 4 bytes each: 160 B; with multi-hot categories 912 B).
//
// The records of a file are one stream of content. A file says nothing about itself: a foreign one
// needs the option record_bytes. There are no checksums.
//
// Readers of fixed records take a batch in one read, whatever its size. Cutting it into transfers
// of 1 MiB for the faithful client is our choice; it was not traced.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& raw_format();

}  // namespace feedrate

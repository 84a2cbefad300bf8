// Walks the B-tree of a foreign file.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate::lmdb {

// Returns the index of the samples; kCorrupt names the offset of the page. It reads each page of
// the tree once, and none of the values.
Result<FileIndex> walk_tree(RandomAccess& file);

}  // namespace feedrate::lmdb

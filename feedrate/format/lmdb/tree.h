// The B-tree of a foreign file.
#pragma once

#include "feedrate/format/format.h"

namespace feedrate::lmdb {

// kCorrupt names the offset of the page. Reads each page of the tree once, none of the values.
Result<FileIndex> walk_tree(RandomAccess& file);

}  // namespace feedrate::lmdb

// LMDB: a B-tree of pages in one file, as Caffe and Open Catalyst (PyTorch) are trained from it. A
// sample is a record of the main database.
//
// Ours has keys of ten decimal digits, pages of 4096 B and the limits of liblmdb 0.9: values that
// leave no room for a second record in a leaf lie in overflow pages of their own, others in the
// leaves. All values of a file have one size and are one stream of content. Pages lie in the order
// of mdb_copy -c, more or less: the two meta pages, each leaf with its overflow pages, branch pages
// level by level, the root last.
//
// Foreign files: one database, not DUPSORT; any page size. The newer of the two meta pages counts.
// Records that liblmdb reads together lie in one leaf: where all leaves hold equally many values
// they are a block of FileIndex, otherwise each record is. kUnsupported: named databases (an entry
// of the main database that is a database), several values a key.
//
// Reference reader: liblmdb, which maps the file into memory, so its reads are page faults. It
// touches the meta pages when it opens, and for each look-up the branch pages from the root down, a
// leaf, and the overflow pages of the value, which lie side by side. That is what FileIndex lists,
// in pages. The upper pages stay in the page cache, so that a faithful reader goes through it; the
// kernel may read ahead more (MDB_NORDAHEAD: exactly these, tests/interop/check_containers.py).
#pragma once

#include "feedrate/format/format.h"

namespace feedrate {

const Format& lmdb_format();

}  // namespace feedrate

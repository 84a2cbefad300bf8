#include "feedrate/format/lmdb/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "feedrate/format/lmdb/page.h"
#include "feedrate/format/wire.h"

namespace feedrate::lmdb {
namespace {

constexpr std::uint64_t kPageBytesLeast = 256, kPageBytesMost = 65536;

std::uint16_t load16(std::span<const std::byte> bytes, std::uint64_t at) {
  return load_little<std::uint16_t>(bytes.data() + at);
}
std::uint64_t load64(std::span<const std::byte> bytes, std::uint64_t at) {
  return load_little<std::uint64_t>(bytes.data() + at);
}

struct Meta {
  std::uint64_t page_bytes = 0, last_page = 0, transaction = 0;
  std::uint16_t flags = 0, depth = 0;
  std::uint64_t entries = 0, root = kNoPage;
};

Result<Meta> read_meta(RandomAccess& file, std::uint64_t offset) {
  if (file.size() < offset + kMetaBytes)
    return corrupt_at(file.size(), "file ends before its meta pages");
  std::byte bytes[kMetaBytes];
  FEEDRATE_CHECK(file.read_at(offset, bytes));
  if ((load16(bytes, kFlagsAt) & kMeta) == 0 ||
      load_little<std::uint32_t>(bytes + kPageHeadBytes) != kMagic)
    return corrupt_at(offset, "no meta page of LMDB");
  const auto version = load_little<std::uint32_t>(bytes + kPageHeadBytes + 4);
  if (version != kVersion)
    return corrupt_at(offset,
                      fmt::format("LMDB file of version {}, {} is known", version, kVersion));
  const std::span<const std::byte> main(bytes + kMainDatabaseAt, 48);
  Meta meta;
  // liblmdb keeps the size of a page in a field that the database of free pages does not need.
  meta.page_bytes = load_little<std::uint32_t>(bytes + kFreeDatabaseAt);
  meta.flags = load16(main, 4);
  meta.depth = load16(main, 6);
  meta.entries = load64(main, 32);
  meta.root = load64(main, 40);
  meta.last_page = load64(bytes, kLastPageAt);
  meta.transaction = load64(bytes, kTransactionAt);
  if (meta.page_bytes < kPageBytesLeast || meta.page_bytes > kPageBytesMost ||
      !std::has_single_bit(meta.page_bytes))
    return corrupt_at(offset, fmt::format("pages of {} B", meta.page_bytes));
  return meta;
}

std::unexpected<Error> unsupported(std::string_view what) {
  return fail(ErrorKind::kUnsupported, fmt::format("LMDB file with {}", what),
              "copy its records into one plain database");
}

class Walker {
 public:
  Walker(RandomAccess& file, const Meta& meta)
      : file_(file),
        page_bytes_(meta.page_bytes),
        pages_(file.size() / meta.page_bytes),
        depth_(meta.depth),
        seen_(pages_) {}

  Result<FileIndex> run(const Meta& meta) {
    FEEDRATE_CHECK(walk(meta.root, 1));
    if (records_.size() != meta.entries)
      return corrupt_at(0, fmt::format("the tree has {} records, its meta page says {}",
                                       records_.size(), meta.entries));
    return blocks();
  }

 private:
  struct Record {
    std::uint64_t leaf;  // in leaves_
    Extent value;        // of overflow pages, or empty
  };
  struct Leaf {
    std::vector<Extent> path;  // from the root
    std::uint64_t records;
  };

  std::unexpected<Error> bad(std::uint64_t page, std::string_view what) const {
    return corrupt_at(page * page_bytes_, what);
  }

  // Walks down from `page`. The path leads here, and is `level` pages deep.
  Result<> walk(std::uint64_t page, std::uint32_t level) {
    if (page < kMetaPages || page >= pages_)
      return corrupt_at(path_.empty() ? 0 : path_.back().offset,
                        fmt::format("page {} of a file of {} pages", page, pages_));
    // In a sound tree only one path leads to a page. Without this check a damaged file could make
    // the walk take exponentially long.
    if (seen_[page]) return bad(page, "a page has two pages above it");
    seen_[page] = true;
    std::vector<std::byte> bytes(page_bytes_);
    FEEDRATE_CHECK(file_.read_at(page * page_bytes_, bytes));
    const std::uint16_t flags = load16(bytes, kFlagsAt) & (kBranch | kLeaf | kOverflow | kMeta);
    if (load64(bytes, 0) != page || flags != (level == depth_ ? kLeaf : kBranch))
      return bad(page,
                 fmt::format("no {} page where one must be", level == depth_ ? "leaf" : "branch"));
    const std::uint64_t lower = load16(bytes, kLowerAt), upper = load16(bytes, kUpperAt);
    if (lower < kPageHeadBytes || lower > upper || upper > page_bytes_)
      return bad(page,
                 fmt::format("page with {} B of pointers and nodes from {} on", lower, upper));
    path_.push_back({page * page_bytes_, page_bytes_});
    std::uint64_t room = page_bytes_ - upper;  // for nodes, which do not overlap
    const std::uint64_t count = (lower - kPageHeadBytes) / kPointerBytes;
    if (level == depth_) leaves_.push_back({path_, count});
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = load16(bytes, kPageHeadBytes + i * kPointerBytes);
      if (at < upper || at + kNodeHeadBytes > page_bytes_)
        return bad(page, fmt::format("node at {} of its page", at));
      const auto node = std::span<const std::byte>(bytes).subspan(at);
      if (level < depth_) {
        const std::uint64_t low = load_little<std::uint32_t>(node.data());
        FEEDRATE_CHECK(walk(low | std::uint64_t{load16(node, 4)} << 32U, level + 1));
      } else {
        FEEDRATE_CHECK(add_record(page, node, room));
      }
    }
    path_.pop_back();
    return {};
  }

  Result<> add_record(std::uint64_t page, std::span<const std::byte> node, std::uint64_t& room) {
    const std::uint64_t length = load_little<std::uint32_t>(node.data());
    const std::uint16_t flags = load16(node, 4);
    const std::uint64_t key_end = kNodeHeadBytes + load16(node, 6);
    if ((flags & kSubDatabase) != 0) return unsupported("named databases");
    if ((flags & kDuplicates) != 0) return unsupported("several values a key");
    const bool big = (flags & kBigValue) != 0;
    // A value in overflow pages leaves only the number of its first page in the node.
    const std::uint64_t node_bytes = key_end + (big ? sizeof(std::uint64_t) : length);
    if (node_bytes > node.size() || node_bytes > room)
      return bad(page, fmt::format("value of {} B does not lie within its page", length));
    room -= node_bytes;
    Record record{leaves_.size() - 1, {}};
    if (big) {
      const std::uint64_t first = load64(node, key_end);
      const std::uint64_t count = overflow_pages(length, page_bytes_);
      if (first < kMetaPages || first >= pages_ || count > pages_ - first)
        return bad(page, fmt::format("value of {} B in pages from {} on, in a file of {} pages",
                                     length, first, pages_));
      record.value = {first * page_bytes_, count * page_bytes_};
      has_big_values_ = true;
    }
    records_.push_back(record);
    return {};
  }

  // Returns whether each leaf is a block: all values lie in leaves, and all leaves but the last
  // hold equally many.
  bool leaves_are_blocks() const {
    if (has_big_values_) return false;
    for (std::size_t i = 0; i + 1 < leaves_.size(); ++i)
      if (leaves_[i].records != leaves_[0].records) return false;
    return leaves_.back().records <= leaves_[0].records;
  }

  FileIndex blocks() const {
    FileIndex index;
    index.blocks.samples = records_.size();
    if (records_.empty()) return index;
    if (leaves_are_blocks()) {
      index.blocks.samples_per_block = leaves_[0].records;
      for (const Leaf& leaf : leaves_)
        if (leaf.records > 0) index.blocks.add(leaf.path);
      return index;
    }
    std::vector<Extent> reads;
    for (const Record& record : records_) {
      reads = leaves_[record.leaf].path;
      if (record.value.length > 0) reads.push_back(record.value);
      index.blocks.add(reads);
    }
    return index;
  }

  RandomAccess& file_;
  const std::uint64_t page_bytes_, pages_;
  const std::uint32_t depth_;
  std::vector<bool> seen_;
  std::vector<Extent> path_;
  std::vector<Leaf> leaves_;
  std::vector<Record> records_;
  bool has_big_values_ = false;
};

}  // namespace

Result<FileIndex> walk_tree(RandomAccess& file) {
  FEEDRATE_TRY(Meta meta, read_meta(file, 0));
  FEEDRATE_TRY(const Meta other, read_meta(file, meta.page_bytes));
  const std::uint64_t page_bytes = meta.page_bytes;
  // Of two transactions the later one wins; the other meta page is the one before it.
  const bool second = other.transaction > meta.transaction;
  if (second) meta = other;
  const std::uint64_t offset = second ? page_bytes : 0;
  if (other.page_bytes != page_bytes)
    return corrupt_at(page_bytes, "the meta pages give two sizes of a page");
  if (meta.last_page >= file.size() / page_bytes)
    return corrupt_at(offset, fmt::format("truncated LMDB file: its last page is {}, it has {} B",
                                          meta.last_page, file.size()));
  if ((meta.flags & kSeveralValues) != 0) return unsupported("several values a key");
  FileIndex index;
  if (meta.root != kNoPage) {
    if (meta.depth == 0 || meta.depth > kDepthMax)
      return corrupt_at(offset, fmt::format("tree of depth {}", meta.depth));
    FEEDRATE_TRY(index, Walker(file, meta).run(meta));
  }
  index.file_bytes = file.size();
  for (std::uint64_t page = 0; page < kMetaPages; ++page)
    index.open_reads.push_back({page * page_bytes, page_bytes});
  return index;
}

}  // namespace feedrate::lmdb

#include "feedrate/format/lmdb/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "feedrate/format/wire.h"

namespace feedrate::lmdb {
namespace {

constexpr std::uint64_t kKeyBytes = 10;
constexpr std::uint64_t kRoomBytes = kPageBytes - kPageHeadBytes;
// liblmdb keeps room for at least two nodes in a page (me_nodemax).
constexpr std::uint64_t kNodeBytesMax = kRoomBytes / 2 - kPointerBytes;
constexpr std::uint64_t kInlineBytesMax = kNodeBytesMax - kNodeHeadBytes - kKeyBytes;
// The first child of a branch page has no key.
constexpr std::uint64_t kChildBytes = kNodeHeadBytes + kKeyBytes + kPointerBytes;
constexpr std::uint64_t kChildrenMax = (kRoomBytes + kKeyBytes) / kChildBytes;

constexpr std::uint64_t even(std::uint64_t number) { return (number + 1) / 2 * 2; }

std::uint64_t divided_up(std::uint64_t number, std::uint64_t by) { return (number + by - 1) / by; }

std::uint64_t leaf_bytes(std::uint64_t value_bytes) {
  return even(kNodeHeadBytes + kKeyBytes + value_bytes) + kPointerBytes;
}

// Puts nodes into a page: pointers from its front on, nodes from its end backwards.
class PageWriter {
 public:
  PageWriter(std::uint64_t page, std::uint16_t flags, std::span<std::byte> out) : out_(out) {
    std::memset(out.data(), 0, out.size());
    store_little(out.data(), page);
    store_little(out.data() + kFlagsAt, flags);
    write_bounds();
  }

  // `low` is the length of the value, or the number of the child.
  std::span<std::byte> add(std::uint64_t low, std::uint16_t flags, std::string_view key,
                           std::uint64_t value_bytes) {
    upper_ -= even(kNodeHeadBytes + key.size() + value_bytes);
    std::byte* node = out_.data() + upper_;
    store_little(node, static_cast<std::uint32_t>(low));
    store_little(node + 4, flags);
    store_little(node + 6, static_cast<std::uint16_t>(key.size()));
    std::memcpy(node + kNodeHeadBytes, key.data(), key.size());
    store_little(out_.data() + lower_, static_cast<std::uint16_t>(upper_));
    lower_ += kPointerBytes;
    write_bounds();
    return out_.subspan(upper_ + kNodeHeadBytes + key.size(), value_bytes);
  }

 private:
  void write_bounds() {
    store_little(out_.data() + kLowerAt, static_cast<std::uint16_t>(lower_));
    store_little(out_.data() + kUpperAt, static_cast<std::uint16_t>(upper_));
  }

  std::span<std::byte> out_;
  std::uint64_t lower_ = kPageHeadBytes, upper_ = kPageBytes;
};

std::string key_of(std::uint64_t record) { return fmt::format("{:010}", record); }

}  // namespace

Plan::Plan(std::uint64_t records, std::uint64_t value_bytes)
    : records_(records), value_bytes_(value_bytes) {
  FEEDRATE_ASSERT(records > 0 && value_bytes <= kValueBytesMax);
  inline_values_ = value_bytes <= kInlineBytesMax;
  value_pages_ = inline_values_ ? 0 : overflow_pages(value_bytes, kPageBytes);
  per_leaf_ = kRoomBytes / leaf_bytes(inline_values_ ? value_bytes : sizeof(std::uint64_t));
  leaf_stride_ = 1 + per_leaf_ * value_pages_;
  levels_.push_back(divided_up(records, per_leaf_));
  pages_ = kMetaPages + leaves() + records * value_pages_;
  level_pages_.push_back(0);
  while (levels_.back() > 1) {
    levels_.push_back(divided_up(levels_.back(), kChildrenMax));
    level_pages_.push_back(pages_);
    pages_ += levels_.back();
  }
}

std::uint64_t Plan::records_in(std::uint64_t leaf) const {
  return std::min(per_leaf_, records_ - leaf * per_leaf_);
}

std::uint64_t Plan::page_of(std::size_t level, std::uint64_t index) const {
  return level == 0 ? leaf_page(index) : level_pages_[level] + index;
}

// Children are spread evenly, since liblmdb does not take a branch page with one child.
std::uint64_t Plan::first_child(std::size_t level, std::uint64_t index) const {
  return index * levels_[level - 1] / levels_[level];
}

std::uint64_t Plan::first_record(std::size_t level, std::uint64_t index) const {
  for (; level > 0; --level) index = first_child(level, index);
  return index * per_leaf_;
}

FileIndex Plan::index() const {
  FileIndex index;
  index.file_bytes = pages_ * kPageBytes;
  for (std::uint64_t page = 0; page < kMetaPages; ++page)
    index.open_reads.push_back({page * kPageBytes, kPageBytes});
  index.blocks.samples = records_;
  index.blocks.samples_per_block = inline_values_ ? per_leaf_ : 1;
  // A look-up reads the pages from the root down, but they are found from the leaf up: each page's
  // parent follows from its index, without a search.
  std::vector<Extent> reads;
  for (std::uint64_t leaf = 0; leaf < leaves(); ++leaf) {
    reads.clear();
    std::uint64_t at = leaf;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      reads.push_back({page_of(level, at) * kPageBytes, kPageBytes});
      if (level + 1 < levels_.size())
        at = ((at + 1) * levels_[level + 1] - 1) / levels_[level];  // the one first_child inverts
    }
    std::ranges::reverse(reads);
    if (inline_values_) {
      index.blocks.add(reads);
      continue;
    }
    for (std::uint64_t i = 0; i < records_in(leaf); ++i) {
      reads.push_back(
          {(leaf_page(leaf) + 1 + i * value_pages_) * kPageBytes, value_pages_ * kPageBytes});
      index.blocks.add(reads);
      reads.pop_back();
    }
  }
  return index;
}

void Plan::fill_page(std::uint64_t page, const SampleContent& content,
                     std::span<std::byte> out) const {
  if (page < kMetaPages) return fill_meta(page, out);
  if (levels_.size() > 1 && page >= level_pages_[1]) return fill_branch(page, out);
  const std::uint64_t leaf = (page - kMetaPages) / leaf_stride_;
  const std::uint64_t within = (page - kMetaPages) % leaf_stride_;
  if (within == 0) return fill_leaf(leaf, content, out);
  const std::uint64_t record = leaf * per_leaf_ + (within - 1) / value_pages_;
  fill_overflow(record, (within - 1) % value_pages_, content, out);
}

// The first meta page is that of the empty file, the second that of the transaction that wrote
// everything.
void Plan::fill_meta(std::uint64_t page, std::span<std::byte> out) const {
  PageWriter(page, kMeta, out);
  std::memset(out.data() + kLowerAt, 0, 4);
  std::vector<std::byte> meta;
  append_little(meta, kMagic);
  append_little(meta, kVersion);
  // The map has no fixed address.
  append_little(meta, std::uint64_t{0});
  append_little(meta, pages_ * kPageBytes);
  const auto database = [&](std::uint64_t pad, std::uint16_t flags, bool full) {
    const bool deep = full && levels_.size() > 1;
    append_little(meta, static_cast<std::uint32_t>(pad));
    append_little(meta, flags);
    append_little(meta, static_cast<std::uint16_t>(full ? levels_.size() : 0));
    append_little(meta, deep ? pages_ - level_pages_[1] : 0);
    append_little(meta, full ? leaves() : 0);
    append_little(meta, full ? records_ * value_pages_ : 0);
    append_little(meta, full ? records_ : 0);
    append_little(meta, full ? page_of(levels_.size() - 1, 0) : kNoPage);
  };
  database(kPageBytes, kIntegerKeys, false);
  database(0, 0, page == 1);
  append_little(meta, page == 1 ? pages_ - 1 : kMetaPages - 1);
  append_little(meta, page);
  std::memcpy(out.data() + kPageHeadBytes, meta.data(), meta.size());
}

void Plan::fill_leaf(std::uint64_t leaf, const SampleContent& content,
                     std::span<std::byte> out) const {
  PageWriter writer(leaf_page(leaf), kLeaf, out);
  for (std::uint64_t i = 0; i < records_in(leaf); ++i) {
    const std::uint64_t record = leaf * per_leaf_ + i;
    if (inline_values_) {
      const auto value = writer.add(value_bytes_, 0, key_of(record), value_bytes_);
      fill_content(content, record * value_bytes_, value);
    } else {
      const auto value = writer.add(value_bytes_, kBigValue, key_of(record), sizeof(std::uint64_t));
      store_little(value.data(), leaf_page(leaf) + 1 + i * value_pages_);
    }
  }
}

void Plan::fill_overflow(std::uint64_t record, std::uint64_t page, const SampleContent& content,
                         std::span<std::byte> out) const {
  std::uint64_t from = page * kPageBytes;  // of head and value
  if (page == 0) {
    const std::uint64_t leaf = record / per_leaf_;
    PageWriter(leaf_page(leaf) + 1 + record % per_leaf_ * value_pages_, kOverflow, out);
    store_little(out.data() + kRunAt, static_cast<std::uint32_t>(value_pages_));
    out = out.subspan(kPageHeadBytes);
  } else {
    from -= kPageHeadBytes;
  }
  const std::size_t length = std::min<std::uint64_t>(out.size(), value_bytes_ - from);
  fill_content(content, record * value_bytes_ + from, out.first(length));
  std::memset(out.data() + length, 0, out.size() - length);
}

void Plan::fill_branch(std::uint64_t page, std::span<std::byte> out) const {
  std::size_t level = 1;
  while (level + 1 < levels_.size() && page >= level_pages_[level + 1]) ++level;
  const std::uint64_t index = page - level_pages_[level];
  PageWriter writer(page, kBranch, out);
  const std::uint64_t begin = first_child(level, index), end = first_child(level, index + 1);
  for (std::uint64_t child = begin; child < end; ++child) {
    const std::uint64_t number = page_of(level - 1, child);
    writer.add(number, static_cast<std::uint16_t>(number >> 32U),
               child == begin ? "" : key_of(first_record(level - 1, child)), 0);
  }
}

std::uint64_t Plan::value_for_stored(std::uint64_t stored_bytes) {
  if (stored_bytes >= kPageBytes)
    return std::min(kValueBytesMax, stored_bytes / kPageBytes * kPageBytes - kPageHeadBytes);
  constexpr std::uint64_t kFixed = kNodeHeadBytes + kKeyBytes;
  const std::uint64_t node =
      stored_bytes < kPointerBytes ? 0 : (stored_bytes - kPointerBytes) / 2 * 2;
  return node <= kFixed ? 0 : std::min(kInlineBytesMax, node - kFixed);
}

}  // namespace feedrate::lmdb

// The plan of an LMDB file that we write: which page holds what. Any page can be made by itself.
#pragma once

#include <vector>

#include "feedrate/format/format.h"
#include "feedrate/format/lmdb/page.h"

namespace feedrate::lmdb {

class Plan {
 public:
  Plan(std::uint64_t records, std::uint64_t value_bytes);

  std::uint64_t pages() const { return pages_; }
  FileIndex index() const;
  // Fills exactly one page of bytes.
  void fill_page(std::uint64_t page, const SampleContent& content, std::span<std::byte> out) const;

  // Returns the largest value whose stored form fits `stored_bytes`: its own pages, or its part of
  // a leaf.
  static std::uint64_t value_for_stored(std::uint64_t stored_bytes);

 private:
  std::uint64_t leaves() const { return levels_.front(); }
  std::uint64_t records_in(std::uint64_t leaf) const;
  std::uint64_t leaf_page(std::uint64_t leaf) const { return kMetaPages + leaf * leaf_stride_; }
  std::uint64_t page_of(std::size_t level, std::uint64_t index) const;
  // Returns the number, in the level below, of the first child of page `index` of a level above the
  // leaves.
  std::uint64_t first_child(std::size_t level, std::uint64_t index) const;
  std::uint64_t first_record(std::size_t level, std::uint64_t index) const;

  void fill_meta(std::uint64_t page, std::span<std::byte> out) const;
  void fill_leaf(std::uint64_t leaf, const SampleContent& content, std::span<std::byte> out) const;
  void fill_overflow(std::uint64_t record, std::uint64_t page, const SampleContent& content,
                     std::span<std::byte> out) const;
  void fill_branch(std::uint64_t page, std::span<std::byte> out) const;

  const std::uint64_t records_, value_bytes_;
  bool inline_values_;
  std::uint64_t value_pages_;               // overflow pages of a value
  std::uint64_t per_leaf_;                  // records
  std::uint64_t leaf_stride_;               // pages from one leaf to the next
  std::vector<std::uint64_t> levels_;       // how many pages, from the leaves to the root
  std::vector<std::uint64_t> level_pages_;  // first page of each, but of the leaves
  std::uint64_t pages_;
};

}  // namespace feedrate::lmdb

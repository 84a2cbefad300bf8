// Reads the structure of a file: its reads are bounded and recorded, and fields are taken from
// them.
//
// libhdf5 is not used here, since version 1.10 crashes on damaged files (a local heap whose free
// list was overwritten, a B-tree node below itself), and since it has one lock for all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "feedrate/format/format.h"

namespace feedrate::hdf5 {

// Takes numbers from the front of some bytes. After the first that is not there, failed() is true
// and all numbers are zero.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint64_t number(std::size_t width);
  std::span<const std::byte> bytes(std::size_t count);
  void skip(std::uint64_t count);
  std::size_t left() const { return bytes_.size(); }
  bool failed() const { return failed_; }

 private:
  std::span<const std::byte> bytes_;
  bool failed_ = false;
};

class Source {
 public:
  // Reads the superblock. Returns kCorrupt when there is none, or when the file is shorter than it
  // says.
  static Result<Source> open(RandomAccess& file);

  // Reads up to `length` bytes at `address`, fewer only at the end of the file. Returns kCorrupt,
  // which names `what`, when fewer than `least` are left.
  Result<std::vector<std::byte>> read(std::uint64_t address, std::uint64_t length,
                                      std::uint64_t least, std::string_view what);
  // Does the same for a part that must begin with the four letters of `signature`.
  Result<std::vector<std::byte>> read_signed(std::uint64_t address, std::uint64_t length,
                                             std::string_view signature);
  // Returns where `length` bytes of values at `address` lie, which must be within the file.
  Result<Extent> values(std::uint64_t address, std::uint64_t length) const;

  std::uint64_t size() const { return file_->size(); }
  // Returns the offset in the file of what lies at `address`: addresses count from the superblock.
  std::uint64_t offset_of(std::uint64_t address) const { return base_ + address; }
  bool defined(std::uint64_t address) const;

  std::size_t offset_bytes = 8, length_bytes = 8;  // widths of addresses and of sizes
  std::uint64_t root = 0;                          // address of the object header
  // Half of the entries that nodes have room for: B-trees of groups and of chunks, and leaves of
  // groups.
  std::uint64_t group_leaf_half = 4, group_node_half = 16, chunk_node_half = 32;
  std::vector<Extent> reads;

 private:
  explicit Source(RandomAccess& file) : file_(&file) {}
  Result<bool> read_superblock();

  RandomAccess* file_;
  std::uint64_t base_ = 0;
};

}  // namespace feedrate::hdf5

#include "feedrate/format/hdf5/chunk_arrays.h"

#include <algorithm>
#include <bit>

#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

constexpr std::uint64_t kChecksumBytes = 4;
constexpr std::uint64_t kPageBitsMax = 24;

// The parts that both kinds share: entries in blocks, and large blocks in pages.
class ArrayReader {
 public:
  ArrayReader(Source& from, const Dataset& of, const TakeEntry& to)
      : source(from), dataset(of), take(to) {}

  std::unexpected<Error> bad(std::uint64_t address, std::string_view what) const {
    return corrupt_at(source.offset_of(address), what);
  }

  Result<> take_entries(Fields& fields, std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t address = fields.number(source.offset_bytes);
      std::uint64_t bytes = dataset.chunk_bytes;
      if (dataset.filtered) {
        bytes = fields.number(entry_bytes - source.offset_bytes - 4);
        fields.skip(4);
      }
      if (fields.failed()) return bad(dataset.address, "an array of chunks is cut off");
      FEEDRATE_CHECK(take(first + i, address, bytes));
    }
    return {};
  }

  bool valid_entry() const {
    const std::uint64_t fixed = source.offset_bytes + (dataset.filtered ? 5 : 0);
    return entry_bytes >= fixed && entry_bytes <= fixed + 7 &&
           (dataset.filtered || entry_bytes == fixed);
  }

  // Reads the block of `count` entries from `first` on at `address`, which begins with `head`
  // bytes.
  Result<> read_block(std::uint64_t address, std::uint64_t head, std::string_view signature,
                      std::uint64_t first, std::uint64_t count) {
    const std::uint64_t page = std::uint64_t{1} << page_bits;
    if (count > source.size())
      return bad(address, "an array of more chunks than the file has bytes");
    if (count <= page) {
      const std::uint64_t length = head + count * entry_bytes + kChecksumBytes;
      FEEDRATE_TRY(const auto bytes, source.read_signed(address, length, signature));
      Fields fields(bytes);
      fields.skip(head);
      return take_entries(fields, first, count);
    }
    return read_pages(address, head, signature, first, count);
  }

  // A fixed array has a bitmap of the pages that were written; the content of the others is
  // undefined.
  Result<> read_pages(std::uint64_t address, std::uint64_t head, std::string_view signature,
                      std::uint64_t first, std::uint64_t count) {
    const std::uint64_t page = std::uint64_t{1} << page_bits;
    const std::uint64_t pages = (count + page - 1) / page;
    const std::uint64_t bitmap = has_bitmap ? (pages + 7) / 8 : 0;
    FEEDRATE_TRY(const auto bytes,
                 source.read_signed(address, head + bitmap + kChecksumBytes, signature));
    if (bytes.size() < head + bitmap) return bad(address, "an array of chunks is cut off");
    std::uint64_t at = address + head + bitmap + kChecksumBytes;
    for (std::uint64_t i = 0; i < pages; ++i) {
      const std::uint64_t entries = std::min(page, count - i * page);
      const std::uint64_t length = entries * entry_bytes + kChecksumBytes;
      const bool written =
          !has_bitmap || (bytes[head + i / 8] & std::byte(0x80U >> (i % 8))) != std::byte{0};
      // A page that was not written takes its room in the file all the same.
      if (written) {
        FEEDRATE_TRY(const auto values, source.read(at, length, length, "page of an array"));
        Fields fields(values);
        FEEDRATE_CHECK(take_entries(fields, first + i * page, entries));
      }
      at += length;
    }
    return {};
  }

  Source& source;
  const Dataset& dataset;
  const TakeEntry& take;
  std::uint64_t entry_bytes = 0, page_bits = 0;
  bool has_bitmap = false;
};

// Super block k refers to 2^(k/2) blocks of `least` * 2^((k+1)/2) entries. The index block holds
// the first entries itself, then the blocks of the first super blocks, then the other super blocks.
class ExtensibleArray : public ArrayReader {
 public:
  using ArrayReader::ArrayReader;

  Result<> run() {
    const std::uint64_t length =
        12 + 6 * source.length_bytes + source.offset_bytes + kChecksumBytes;
    FEEDRATE_TRY(const auto bytes, source.read_signed(dataset.address, length, "EAHD"));
    Fields fields(bytes);
    fields.skip(6);
    entry_bytes = fields.number(1);
    index_bits_ = fields.number(1);
    const std::uint64_t own = fields.number(1);
    least_ = fields.number(1);
    const std::uint64_t pointers = fields.number(1);
    page_bits = fields.number(1);
    fields.skip(4 * source.length_bytes);
    const std::uint64_t used = fields.number(source.length_bytes);
    fields.skip(source.length_bytes);
    const std::uint64_t index = fields.number(source.offset_bytes);
    if (fields.failed() || !valid_entry() || index_bits_ == 0 || index_bits_ > 64 ||
        !std::has_single_bit(least_) || !std::has_single_bit(pointers) || pointers < 2 ||
        page_bits > kPageBitsMax || index_bits_ < static_cast<unsigned>(std::bit_width(least_)) ||
        used > source.size())
      return bad(dataset.address, "an extensible array with absurd sizes");
    used_ = used;
    if (!source.defined(index)) return {};
    return read_index(index, own, pointers);
  }

 private:
  std::uint64_t head_bytes() const { return 6 + source.offset_bytes; }
  static std::uint64_t blocks_of(std::uint64_t super) { return std::uint64_t{1} << (super / 2); }
  std::uint64_t entries_of(std::uint64_t super) const { return least_ << ((super + 1) / 2); }

  Result<> read_index(std::uint64_t address, std::uint64_t own, std::uint64_t pointers) {
    // The numbers of blocks are those of libhdf5's H5EAhdr.c and H5EAiblock.c.
    const std::uint64_t supers = 1 + index_bits_ - (std::bit_width(least_) - 1);
    const std::uint64_t direct_supers =
        std::min<std::uint64_t>(supers, 2 * (std::bit_width(pointers) - 1));
    const std::uint64_t direct = 2 * (pointers - 1);
    const std::uint64_t length = head_bytes() + own * entry_bytes +
                                 (direct + supers - direct_supers) * source.offset_bytes +
                                 kChecksumBytes;
    FEEDRATE_TRY(const auto bytes, source.read_signed(address, length, "EAIB"));
    Fields fields(bytes);
    fields.skip(head_bytes());
    FEEDRATE_CHECK(take_entries(fields, 0, own));
    first_ = own;
    for (std::uint64_t super = 0; super < supers && first_ < used_; ++super) {
      if (super < direct_supers) {
        for (std::uint64_t i = 0; i < blocks_of(super); ++i)
          FEEDRATE_CHECK(read_data_block(fields.number(source.offset_bytes), super));
      } else {
        FEEDRATE_CHECK(read_super_block(fields.number(source.offset_bytes), super));
      }
      if (fields.failed()) return bad(address, "an extensible array is cut off");
    }
    return {};
  }

  std::uint64_t block_head_bytes() const { return head_bytes() + (index_bits_ + 7) / 8; }

  Result<> read_data_block(std::uint64_t address, std::uint64_t super) {
    const std::uint64_t first = first_;
    first_ += entries_of(super);
    if (!source.defined(address) || first >= used_) return {};
    return read_block(address, block_head_bytes(), "EADB", first, entries_of(super));
  }

  Result<> read_super_block(std::uint64_t address, std::uint64_t super) {
    const std::uint64_t blocks = blocks_of(super), page = std::uint64_t{1} << page_bits;
    // Blocks that were never written have no chunks, but their entries count.
    if (!source.defined(address)) {
      first_ += blocks * entries_of(super);
      return {};
    }
    const std::uint64_t pages = entries_of(super) > page ? entries_of(super) / page : 0;
    const std::uint64_t bitmaps = blocks * ((pages + 7) / 8);
    const std::uint64_t length = block_head_bytes() + bitmaps + blocks * source.offset_bytes;
    if (length > source.size()) return bad(address, "an extensible array with absurd sizes");
    FEEDRATE_TRY(const auto bytes, source.read_signed(address, length + kChecksumBytes, "EASB"));
    Fields fields(bytes);
    fields.skip(block_head_bytes() + bitmaps);
    for (std::uint64_t i = 0; i < blocks && first_ < used_; ++i) {
      const std::uint64_t block = fields.number(source.offset_bytes);
      if (fields.failed()) return bad(address, "an extensible array is cut off");
      FEEDRATE_CHECK(read_data_block(block, super));
    }
    return {};
  }

  std::uint64_t index_bits_ = 0, least_ = 0, used_ = 0, first_ = 0;
};

}  // namespace

Result<> each_of_fixed_array(Source& source, const Dataset& dataset, const TakeEntry& take) {
  ArrayReader array(source, dataset, take);
  const std::uint64_t length = 8 + source.length_bytes + source.offset_bytes + kChecksumBytes;
  FEEDRATE_TRY(const auto bytes, source.read_signed(dataset.address, length, "FAHD"));
  Fields fields(bytes);
  fields.skip(6);
  array.entry_bytes = fields.number(1);
  array.page_bits = fields.number(1);
  array.has_bitmap = true;
  const std::uint64_t entries = fields.number(source.length_bytes);
  const std::uint64_t block = fields.number(source.offset_bytes);
  if (fields.failed() || !array.valid_entry() || array.page_bits > kPageBitsMax)
    return array.bad(dataset.address, "a fixed array with absurd sizes");
  if (!source.defined(block)) return {};
  return array.read_block(block, 6 + source.offset_bytes, "FADB", 0, entries);
}

Result<> each_of_extensible_array(Source& source, const Dataset& dataset, const TakeEntry& take) {
  return ExtensibleArray(source, dataset, take).run();
}

}  // namespace feedrate::hdf5

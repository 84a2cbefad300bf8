#include "feedrate/format/hdf5/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/format/hdf5/locate.h"
#include "feedrate/format/wire.h"

namespace feedrate::hdf5 {
namespace {

constexpr std::uint64_t kHeadBytes = 16;  // up to the widths, in every version

bool valid_width(std::size_t bytes) { return bytes == 2 || bytes == 4 || bytes == 8; }

}  // namespace

std::uint64_t Fields::number(std::size_t width) {
  std::uint64_t value = 0;
  const auto field = bytes(width);
  for (std::size_t i = field.size(); i-- > 0;)
    value = value << 8U | std::to_integer<std::uint64_t>(field[i]);
  return value;
}

std::span<const std::byte> Fields::bytes(std::size_t count) {
  if (count > bytes_.size()) {
    failed_ = true;
    bytes_ = {};
    return {};
  }
  const auto front = bytes_.first(count);
  bytes_ = bytes_.subspan(count);
  return front;
}

void Fields::skip(std::uint64_t count) { bytes(count); }

Result<Source> Source::open(RandomAccess& file) {
  Source source(file);
  // The superblock comes first, or after a user block of 512 B times a power of two.
  for (std::uint64_t base = 0; file.size() >= kHeadBytes && base <= file.size() - kHeadBytes;
       base = std::max<std::uint64_t>(512, base * 2)) {
    source.base_ = base;
    source.reads.push_back({base, kSignature.size()});
    FEEDRATE_TRY(const bool found, source.read_superblock());
    if (found) return source;
  }
  return corrupt_at(0, "no signature of an HDF5 file");
}

Result<bool> Source::read_superblock() {
  std::byte head[kHeadBytes];
  FEEDRATE_CHECK(file_->read_at(base_, head));
  if (as_text(head).substr(0, kSignature.size()) != kSignature) return false;
  reads.push_back({base_, kHeadBytes});
  const auto version = std::to_integer<unsigned>(head[8]);
  if (version > 3) return corrupt_at(base_ + 8, fmt::format("superblock of version {}", version));
  // The places are those of HDF5's file format specification 3.0, II.A.
  const std::size_t widths = version < 2 ? 13 : 9;
  offset_bytes = std::to_integer<std::size_t>(head[widths]);
  length_bytes = std::to_integer<std::size_t>(head[widths + 1]);
  if (!valid_width(offset_bytes) || !valid_width(length_bytes))
    return corrupt_at(base_ + widths, fmt::format("offsets of {} B and lengths of {} B",
                                                  offset_bytes, length_bytes));
  const std::size_t fixed = version == 0 ? 24 : version == 1 ? 28 : 12;
  const std::size_t length =
      fixed + 4 * offset_bytes + (version < 2 ? 2 * offset_bytes + 24 : std::size_t{4});
  FEEDRATE_TRY(const auto bytes, read(0, length, length, "superblock"));
  reads.back() = {base_ + kHeadBytes, length - kHeadBytes};
  Fields fields(bytes);
  fields.skip(16);
  if (version < 2) {
    group_leaf_half = fields.number(2);
    group_node_half = fields.number(2);
    fields.skip(4);
    if (version == 1) {
      chunk_node_half = fields.number(2);
      fields.skip(2);
    }
  } else {
    fields = Fields(std::span(bytes).subspan(12));
  }
  fields.skip(2 * offset_bytes);
  const std::uint64_t end = fields.number(offset_bytes);
  if (version < 2) fields.skip(2 * offset_bytes);  // driver information; name of the root
  root = fields.number(offset_bytes);
  if (end > size())  // it counts the user block
    return corrupt_at(base_, fmt::format("truncated HDF5 file: it should have {} B", end));
  return true;
}

Result<std::vector<std::byte>> Source::read(std::uint64_t address, std::uint64_t length,
                                            std::uint64_t least, std::string_view what) {
  const std::uint64_t room = size() - base_;
  if (address > room || least > room - address)
    return corrupt_at(base_ + std::min(address, room),
                      fmt::format("{} does not lie within the file of {} B", what, size()));
  std::vector<std::byte> bytes(std::min(length, room - address));
  FEEDRATE_CHECK(file_->read_at(base_ + address, bytes));
  reads.push_back({base_ + address, bytes.size()});
  return bytes;
}

Result<std::vector<std::byte>> Source::read_signed(std::uint64_t address, std::uint64_t length,
                                                   std::string_view signature) {
  FEEDRATE_TRY(auto bytes, read(address, length, signature.size(), signature));
  if (as_text(bytes).starts_with(signature)) return bytes;
  return corrupt_at(base_ + address, fmt::format("no {} where one must be", signature));
}

Result<Extent> Source::values(std::uint64_t address, std::uint64_t length) const {
  const std::uint64_t room = size() - base_;
  if (address > room || length > room - address)
    return corrupt_at(
        base_ + std::min(address, room),
        fmt::format("values of {} B do not lie within the file of {} B", length, size()));
  return Extent{base_ + address, length};
}

bool Source::defined(std::uint64_t address) const {
  return address != (offset_bytes == 8 ? UINT64_MAX : (std::uint64_t{1} << (8 * offset_bytes)) - 1);
}

}  // namespace feedrate::hdf5

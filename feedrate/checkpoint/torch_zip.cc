#include "feedrate/checkpoint/torch_zip.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/format/checksum.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kLarge = UINT32_MAX;  // From here on a field of 32 bits is too small.
constexpr std::uint16_t kHasDescriptor = 0x0008, kUtf8 = 0x0800;
constexpr std::string_view kVersion = "3\n";

template <class Integer>
void append(std::string& out, Integer value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

std::uint32_t field32(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min(value, kLarge));
}

std::uint16_t flags(std::uint64_t bytes) { return bytes > 0 ? kUtf8 | kHasDescriptor : kUtf8; }

// The sizes in a descriptor have 64 bits when the record has a zip64 field at all, and miniz gives
// it one for a far header, too.
bool has_zip64(std::uint64_t header_offset, std::uint64_t bytes) {
  return bytes >= kLarge || header_offset >= kLarge;
}

// `stored` is the size that the record takes in the archive.
std::string zip64_field(std::uint64_t header_offset, std::uint64_t bytes, std::uint64_t stored) {
  std::string out;
  if (!has_zip64(header_offset, bytes)) return out;
  const int values = (bytes >= kLarge ? 2 : 0) + (header_offset >= kLarge ? 1 : 0);
  append<std::uint16_t>(out, 1);
  append(out, static_cast<std::uint16_t>(8 * values));
  if (bytes >= kLarge) {
    append(out, bytes);
    append(out, stored);
  }
  if (header_offset >= kLarge) append(out, header_offset);
  return out;
}

// Returns the header as miniz leaves it when built without a clock: without version and date. The
// CRC and the sizes follow behind the data and in the directory, which is where zipfile and torch
// look.
std::string local_header(std::string_view name, std::uint64_t header_offset, std::uint64_t bytes) {
  std::string extra = zip64_field(header_offset, bytes, 0);
  // The header has 30 bytes of fixed fields; 4 bytes are the id and the length of the padding
  // field.
  const std::uint64_t end = header_offset + 30 + name.size() + extra.size() + 4;
  const auto padding = static_cast<std::uint16_t>((kAlignment - end % kAlignment) % kAlignment);
  extra += "FB";
  append(extra, padding);
  extra.append(padding, 'Z');

  std::string out = "PK\x03\x04";
  append<std::uint16_t>(out, 0);
  append(out, flags(bytes));
  out.append(18, '\0');  // Method, time, date, CRC and sizes.
  append(out, static_cast<std::uint16_t>(name.size()));
  append(out, static_cast<std::uint16_t>(extra.size()));
  out.append(name).append(extra);
  return out;
}

std::uint32_t crc32_of(std::string_view text) {
  return update_checksum(ChecksumKind::kCrc32, checksum_of_nothing(ChecksumKind::kCrc32),
                         std::as_bytes(std::span(text)));
}

std::string end_records(std::uint64_t directory_offset, std::uint64_t directory_bytes,
                        std::uint64_t entries) {
  std::string out = "PK\x06\x06";
  // The size of a zip64 end record counts from behind the size itself: 44 bytes.
  append<std::uint64_t>(out, 44);
  append<std::uint16_t>(out, 3U << 8U | 30U);  // Made on Unix, by version 3.0.
  append<std::uint16_t>(out, 45);
  append<std::uint64_t>(out, 0);  // Disk numbers.
  for (const std::uint64_t value : {entries, entries, directory_bytes, directory_offset})
    append(out, value);
  out += "PK\x06\x07";
  append<std::uint32_t>(out, 0);
  append(out, directory_offset + directory_bytes);
  append<std::uint32_t>(out, 1);

  const auto entries16 = static_cast<std::uint16_t>(std::min<std::uint64_t>(entries, UINT16_MAX));
  out += "PK\x05\x06";
  append<std::uint32_t>(out, 0);
  append(out, entries16);
  append(out, entries16);
  append(out, field32(directory_bytes));
  append(out, field32(directory_offset));
  append<std::uint16_t>(out, 0);  // Comment length.
  return out;
}

std::string_view storage_class(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "FloatStorage";
    case Dtype::kBf16:
      return "BFloat16Storage";
    case Dtype::kU8:
      return "ByteStorage";
  }
  return "ByteStorage";
}

}  // namespace

TorchZip::TorchZip(const std::string& pickle, std::span<const std::uint64_t> storage_bytes) {
  append_small(head_, head_entries_, 0, "archive/data.pkl", pickle);
  append_small(head_, head_entries_, 0, "archive/byteorder", "little");
  std::uint64_t offset = head_.size();
  for (const std::uint64_t bytes : storage_bytes) {
    const std::string name = fmt::format("archive/data/{}", storages_.size());
    storages_.push_back({offset, local_header(name, offset, bytes), bytes});
    offset = storages_.back().data_offset() + bytes + descriptor(offset, bytes, 0).size();
  }
  trailer_offset_ = offset;
}

void TorchZip::append_small(std::string& out, std::vector<Entry>& entries, std::uint64_t base,
                            std::string_view name, std::string_view data) {
  const Entry entry{std::string(name), base + out.size(), data.size(), crc32_of(data)};
  out += local_header(name, entry.header_offset, entry.bytes);
  out += data;
  out += descriptor(entry.header_offset, entry.bytes, entry.crc32);
  entries.push_back(entry);
}

std::string TorchZip::trailer(std::span<const std::uint32_t> crc32) const {
  FEEDRATE_ASSERT(crc32.size() == storages_.size());
  std::vector<Entry> entries = head_entries_;
  for (std::size_t index = 0; index < storages_.size(); ++index)
    entries.push_back({fmt::format("archive/data/{}", index), storages_[index].header_offset,
                       storages_[index].bytes, crc32[index]});
  std::string out;
  append_small(out, entries, trailer_offset_, "archive/version", kVersion);
  const std::size_t record = out.size();
  for (const Entry& entry : entries) out += central(entry);
  return out + end_records(trailer_offset_ + record, out.size() - record, entries.size());
}

std::string TorchZip::descriptor(std::uint64_t header_offset, std::uint64_t bytes,
                                 std::uint32_t crc32) {
  std::string out;
  if (bytes == 0) return out;
  out = "PK\x07\x08";
  append(out, crc32);
  for (int size = 0; size < 2; ++size)
    if (has_zip64(header_offset, bytes))
      append(out, bytes);
    else
      append(out, static_cast<std::uint32_t>(bytes));
  return out;
}

std::string TorchZip::central(const Entry& entry) {
  const std::string extra = zip64_field(entry.header_offset, entry.bytes, entry.bytes);
  std::string out = "PK\x01\x02";
  append<std::uint32_t>(out, 0);  // Versions.
  append(out, flags(entry.bytes));
  out.append(6, '\0');  // Method, time and date.
  append(out, entry.crc32);
  append(out, field32(entry.bytes));
  append(out, field32(entry.bytes));
  append(out, static_cast<std::uint16_t>(entry.name.size()));
  append(out, static_cast<std::uint16_t>(extra.size()));
  out.append(10, '\0');  // Comment length, disk and attributes.
  append(out, field32(entry.header_offset));
  return out + entry.name + extra;
}

void append_tensor(Pickle& pickle, const TensorPiece& piece, std::uint64_t number) {
  std::vector<std::uint64_t> strides(piece.shape.size(), 1);
  for (std::size_t dimension = strides.size(); dimension-- > 1;)
    strides[dimension - 1] =
        strides[dimension] * std::max<std::uint64_t>(piece.shape[dimension], 1);
  pickle.global("torch._utils", "_rebuild_tensor_v2");
  pickle.mark();
  pickle.mark();
  pickle.text("storage");
  pickle.global("torch", storage_class(piece.dtype));
  pickle.text(fmt::to_string(number));
  pickle.text("cpu");
  pickle.integer(piece.elements());
  pickle.tuple();
  pickle.persistent_id();
  pickle.integer(0);  // Where in the storage the tensor begins.
  pickle.integers(piece.shape);
  pickle.integers(strides);
  pickle.boolean(false);  // requires_grad
  // The hooks: each tensor has a dict of its own, so it is not kept for recall.
  pickle.global("collections", "OrderedDict");
  pickle.empty_tuple();
  pickle.reduce();
  pickle.tuple();
  pickle.reduce();
}

}  // namespace feedrate

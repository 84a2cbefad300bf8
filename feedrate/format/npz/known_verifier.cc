#include <algorithm>

#include "feedrate/format/npz/verifier.h"
#include "feedrate/format/wire.h"

namespace feedrate::npz {
namespace {

// Returns the part of `bytes`, which stand at `offset`, that lies within [from, to).
std::span<const std::byte> clip(std::uint64_t offset, std::span<const std::byte> bytes,
                                std::uint64_t from, std::uint64_t to) {
  const std::uint64_t begin = std::clamp(from, offset, offset + bytes.size());
  const std::uint64_t end = std::clamp(to, begin, offset + bytes.size());
  return bytes.subspan(begin - offset, end - begin);
}

}  // namespace

KnownVerifier::KnownVerifier(const SampleContent& content)
    : content_(content), archive_(content.bytes, content.label, 0) {
  for (std::size_t i = 0; i < fields_.size(); ++i) fields_[i].offset = archive_.crc_offsets[i];
}

Result<> KnownVerifier::consume(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (offset >= archive_.file_bytes())
      return corrupt_at(offset, "bytes after the planned end of the file");
    const std::size_t length =
        std::min({bytes.size(), kCheckSliceBytes, std::size_t{archive_.file_bytes() - offset}});
    FEEDRATE_CHECK(check_slice(offset, bytes.first(length)));
    bytes = bytes.subspan(length);
    offset += length;
  }
  return {};
}

Result<> KnownVerifier::check_slice(std::uint64_t offset, std::span<const std::byte> bytes) {
  FEEDRATE_CHECK(compare_literal(offset, bytes, 0, archive_.head));
  const auto content = clip(offset, bytes, Archive::kContentOffset, archive_.tail_offset());
  if (!content.empty()) {
    const std::uint64_t from = std::max(offset, Archive::kContentOffset) - Archive::kContentOffset;
    if (const auto at = first_difference(content_, from, content))
      return corrupt_at(Archive::kContentOffset + *at, "content differs from what was written");
  }
  FEEDRATE_CHECK(compare_literal(offset, bytes, archive_.tail_offset(), archive_.tail));
  capture_fields(offset, bytes);
  add_data(offset, bytes);
  return check_fields();
}

Result<> KnownVerifier::compare_literal(std::uint64_t offset, std::span<const std::byte> bytes,
                                        std::uint64_t literal_offset,
                                        std::span<const std::byte> literal) {
  std::uint64_t from = literal_offset;
  const std::uint64_t end = literal_offset + literal.size();
  for (std::size_t i = 0; i <= fields_.size(); ++i) {  // the stretches between the CRC fields
    const bool last = i == fields_.size();
    if (!last && (fields_[i].offset < from || fields_[i].offset >= end)) continue;
    const std::uint64_t to = last ? end : fields_[i].offset;
    const auto actual = clip(offset, bytes, from, to);
    const std::uint64_t at = std::max(offset, from);
    if (!actual.empty()) {
      if (const auto bad =
              first_mismatch(actual, literal.subspan(at - literal_offset, actual.size())))
        return corrupt_at(at + *bad, "zip or npy header differs from what was written");
    }
    from = to + fields_.front().bytes.size();
  }
  return {};
}

void KnownVerifier::capture_fields(std::uint64_t offset, std::span<const std::byte> bytes) {
  for (CrcField& field : fields_)
    for (std::size_t i = 0; i < field.bytes.size(); ++i)
      if (field.offset + i >= offset && field.offset + i - offset < bytes.size()) {
        field.bytes[i] = bytes[field.offset + i - offset];
        field.seen |= 1U << i;
      }
}

void KnownVerifier::add_data(std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto data = clip(offset, bytes, Archive::kDataOffset, archive_.tail_offset());
  if (data.empty()) return;
  const std::uint64_t at = std::max(offset, Archive::kDataOffset);
  if (at == Archive::kDataOffset) {
    crc_ = 0;
    next_ = at;
  }
  if (at != next_) {
    next_ = UINT64_MAX;
    return;
  }
  crc_ = crc32(crc_, data);
  next_ = at + data.size();
  if (next_ == archive_.tail_offset()) whole_crc_ = crc_;
}

Result<> KnownVerifier::check_fields() {
  std::optional<std::uint32_t> expected = whole_crc_;
  for (const CrcField& field : fields_) {
    if (field.seen != 0xF) continue;
    const auto stored = load_little<std::uint32_t>(field.bytes.data());
    if (!expected) expected = stored;
    if (stored != *expected)
      return corrupt_at(field.offset, "CRC-32 of x.npy does not match its data");
  }
  return {};
}

}  // namespace feedrate::npz

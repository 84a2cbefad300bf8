#include "feedrate/format/npz/archive.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "feedrate/format/npy_header.h"
#include "feedrate/format/npz/zip.h"
#include "feedrate/format/wire.h"

namespace feedrate::npz {
namespace {

constexpr std::uint64_t kZip64Limit = (1ULL << 31U) - 1;  // zipfile.ZIP64_LIMIT
constexpr std::uint16_t kVersion = 20, kZip64Version = 45, kUnix = 3;
constexpr std::uint32_t kDate1980 = 0x00210000;  // 1980-01-01 00:00
constexpr std::uint32_t kReadWriteByOwner = 0x01800000;

struct StoredMember {
  std::string_view name;
  std::uint64_t header_offset, bytes;
  std::uint32_t crc;

  bool large() const { return bytes > kZip64Limit; }
  std::uint32_t bytes_field() const {
    return large() ? UINT32_MAX : static_cast<std::uint32_t>(bytes);
  }
};

// Appends method, time, date, CRC and 32-bit sizes: the part that a local and a central header
// share.
void append_common(std::vector<std::byte>& out, const StoredMember& member) {
  append_little<std::uint16_t>(out, 0);  // flags
  append_little(out, kStored);
  append_little(out, kDate1980);
  append_little(out, member.crc);
  append_little(out, member.bytes_field());
  append_little(out, member.bytes_field());
  append_little(out, static_cast<std::uint16_t>(member.name.size()));
}

void append_zip64_field(std::vector<std::byte>& out, std::span<const std::uint64_t> values) {
  append_little(out, kZip64Field);
  append_little(out, static_cast<std::uint16_t>(8 * values.size()));
  for (const std::uint64_t value : values) append_little(out, value);
}

// numpy always asks for the zip64 field in the local header, so it is always there.
void append_local(std::vector<std::byte>& out, const StoredMember& member) {
  append_little(out, kLocalSignature);
  append_little(out, member.large() ? kZip64Version : kVersion);
  append_common(out, member);
  append_little<std::uint16_t>(out, 20);
  append_text(out, member.name);
  append_zip64_field(out, std::array{member.bytes, member.bytes});
}

void append_central(std::vector<std::byte>& out, const StoredMember& member) {
  const bool far = member.header_offset > kZip64Limit;
  std::vector<std::uint64_t> values;
  if (member.large()) values = {member.bytes, member.bytes};
  if (far) values.push_back(member.header_offset);
  const std::uint16_t version = values.empty() ? kVersion : kZip64Version;
  append_little(out, kCentralSignature);
  append_little(out, static_cast<std::uint16_t>(version | kUnix << 8U));
  append_little(out, version);
  append_common(out, member);
  append_little(out, static_cast<std::uint16_t>(values.empty() ? 0 : 4 + 8 * values.size()));
  append_little<std::uint16_t>(out, 0);  // comment
  append_little<std::uint32_t>(out, 0);  // disk, internal attributes
  append_little(out, kReadWriteByOwner);
  append_little(out, far ? UINT32_MAX : static_cast<std::uint32_t>(member.header_offset));
  append_text(out, member.name);
  if (!values.empty()) append_zip64_field(out, values);
}

void append_end64(std::vector<std::byte>& out, const Extent& directory, std::uint64_t members) {
  append_little(out, kEnd64Signature);
  append_little<std::uint64_t>(out, kEnd64Bytes - 12);
  append_little(out, kZip64Version);
  append_little(out, kZip64Version);
  append_little<std::uint64_t>(out, 0);  // disks
  append_little(out, members);
  append_little(out, members);
  append_little(out, directory.length);
  append_little(out, directory.offset);
  append_little(out, kLocator64Signature);
  append_little<std::uint32_t>(out, 0);
  append_little(out, directory.end());
  append_little<std::uint32_t>(out, 1);
}

void append_end(std::vector<std::byte>& out, const Extent& directory, std::uint16_t members) {
  append_little(out, kEndSignature);
  append_little<std::uint32_t>(out, 0);  // disks
  append_little(out, members);
  append_little(out, members);
  append_little(out, static_cast<std::uint32_t>(directory.length));
  append_little(out,
                static_cast<std::uint32_t>(std::min<std::uint64_t>(directory.offset, UINT32_MAX)));
  append_little<std::uint16_t>(out, 0);  // comment
}

std::vector<std::byte> label_data(std::uint32_t label) {
  std::vector<std::byte> data = npy_header("<i8", 1);
  append_little<std::int64_t>(data, label);
  return data;
}

}  // namespace

Archive::Archive(std::uint64_t content_bytes, std::uint32_t label, std::uint32_t crc)
    : tail_offset_(kContentOffset + content_bytes) {
  const std::vector<std::byte> header = npy_header("|u1", content_bytes);
  const StoredMember x{"x.npy", 0, header.size() + content_bytes, crc};
  append_local(head, x);
  FEEDRATE_ASSERT(head.size() == kDataOffset);
  head.insert(head.end(), header.begin(), header.end());
  FEEDRATE_ASSERT(head.size() == kContentOffset);

  const std::vector<std::byte> data = label_data(label);
  const StoredMember y{"y.npy", tail_offset_, data.size(), crc32(0, data)};
  append_local(tail, y);
  tail.insert(tail.end(), data.begin(), data.end());
  directory.offset = file_bytes();
  append_central(tail, x);
  append_central(tail, y);
  directory.length = file_bytes() - directory.offset;
  zip64 = directory.offset > kZip64Limit;
  if (zip64) append_end64(tail, directory, 2);
  append_end(tail, directory, 2);
  // The CRC stands at 14 of a local header and at 16 of a central one.
  crc_offsets = {14, directory.offset + 16};
}

std::uint32_t array_crc(const SampleContent& content) {
  std::uint32_t crc = crc32(0, npy_header("|u1", content.bytes));
  std::vector<std::byte> slice(std::min<std::uint64_t>(content.bytes, kCheckSliceBytes));
  for (std::uint64_t offset = 0; offset < content.bytes; offset += slice.size()) {
    slice.resize(std::min<std::uint64_t>(slice.size(), content.bytes - offset));
    fill_content(content, offset, slice);
    crc = crc32(crc, slice);
  }
  return crc;
}

}  // namespace feedrate::npz

#include "feedrate/format/npz/zip.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <optional>

#include "feedrate/format/wire.h"

namespace feedrate::npz {
namespace {

std::uint16_t load16(std::span<const std::byte> bytes, std::size_t at) {
  return load_little<std::uint16_t>(bytes.data() + at);
}
std::uint32_t load32(std::span<const std::byte> bytes, std::size_t at) {
  return load_little<std::uint32_t>(bytes.data() + at);
}
std::uint64_t load64(std::span<const std::byte> bytes, std::size_t at) {
  return load_little<std::uint64_t>(bytes.data() + at);
}

Result<std::vector<std::byte>> read(RandomAccess& file, Extent extent) {
  std::vector<std::byte> bytes(extent.length);
  FEEDRATE_CHECK(file.read_at(extent.offset, bytes));
  return bytes;
}

struct EndRecord {
  std::uint64_t offset = 0, directory_offset = 0, directory_bytes = 0;
};

EndRecord parse_end(std::uint64_t offset, std::span<const std::byte> bytes) {
  return {offset, load32(bytes, 16), load32(bytes, 12)};
}

// The end record is the last thing in the file, but for a comment, which numpy never writes.
Result<EndRecord> find_end(RandomAccess& file, std::vector<Extent>& reads) {
  if (file.size() < kEndBytes) return corrupt_at(0, "too short for a zip archive");
  reads.push_back({file.size() - kEndBytes, kEndBytes});
  FEEDRATE_TRY(const auto last, read(file, reads.back()));
  if (load32(last, 0) == kEndSignature && load16(last, 20) == 0)
    return parse_end(reads.back().offset, last);

  const std::uint64_t length = std::min(file.size(), kEndBytes + kCommentBytesMax);
  reads.push_back({file.size() - length, length});
  FEEDRATE_TRY(const auto tail, read(file, reads.back()));
  for (std::uint64_t at = length - kEndBytes + 1; at-- > 0;)
    if (load32(tail, at) == kEndSignature)
      return parse_end(reads.back().offset + at, std::span(tail).subspan(at));
  return corrupt_at(reads.back().offset,
                    "no end-of-central-directory record: not a zip archive, "
                    "or one that was cut off");
}

// Replaces `end` by the zip64 record in front of it, if there is one.
Result<> apply_zip64(RandomAccess& file, EndRecord& end, std::vector<Extent>& reads) {
  if (end.offset < kLocator64Bytes) return {};
  const std::uint64_t locator = end.offset - kLocator64Bytes;
  reads.push_back({locator, file.size() - locator});
  FEEDRATE_TRY(const auto bytes, read(file, {locator, kLocator64Bytes}));
  if (load32(bytes, 0) != kLocator64Signature) return {};
  if (locator < kEnd64Bytes) return corrupt_at(locator, "zip64 locator without its record");
  const std::uint64_t offset = locator - kEnd64Bytes;
  reads.push_back({offset, file.size() - offset});
  FEEDRATE_TRY(const auto record, read(file, {offset, kEnd64Bytes}));
  if (load32(record, 0) != kEnd64Signature)
    return corrupt_at(offset, "no zip64 end record where its locator says");
  end = {offset, load64(record, 48), load64(record, 40)};
  return {};
}

struct Entry {
  Member member;
  std::uint64_t length = 0;  // in the directory
};

// Takes the 64-bit values of the zip64 field in place of those that do not fit 32 bits.
bool apply_zip64_field(std::span<const std::byte> extra, Member& member) {
  while (extra.size() >= 4) {
    const std::size_t length = load16(extra, 2);
    if (length > extra.size() - 4) return false;
    if (load16(extra, 0) == kZip64Field) {
      auto values = extra.subspan(4, length);
      for (std::uint64_t* value : {&member.bytes, &member.stored_bytes, &member.header_offset}) {
        if (*value != UINT32_MAX) continue;
        if (values.size() < 8) return false;
        *value = load64(values, 0);
        values = values.subspan(8);
      }
      return true;
    }
    extra = extra.subspan(4 + length);
  }
  return true;
}

Result<Entry> parse_entry(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.size() < kCentralBytes || load32(bytes, 0) != kCentralSignature)
    return corrupt_at(offset, "no central directory entry where one must be");
  // The places are those of PKWARE's APPNOTE, 4.3.12.
  const std::size_t name = load16(bytes, 28), extra = load16(bytes, 30),
                    comment = load16(bytes, 32);
  Entry entry;
  entry.length = kCentralBytes + name + extra + comment;
  if (entry.length > bytes.size())
    return corrupt_at(offset, "central directory entry does not end within the directory");
  Member& member = entry.member;
  member.name = as_text(bytes.subspan(kCentralBytes, name));
  member.flags = load16(bytes, 8);
  member.method = load16(bytes, 10);
  member.crc = load32(bytes, 16);
  member.stored_bytes = load32(bytes, 20);
  member.bytes = load32(bytes, 24);
  member.header_offset = load32(bytes, 42);
  if (!apply_zip64_field(bytes.subspan(kCentralBytes + name, extra), member))
    return corrupt_at(offset, "malformed zip64 field in a central directory entry");
  return entry;
}

Result<> check_readable(const Member& member) {
  if ((member.flags & kEncryptedFlag) != 0)
    return fail(ErrorKind::kUnsupported, "the array in the zip archive is encrypted");
  if (member.method != kStored && member.method != kDeflated)
    return fail(ErrorKind::kUnsupported,
                "zip compression method " + std::to_string(member.method) +
                    " of the array is neither stored (0) nor deflated (8)",
                "rewrite it with numpy.savez or numpy.savez_compressed");
  if (member.method == kStored && member.stored_bytes != member.bytes)
    return corrupt_at(member.header_offset, "the stored array has two different sizes");
  return {};
}

}  // namespace

Result<LocalHeader> parse_local_header(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.size() < kLocalBytes || load32(bytes, 0) != kLocalSignature)
    return corrupt_at(offset, "no local header of a zip member where one must be");
  LocalHeader header;
  header.flags = load16(bytes, 6);
  header.method = load16(bytes, 8);
  header.crc = load32(bytes, 14);
  header.name_bytes = load16(bytes, 26);
  header.extra_bytes = load16(bytes, 28);
  return header;
}

Result<Directory> find_directory(RandomAccess& file) {
  Directory directory;
  FEEDRATE_TRY(EndRecord end, find_end(file, directory.reads));
  FEEDRATE_CHECK(apply_zip64(file, end, directory.reads));
  if (end.directory_bytes > end.offset || end.directory_offset != end.offset - end.directory_bytes)
    return corrupt_at(end.offset, "central directory of " + std::to_string(end.directory_bytes) +
                                      " B at " + std::to_string(end.directory_offset) +
                                      " does not end at the end record");
  if (end.directory_bytes > kDirectoryBytesMax)
    return fail(ErrorKind::kUnsupported, "zip archive with a central directory of " +
                                             std::to_string(end.directory_bytes) +
                                             " B: at most 64 MiB are read");
  directory.extent = {end.directory_offset, end.directory_bytes};
  return directory;
}

Result<Member> find_array(RandomAccess& file, const Extent& directory) {
  FEEDRATE_TRY(const auto bytes, read(file, directory));
  std::optional<Member> x, largest;
  for (std::uint64_t at = 0; at < bytes.size();) {
    FEEDRATE_TRY(Entry entry, parse_entry(directory.offset + at, std::span(bytes).subspan(at)));
    at += entry.length;
    Member& member = entry.member;
    if (member.name == "x.npy")
      x = std::move(member);
    else if (member.name.ends_with(".npy") &&
             (!largest || member.stored_bytes > largest->stored_bytes))
      largest = std::move(member);
  }
  if (!x && !largest) return corrupt_at(directory.offset, "zip archive without a .npy member");
  Member array = x ? *std::move(x) : *std::move(largest);
  FEEDRATE_CHECK(check_readable(array));
  return array;
}

Result<Extent> locate_member(RandomAccess& file, const Extent& directory, const Member& member) {
  const std::uint64_t offset = member.header_offset;
  if (offset > directory.offset || directory.offset - offset < kLocalBytes)
    return corrupt_at(offset, "local header of the array is not within the archive");
  const std::uint64_t room = directory.offset - offset;
  FEEDRATE_TRY(const auto fixed, read(file, {offset, kLocalBytes}));
  FEEDRATE_TRY(const LocalHeader header, parse_local_header(offset, fixed));
  const std::uint64_t data = header.data_position();
  if (data > room || member.stored_bytes > room - data)
    return corrupt_at(offset, "array of " + std::to_string(member.stored_bytes) +
                                  " B does not end in front of the central directory");
  FEEDRATE_TRY(const auto name, read(file, {offset + kLocalBytes, header.name_bytes}));
  const bool same_crc = (header.flags & kDescriptorFlag) != 0 || header.crc == member.crc;
  if (as_text(name) != member.name || header.method != member.method || !same_crc)
    return corrupt_at(offset, "local header and central directory disagree");
  return Extent{offset, data + member.stored_bytes};
}

std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes) {
  return crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

}  // namespace feedrate::npz

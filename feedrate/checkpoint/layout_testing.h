// Support for tests: what must hold for a file in any layout, and its bytes put together by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "feedrate/checkpoint/file_bytes.h"
#include "feedrate/checkpoint/layout.h"
#include "feedrate/format/checksum.h"

namespace feedrate {

struct FilePart {
  std::uint64_t begin, end;
};

// Expects that texts, pieces, what follows them and the trailer neither overlap nor leave a gap, up
// to the end.
inline void expect_whole(const CheckpointLayout& layout, const FilePlan& file) {
  std::vector<FilePart> parts;
  const auto add = [&parts](std::uint64_t begin, std::uint64_t bytes) {
    if (bytes > 0) parts.push_back({begin, begin + bytes});
  };
  for (const FileText& text : file.texts) add(text.offset, text.bytes.size());
  for (std::size_t index = 0; index < file.pieces.size(); ++index) {
    const PlacedPiece& placed = file.pieces[index];
    add(placed.offset, placed.piece.bytes());
    add(placed.offset + placed.piece.bytes(), layout.after_piece(file, index, ~0U).size());
  }
  const std::vector<std::uint32_t> crc32(file.pieces.size(), ~0U);
  add(file.trailer_offset, layout.trailer(file, crc32).size());
  std::ranges::sort(parts, {}, &FilePart::begin);
  std::uint64_t at = 0;
  for (const FilePart& part : parts) {
    ASSERT_EQ(part.begin, at) << file.path;
    at = part.end;
  }
  EXPECT_EQ(at, file.bytes) << file.path;
}

// Returns what a FileRenderer makes with buffers of `chunk` bytes.
inline std::string rendered(const CheckpointLayout& layout, const FilePlan& file,
                            std::size_t chunk) {
  FileRenderer renderer(file, layout, emulated_bytes(file, {.block_bytes = 4096}, 1), 4096);
  std::string bytes;
  std::vector<std::byte> out(chunk);
  while (const std::uint64_t count = renderer.next(out))
    bytes.append(reinterpret_cast<const char*>(out.data()), count);
  return bytes;
}

// Returns the file around the pieces' data in `bytes`, put together in another order than a
// renderer has.
inline std::string assembled(const CheckpointLayout& layout, const FilePlan& file,
                             const std::string& bytes) {
  std::string out(file.bytes, '\0');
  std::vector<std::uint32_t> crc32;
  for (std::size_t index = 0; index < file.pieces.size(); ++index) {
    const PlacedPiece& placed = file.pieces[index];
    const std::string data = bytes.substr(placed.offset, placed.piece.bytes());
    crc32.push_back(update_checksum(ChecksumKind::kCrc32, 0, std::as_bytes(std::span(data))));
    const std::string after = layout.after_piece(file, index, crc32.back());
    out.replace(placed.offset, data.size() + after.size(), data + after);
  }
  const std::string trailer = layout.trailer(file, crc32);
  out.replace(file.trailer_offset, trailer.size(), trailer);
  for (const FileText& text : file.texts) out.replace(text.offset, text.bytes.size(), text.bytes);
  return out;
}

}  // namespace feedrate

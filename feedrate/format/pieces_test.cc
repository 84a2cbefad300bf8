#include "feedrate/format/pieces.h"

#include <zlib.h>

#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

const SampleContent kContent{3, 4, 200'000, 0, 0};

std::byte low_bits(std::byte byte) { return byte & std::byte{0x7F}; }

// "head", content, CRC-32 of both but for eight bytes, zeros, mapped content, CRC-16.
FilePieces example() {
  FilePieces pieces;
  std::vector<std::byte> head;
  append_text(head, "head");
  pieces.begin_checksum(ChecksumKind::kCrc32);
  pieces.literal(head);
  pieces.content(kContent, 0, 150'000);
  pieces.pause_checksum(ChecksumKind::kCrc32);
  pieces.zeros(8);
  pieces.resume_checksum(ChecksumKind::kCrc32);
  pieces.literal(head);
  pieces.end_checksum(ChecksumKind::kCrc32);
  pieces.begin_checksum(ChecksumKind::kCrc16);
  pieces.content(kContent, 150'000, 50'000, low_bits);
  pieces.end_checksum(ChecksumKind::kCrc16);
  pieces.literal(head);
  return pieces;
}

Bytes rendered(std::size_t chunk_bytes) {
  const auto renderer = render_pieces(example());
  Bytes file, chunk(chunk_bytes);
  while (const std::size_t length = renderer->next(chunk))
    file.insert(file.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(length));
  return file;
}

TEST(Pieces, AreWrittenInOrderWithTheirChecksums) {
  const Bytes file = rendered(1U << 20U);
  ASSERT_EQ(file.size(), example().size());
  ASSERT_EQ(file.size(), 200'026U);
  Bytes covered(file.begin(), file.begin() + 150'004);
  covered.insert(covered.end(), file.begin() + 150'012, file.begin() + 150'016);
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size());
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(file[150'016 + i]), crc >> (24 - 8 * i) & 0xFFU);
  for (std::size_t at = 150'020; at < 200'020; ++at) ASSERT_LT(file[at], std::byte{0x80});
  for (const std::size_t chunk : {1U, 3U, 4096U, 65537U}) EXPECT_EQ(rendered(chunk), file) << chunk;
}

TEST(Pieces, CrcsOfFlacHaveTheirCheckValues) {  // of "123456789", from the CRC catalogue
  FilePieces pieces;
  Bytes digits;
  append_text(digits, "123456789");
  pieces.begin_checksum(ChecksumKind::kCrc8);
  pieces.begin_checksum(ChecksumKind::kCrc16);
  pieces.literal(digits);
  pieces.pause_checksum(ChecksumKind::kCrc16);
  pieces.end_checksum(ChecksumKind::kCrc8);
  pieces.resume_checksum(ChecksumKind::kCrc16);
  pieces.end_checksum(ChecksumKind::kCrc16);
  Bytes file(pieces.size());
  render_pieces(pieces)->next(file);
  EXPECT_EQ(file[9], std::byte{0xF4});
  EXPECT_EQ(file[10], std::byte{0xFE});
  EXPECT_EQ(file[11], std::byte{0xE8});
}

TEST(Pieces, EveryWrongByteIsFoundInOrder) {
  Bytes file = rendered(4096);
  for (std::size_t at = 0; at < file.size(); at += at < 149'000 || at > 151'000 ? 997 : 1) {
    file[at] ^= std::byte{1};
    const auto verifier = verify_pieces(example());
    Result<> result = verifier->consume(0, std::span(file).first(150'018));
    if (result) result = verifier->consume(150'018, std::span(file).subspan(150'018));
    ASSERT_FALSE(result) << at;
    EXPECT_NE(result.error().message().find("at offset " + std::to_string(at) + ":"),
              std::string::npos)
        << result.error().message() << " " << at;
    file[at] ^= std::byte{1};
  }
}

TEST(Pieces, ChecksumsOfPartsThatCameOutOfOrderAreNotJudged) {
  Bytes file = rendered(4096);
  file[150'017] ^= std::byte{1};
  const auto verifier = verify_pieces(example());
  EXPECT_TRUE(verifier->consume(100'000, std::span(file).subspan(100'000)));
  EXPECT_TRUE(verifier->consume(0, std::span(file).first(100'000)));
  EXPECT_FALSE(verifier->consume(file.size(), std::span(file).first(1)));
}

}  // namespace
}  // namespace feedrate::testing

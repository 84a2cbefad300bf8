#include "feedrate/format/png/chunks.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "feedrate/format/checksum.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate::png {
namespace {

class ChunkVerifier : public Verifier {
 public:
  explicit ChunkVerifier(std::uint64_t file_bytes) : file_bytes_(file_bytes) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (offset == 0) restart();
    // Without the bytes in between no checksum can be told, so this waits for the next pass.
    if (offset != next_) {
      next_ = UINT64_MAX;
      return {};
    }
    while (!bytes.empty() && part_ != Part::kAfterEnd) {
      const std::size_t length = std::min<std::uint64_t>(bytes.size(), part_end_ - next_);
      const auto piece = bytes.first(length);
      if (part_ == Part::kData)
        crc_ = update_checksum(ChecksumKind::kCrc32, crc_, piece);
      else
        std::memcpy(fixed_.data() + (next_ - part_begin_), piece.data(), length);
      next_ += length;
      bytes = bytes.subspan(length);
      if (next_ == part_end_) FEEDRATE_CHECK(end_part());
    }
    next_ += bytes.size();
    if (next_ == file_bytes_ && part_ != Part::kAfterEnd)
      return corrupt_at(chunk_begin_, "the file ends at " + std::to_string(next_) +
                                          ", before the end of an 'IEND' chunk");
    return {};
  }

 private:
  enum class Part : std::uint8_t { kSignature, kHead, kData, kCrc, kAfterEnd };

  void restart() {
    next_ = chunk_begin_ = 0;
    begin_part(Part::kSignature, kSignature.size());
  }

  void begin_part(Part part, std::uint64_t length) {
    part_ = part;
    part_begin_ = next_;
    part_end_ = next_ + length;
  }

  Result<> end_part() {
    const auto fixed = std::span<const std::byte>(fixed_);
    switch (part_) {
      case Part::kSignature:
        if (as_text(fixed) != kSignature) return corrupt_at(0, "not a PNG file: no '\\x89PNG'");
        begin_chunk();
        return {};
      case Part::kHead: {
        FEEDRATE_TRY(chunk_, parse_chunk_head(chunk_begin_, fixed, file_bytes_));
        // The CRC covers the type and the data of a chunk, but not its length.
        crc_ = update_checksum(ChecksumKind::kCrc32, 0, fixed.subspan(4));
        begin_part(Part::kData, chunk_.data_bytes);
        // Data without bytes ends before any byte could end it.
        return chunk_.data_bytes == 0 ? end_part() : Result<>{};
      }
      case Part::kData:
        begin_part(Part::kCrc, kChunkCrcBytes);
        return {};
      case Part::kCrc:
        if (load_big<std::uint32_t>(fixed.data()) != crc_) return wrong_crc(chunk_begin_, chunk_);
        if (chunk_.type == "IEND")
          part_ = Part::kAfterEnd;
        else
          begin_chunk();
        return {};
      case Part::kAfterEnd:
        return {};
    }
    return {};
  }

  void begin_chunk() {
    chunk_begin_ = next_;
    begin_part(Part::kHead, kChunkHeadBytes);
  }

  const std::uint64_t file_bytes_;
  std::uint64_t next_ = UINT64_MAX;  // where the bytes must go on
  std::uint64_t chunk_begin_ = 0, part_begin_ = 0, part_end_ = 0;
  Part part_ = Part::kSignature;
  std::array<std::byte, 8> fixed_{};
  ChunkHead chunk_;
  std::uint32_t crc_ = 0;
};

}  // namespace

Result<ChunkHead> parse_chunk_head(std::uint64_t at, std::span<const std::byte> head,
                                   std::uint64_t total_bytes) {
  ChunkHead chunk{load_big<std::uint32_t>(head.data()), std::string(as_text(head.subspan(4, 4)))};
  std::ranges::replace_if(
      chunk.type, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  if (chunk.data_bytes > kChunkDataBytesMax)
    return corrupt_at(at, "chunk '" + chunk.type + "' of " + std::to_string(chunk.data_bytes) +
                              " B, at most " + std::to_string(kChunkDataBytesMax));
  FEEDRATE_CHECK(check_within("chunk '" + chunk.type + "'", at, chunk.bytes(), total_bytes));
  return chunk;
}

std::unexpected<Error> wrong_crc(std::uint64_t at, const ChunkHead& chunk) {
  return corrupt_at(at, "chunk '" + chunk.type + "' does not match its CRC-32");
}

std::unique_ptr<Verifier> make_chunk_verifier(std::uint64_t file_bytes) {
  return std::make_unique<ChunkVerifier>(file_bytes);
}

}  // namespace feedrate::png

#include "feedrate/format/png/png.h"

#include <algorithm>

#include "feedrate/format/png/chunks.h"
#include "feedrate/format/png/decoder.h"
#include "feedrate/format/png/image.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace png;

constexpr std::uint64_t kHeaderDataBytes = 13;
constexpr std::string_view kRestType = "fdRt";  // ancillary, private, not to be copied by editors

bool is_png(std::span<const std::byte> head) {
  return head.size() >= kSignature.size() && as_text(head.first(kSignature.size())) == kSignature;
}

// Begins a chunk. What is added until end_chunk() is the data of the chunk.
void begin_chunk(FilePieces& all, std::string_view type, std::uint64_t data_bytes) {
  std::vector<std::byte> length, name;
  append_big(length, static_cast<std::uint32_t>(data_bytes));
  all.literal(std::move(length));
  all.begin_checksum(ChecksumKind::kCrc32);
  append_text(name, type);
  all.literal(std::move(name));
}

void end_chunk(FilePieces& all) { all.end_checksum(ChecksumKind::kCrc32); }

void add_header(const Image& image, FilePieces& all) {
  std::vector<std::byte> out;
  append_big(out, static_cast<std::uint32_t>(image.columns));
  append_big(out, static_cast<std::uint32_t>(image.rows));
  for (const unsigned value : {8U, 2U, 0U, 0U, 0U}) out.push_back(static_cast<std::byte>(value));
  begin_chunk(all, "IHDR", out.size());
  all.literal(std::move(out));
  end_chunk(all);
}

// Puts the content that does not fill the rows into private chunks, as much into each as it can
// hold.
void add_rest(const Image& image, const SampleContent& content, FilePieces& all) {
  std::uint64_t from = std::min(image.rows_bytes(), content.bytes);
  for (std::uint64_t i = 0; i < image.rests; ++i) {
    const std::uint64_t length = std::min(content.bytes - from, kRestBytesMax);
    begin_chunk(all, kRestType, length);
    all.content(content, from, length);
    end_chunk(all);
    from += length;
  }
  FEEDRATE_ASSERT(from == content.bytes);
}

void add_rows(const Image& image, const SampleContent& content, FilePieces& all) {
  constexpr std::uint64_t kZlibHeadBytes = 2, kBlockHeadBytes = 5, kAdlerBytes = 4;
  for (std::uint64_t i = 0; i < image.blocks; ++i) {
    const bool first = i == 0, last = i + 1 == image.blocks;
    const std::uint64_t from = image.block_begin(i), length = image.block_begin(i + 1) - from;
    const std::uint64_t known = std::min(content.bytes, from + length) - from;
    begin_chunk(all, "IDAT",
                kBlockHeadBytes + length + (first ? kZlibHeadBytes : 0) + (last ? kAdlerBytes : 0));
    std::vector<std::byte> head;
    if (first) append_text(head, "\x78\x01");
    head.push_back(static_cast<std::byte>(last));  // stored
    append_little(head, static_cast<std::uint16_t>(length));
    append_little(head, static_cast<std::uint16_t>(~length));
    all.literal(std::move(head));
    if (first)
      all.begin_checksum(ChecksumKind::kAdler32);
    else
      all.resume_checksum(ChecksumKind::kAdler32);
    all.content(content, from, known, [image](std::uint64_t position, std::span<std::byte> bytes) {
      image.mark_rows(position, bytes);
    });
    all.zeros(length - known);
    if (last)
      all.end_checksum(ChecksumKind::kAdler32);
    else
      all.pause_checksum(ChecksumKind::kAdler32);
    end_chunk(all);
  }
}

Result<> check_header(std::uint64_t at, const ChunkHead& chunk, std::span<const std::byte> bytes) {
  if (chunk.type != "IHDR" || chunk.data_bytes != kHeaderDataBytes)
    return corrupt_at(at, "no 'IHDR' chunk where the first must be");
  const auto data = bytes.subspan(kChunkHeadBytes, kHeaderDataBytes);
  if (update_checksum(ChecksumKind::kCrc32, 0, bytes.subspan(4, 4 + kHeaderDataBytes)) !=
      load_big<std::uint32_t>(bytes.data() + kChunkHeadBytes + kHeaderDataBytes))
    return wrong_crc(at, chunk);
  const auto columns = load_big<std::uint32_t>(data.data());
  const auto rows = load_big<std::uint32_t>(data.data() + 4);
  if (columns == 0 || rows == 0) return corrupt_at(at, "an image without pixels");
  return {};
}

class PngFormat : public WholeFileFormat {
 public:
  std::string_view name() const override { return "png"; }
  std::string_view extension() const override { return ".png"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    return lower_base_name(file_name).ends_with(".png") || is_png(head);
  }
  bool has_checksums() const override { return true; }
  std::uint64_t reference_transfer_bytes() const override { return 65536; }
  std::unique_ptr<Decoder> decoder() const override { return make_decoder(); }

 protected:
  std::uint64_t file_bytes(std::uint64_t payload_bytes) const override {
    return png::file_bytes(payload_bytes);
  }

  FilePieces pieces(const SampleContent& content) const override {
    const Image image(content.bytes);
    FilePieces all;
    std::vector<std::byte> signature;
    append_text(signature, kSignature);
    all.literal(std::move(signature));
    add_header(image, all);
    add_rest(image, content, all);
    add_rows(image, content, all);
    begin_chunk(all, "IEND", 0);
    end_chunk(all);
    return all;
  }

  // Checks the chunks, as far as `head` shows them.
  Result<> check_head(std::span<const std::byte> head, std::uint64_t total_bytes) const override {
    if (!is_png(head)) return corrupt_at(0, "not a PNG file: no '\\x89PNG'");
    for (std::uint64_t at = kSignature.size(); at < total_bytes;) {
      if (at + kChunkHeadBytes > head.size())
        return check_within("head of a chunk", at, kChunkHeadBytes, total_bytes);
      const auto rest = head.subspan(at);
      FEEDRATE_TRY(const ChunkHead chunk, parse_chunk_head(at, rest, total_bytes));
      if (at == kSignature.size()) FEEDRATE_CHECK(check_header(at, chunk, rest));
      if (chunk.type == "IEND" || chunk.type == "IDAT") return {};
      at += chunk.bytes();
    }
    return corrupt_at(total_bytes, "the file ends before an 'IDAT' chunk");
  }

  std::unique_ptr<Verifier> foreign_verifier(std::uint64_t file_bytes) const override {
    return make_chunk_verifier(file_bytes);
  }
};

}  // namespace

const Format& png_format() {
  static const PngFormat format;
  return format;
}

}  // namespace feedrate

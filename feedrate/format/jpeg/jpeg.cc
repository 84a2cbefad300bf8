#include "feedrate/format/jpeg/jpeg.h"

#include <algorithm>

#include "feedrate/format/jpeg/decoder.h"
#include "feedrate/format/jpeg/image.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace jpeg;

constexpr std::uint8_t kStartOfImage = 0xD8, kStartOfScan = 0xDA, kEndOfImage = 0xD9;
constexpr std::uint64_t kMarkerBytes = 2;

std::uint8_t byte_at(std::span<const std::byte> head, std::uint64_t at) {
  return std::to_integer<std::uint8_t>(head[at]);
}

bool is_jpeg(std::span<const std::byte> head) {
  return head.size() >= 3 && byte_at(head, 0) == 0xFF && byte_at(head, 1) == kStartOfImage &&
         byte_at(head, 2) == 0xFF;
}

// Returns whether the marker is one of SOF0 to SOF15, which leaves out DHT, JPG and DAC between
// them.
bool starts_frame(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Result<> check_frame(std::uint64_t at, std::span<const std::byte> rest) {
  if (rest.size() < 9) return {};  // beyond the head
  const auto width = load_big<std::uint16_t>(rest.data() + 7);
  if (width == 0) return corrupt_at(at, "an image without columns");
  return {};
}

class JpegFormat : public WholeFileFormat {
 public:
  std::string_view name() const override { return "jpeg"; }
  std::string_view extension() const override { return ".jpg"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    const std::string name = lower_base_name(file_name);
    return name.ends_with(".jpg") || name.ends_with(".jpeg") || is_jpeg(head);
  }
  std::uint64_t reference_transfer_bytes() const override { return 65536; }
  std::unique_ptr<Decoder> decoder() const override { return make_decoder(); }

 protected:
  std::uint64_t file_bytes(std::uint64_t payload_bytes) const override {
    return jpeg::file_bytes(payload_bytes);
  }

  FilePieces pieces(const SampleContent& content) const override {
    const Image image(content.bytes);
    FilePieces all;
    all.literal(image.tables());
    add_comments(image, content, all);
    all.literal(image.scan_header());
    add_scan(image, content, all);
    all.literal({std::byte{0xFF}, std::byte{kEndOfImage}});
    return all;
  }

  // Checks the segments, as far as `head` shows them.
  Result<> check_head(std::span<const std::byte> head, std::uint64_t total_bytes) const override {
    if (!is_jpeg(head)) return corrupt_at(0, "not a JPEG file: no start of image");
    for (std::uint64_t at = kMarkerBytes; at + 2 * kMarkerBytes <= head.size();) {
      if (byte_at(head, at) != 0xFF) return corrupt_at(at, "no marker where a segment must begin");
      const std::uint8_t marker = byte_at(head, at + 1);
      if (marker == 0xFF) {  // filling in front of a marker
        ++at;
        continue;
      }
      if (marker == kEndOfImage) return corrupt_at(at, "the image ends before its scan");
      const auto length = load_big<std::uint16_t>(head.data() + at + kMarkerBytes);
      if (length < 2)
        return corrupt_at(at, "segment of " + std::to_string(length) + " B, at least 2");
      FEEDRATE_CHECK(check_within("segment", at, kMarkerBytes + length, total_bytes));
      if (starts_frame(marker)) return check_frame(at, head.subspan(at));
      if (marker == kStartOfScan) return corrupt_at(at, "a scan without a frame in front of it");
      at += kMarkerBytes + length;
    }
    return {};
  }

 private:
  // Puts the content that does not fill the scan into comments, as much into each as it can hold.
  static void add_comments(const Image& image, const SampleContent& content, FilePieces& all) {
    std::uint64_t from = std::min(image.scan_bytes(), content.bytes);
    for (std::uint64_t i = 0; i < image.comments; ++i) {
      const std::uint64_t length = std::min(content.bytes - from, kCommentBytesMax);
      std::vector<std::byte> framing{std::byte{0xFF}, std::byte{0xFE}};
      append_big(framing, static_cast<std::uint16_t>(length + 2));
      all.literal(std::move(framing));
      all.content(content, from, length);
      from += length;
    }
    FEEDRATE_ASSERT(from == content.bytes);
  }

  static void add_scan(const Image& image, const SampleContent& content, FilePieces& all) {
    const std::uint64_t length = std::min(image.scan_bytes(), content.bytes);
    all.content(content, 0, length, [image](std::uint64_t position, std::span<std::byte> bytes) {
      image.mark_scan(position, bytes);
    });
    std::vector<std::byte> filling(image.scan_bytes() - length);
    image.mark_scan(length, filling);
    all.literal(std::move(filling));
  }
};

}  // namespace

const Format& jpeg_format() {
  static const JpegFormat format;
  return format;
}

}  // namespace feedrate

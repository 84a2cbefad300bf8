#include "feedrate/format/tfrecord/tfrecord.h"

#include <algorithm>
#include <cstring>

#include "feedrate/format/tfrecord/record.h"
#include "feedrate/format/tfrecord/verifier.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace tfrecord;

class RecordRenderer : public Renderer {
 public:
  explicit RecordRenderer(std::vector<SampleContent> samples) : samples_(std::move(samples)) {}

  std::size_t next(std::span<std::byte> out) override {
    std::size_t written = 0;
    while (written < out.size() && sample_ < samples_.size())
      written += next_part(out.subspan(written));
    return written;
  }

 private:
  // Writes a part of the start, the content or the foot of the current record.
  std::size_t next_part(std::span<std::byte> out) {
    const SampleContent& content = samples_[sample_];
    if (position_ == 0) begin_record(content);
    const std::uint64_t content_end = start_.size() + content.bytes;
    if (position_ < start_.size()) return copy_literal(start_, 0, out);
    if (position_ < content_end) {
      const std::size_t length =
          std::min<std::uint64_t>({out.size(), kCheckSliceBytes, content_end - position_});
      fill_content(content, position_ - start_.size(), out.first(length));
      checksum_ = crc32c(checksum_, out.first(length));
      position_ += length;
      return length;
    }
    std::byte foot[kFootBytes];
    store_little(foot, mask_checksum(checksum_));
    const std::size_t length = copy_literal(foot, content_end, out);
    if (position_ == content_end + kFootBytes) {
      ++sample_;
      position_ = 0;
    }
    return length;
  }

  void begin_record(const SampleContent& content) {
    start_ = record_start(content);
    checksum_ = crc32c(0, std::span(start_).subspan(kHeadBytes));
  }

  std::size_t copy_literal(std::span<const std::byte> literal, std::uint64_t literal_position,
                           std::span<std::byte> out) {
    const auto rest = literal.subspan(position_ - literal_position);
    const std::size_t length = std::min(out.size(), rest.size());
    std::memcpy(out.data(), rest.data(), length);
    position_ += length;
    return length;
  }

  const std::vector<SampleContent> samples_;
  std::size_t sample_ = 0;
  std::uint64_t position_ = 0;  // in the record of that sample
  std::vector<std::byte> start_;
  std::uint32_t checksum_ = 0;
};

// Reads the head of each record: small records through a window, large ones head by head.
class HeadReader {
 public:
  explicit HeadReader(RandomAccess& file) : file_(file) {}

  Result<std::span<const std::byte>> head_at(std::uint64_t offset) {
    if (offset < window_.offset || offset + kHeadBytes > window_.end()) {
      const bool small = offset - last_head_ <= kWindowBytes / 4;
      const std::uint64_t wanted = small ? kWindowBytes : kHeadBytes;
      buffer_.resize(kWindowBytes);
      window_ = {offset, std::min(wanted, file_.size() - offset)};
      FEEDRATE_CHECK(file_.read_at(offset, std::span(buffer_).first(window_.length)));
    }
    last_head_ = offset;
    return std::span<const std::byte>(buffer_).subspan(offset - window_.offset, kHeadBytes);
  }

 private:
  static constexpr std::uint64_t kWindowBytes = 64ULL << 10U;
  RandomAccess& file_;
  Extent window_;
  std::uint64_t last_head_ = 0;
  std::vector<std::byte> buffer_;
};

Result<> check_record(std::uint64_t offset, std::uint64_t file_bytes,
                      std::span<const std::byte> head) {
  if (!valid_head(head)) {
    const auto magic = load_big<std::uint16_t>(head.data());
    const bool gzip = offset == 0 && magic == 0x1F8B;
    // These are CMF and FLG of a zlib stream: deflate with a window of 32 KiB, together a multiple
    // of 31.
    const bool zlib = offset == 0 && head[0] == std::byte{0x78} && magic % 31 == 0;
    if (gzip || zlib)
      return fail(ErrorKind::kUnsupported,
                  std::string("compressed TFRecord file (") + (gzip ? "gzip)" : "zlib)"),
                  "rewrite it without TFRecordOptions(compression_type=...)");
    return corrupt_at(offset, "length of the record does not match its checksum");
  }
  const auto length = load_little<std::uint64_t>(head.data());
  const std::uint64_t room = file_bytes - offset - kHeadBytes;
  if (room < kFootBytes || length > room - kFootBytes)
    return corrupt_at(offset, "record of " + std::to_string(length) +
                                  " B of data does not end within the file of " +
                                  std::to_string(file_bytes) + " B");
  return {};
}

class TfrecordFormat : public Format {
 public:
  std::string_view name() const override { return "tfrecord"; }
  std::string_view extension() const override { return ".tfrecord"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    if (valid_head(head)) return true;
    const std::string base_name = lower_base_name(file_name);
    return base_name.find("tfrecord") != std::string::npos && !base_name.ends_with(".npz");
  }

  std::uint64_t payload_for_stored(std::uint64_t stored) const override {
    return content_bytes_within(stored);
  }

  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FileIndex index;
    if (payload_bytes.equal()) {
      index.records = {0, stored_bytes(payload_bytes[0]), payload_bytes.size()};
      index.file_bytes = index.records.bytes * index.records.count;
      return index;
    }
    index.samples.reserve(payload_bytes.size());
    std::uint64_t last_payload = 0, last_stored = stored_bytes(0);
    for (std::uint64_t i = 0; i < payload_bytes.size(); ++i) {
      const std::uint64_t payload = payload_bytes[i];
      // Neighbours often have the same size, so the last result is kept.
      if (payload != last_payload) {
        last_payload = payload;
        last_stored = stored_bytes(payload);
      }
      index.samples.push_back({index.file_bytes, last_stored});
      index.file_bytes += last_stored;
    }
    return index;
  }

  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    return std::make_unique<RecordRenderer>(std::move(samples));
  }

  Result<FileIndex> index(RandomAccess& file) const override {
    FileIndex index;
    index.file_bytes = file.size();
    HeadReader heads(file);
    for (std::uint64_t offset = 0; offset < index.file_bytes;) {
      if (index.file_bytes - offset < kHeadBytes)
        return corrupt_at(offset, "file ends within the header of a record");
      FEEDRATE_TRY(const auto head, heads.head_at(offset));
      FEEDRATE_CHECK(check_record(offset, index.file_bytes, head));
      const auto length = load_little<std::uint64_t>(head.data());
      index.samples.push_back({offset, kHeadBytes + length + kFootBytes});
      offset = index.samples.back().end();
    }
    return index;
  }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex> index,
                                     std::vector<SampleContent> samples) const override {
    return std::make_unique<RecordVerifier>(std::move(index), std::move(samples));
  }

  bool has_checksums() const override { return true; }
  std::uint64_t reference_transfer_bytes() const override { return 256ULL << 10U; }
  std::uint64_t samples_per_file_max() const override { return UINT64_MAX; }
};

}  // namespace

const Format& tfrecord_format() {
  static const TfrecordFormat format;
  return format;
}

}  // namespace feedrate

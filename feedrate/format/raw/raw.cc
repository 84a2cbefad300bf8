#include "feedrate/format/raw/raw.h"

#include <fmt/format.h>

#include "feedrate/base/units.h"
#include "feedrate/format/pieces.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kRecordBytesMax = std::uint64_t{1} << 30U;

FilePieces pieces_of(const std::vector<SampleContent>& samples) {
  FilePieces pieces;
  for (const SampleContent& content : samples) pieces.content(content, 0, content.bytes);
  return pieces;
}

class RawFormat : public Format {
 public:
  explicit RawFormat(std::uint64_t record_bytes) : record_bytes_(record_bytes) {}

  std::string_view name() const override { return "raw"; }
  std::string_view extension() const override { return ".records"; }
  bool recognises(std::string_view, std::span<const std::byte>) const override { return false; }

  Result<std::shared_ptr<const Format>> with_options(const FormatOptions& options) const override {
    std::uint64_t record_bytes = 0;
    for (const auto& [key, value] : options) {
      if (key != "record_bytes")
        return fail(ErrorKind::kUsage, fmt::format("format 'raw' has no option '{}'", key),
                    "it has record_bytes");
      FEEDRATE_TRY(record_bytes, parse_count(value, "record_bytes", 1, kRecordBytesMax));
    }
    return std::make_shared<const RawFormat>(record_bytes);
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return stored_bytes;
  }
  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FEEDRATE_ASSERT(payload_bytes.equal());
    FileIndex index;
    index.records = {0, payload_bytes[0], payload_bytes.size()};
    index.file_bytes = payload_bytes[0] * payload_bytes.size();
    return index;
  }
  bool one_content_per_file() const override { return true; }
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    return render_pieces(pieces_of(samples));
  }

  Result<FileIndex> index(RandomAccess& file) const override {
    if (record_bytes_ == 0)
      return fail(ErrorKind::kUsage, "raw records say nothing about their size",
                  "add --set dataset.format=raw --set dataset.format_options.record_bytes=160");
    if (file.size() == 0) return corrupt_at(0, "empty file");
    if (file.size() % record_bytes_ != 0)
      return corrupt_at(file.size() / record_bytes_ * record_bytes_,
                        fmt::format("the file ends within a record of {} B", record_bytes_));
    FileIndex index;
    index.records = {0, record_bytes_, file.size() / record_bytes_};
    index.file_bytes = file.size();
    return index;
  }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return verify_pieces(pieces_of(samples));
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return std::uint64_t{1} << 20U; }
  std::uint64_t samples_per_file_max() const override { return UINT64_MAX; }

 private:
  std::uint64_t record_bytes_;  // 0: not known
};

}  // namespace

const Format& raw_format() {
  static const RawFormat format(0);
  return format;
}

}  // namespace feedrate

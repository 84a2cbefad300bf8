#include "feedrate/format/file/file.h"

#include <algorithm>

#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

class FileRenderer : public Renderer {
 public:
  explicit FileRenderer(const SampleContent& content) : content_(content) {}

  std::size_t next(std::span<std::byte> out) override {
    const std::size_t length = std::min<std::uint64_t>(out.size(), content_.bytes - position_);
    fill_content(content_, position_, out.first(length));
    position_ += length;
    return length;
  }

 private:
  const SampleContent content_;
  std::uint64_t position_ = 0;
};

class FileVerifier : public Verifier {
 public:
  explicit FileVerifier(std::vector<SampleContent> samples) : samples_(std::move(samples)) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (samples_.empty()) return {};
    const SampleContent& content = samples_.front();
    const std::uint64_t known =
        offset < content.bytes ? std::min<std::uint64_t>(bytes.size(), content.bytes - offset) : 0;
    if (known != 0) {
      if (const auto at = first_difference(content, offset, bytes.first(known)))
        return corrupt_at(*at, "content differs from what was written");
    }
    if (known != bytes.size())
      return corrupt_at(offset + known, "bytes after the planned end of the file");
    return {};
  }

 private:
  const std::vector<SampleContent> samples_;
};

FileIndex index_of(std::uint64_t bytes) {
  FileIndex index;
  index.file_bytes = bytes;
  index.samples.push_back({0, bytes});
  return index;
}

class FileFormat : public Format {
 public:
  std::string_view name() const override { return "file"; }
  std::string_view extension() const override { return ".bin"; }
  bool recognises(std::string_view, std::span<const std::byte>) const override { return true; }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return stored_bytes;
  }
  bool whole_file() const override { return true; }
  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FEEDRATE_ASSERT(payload_bytes.size() == 1);
    return index_of(payload_bytes[0]);
  }
  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    FEEDRATE_ASSERT(samples.size() == 1);
    return std::make_unique<FileRenderer>(samples.front());
  }
  Result<FileIndex> index(RandomAccess& file) const override {
    if (file.size() == 0) return corrupt_at(0, "empty file");
    return index_of(file.size());
  }
  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    FEEDRATE_ASSERT(samples.size() <= 1);
    return std::make_unique<FileVerifier>(std::move(samples));
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return 65536; }
  std::uint64_t samples_per_file_max() const override { return 1; }
};

}  // namespace

const Format& file_format() {
  static const FileFormat format;
  return format;
}

}  // namespace feedrate

#include "feedrate/format/npz/npz.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "feedrate/format/npy_header.h"
#include "feedrate/format/npz/archive.h"
#include "feedrate/format/npz/verifier.h"
#include "feedrate/format/npz/zip.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace npz;

constexpr std::uint64_t kPythonBufferBytes = 4096;  // io.BufferedReader on ext4 and xfs

class ArchiveRenderer : public Renderer {
 public:
  explicit ArchiveRenderer(const SampleContent& content) : content_(content) {}

  std::size_t next(std::span<std::byte> out) override {
    if (!archive_) archive_.emplace(content_.bytes, content_.label, array_crc(content_));
    std::size_t written = 0;
    while (written < out.size() && position_ < archive_->file_bytes()) {
      const std::size_t length = next_part(out.subspan(written));
      written += length;
      position_ += length;
    }
    return written;
  }

 private:
  std::size_t next_part(std::span<std::byte> out) const {
    if (position_ < Archive::kContentOffset)
      return copy(std::span(archive_->head).subspan(position_), out);
    const std::uint64_t tail = archive_->tail_offset();
    if (position_ >= tail) return copy(std::span(archive_->tail).subspan(position_ - tail), out);
    const std::size_t length = std::min<std::uint64_t>(out.size(), tail - position_);
    fill_content(content_, position_ - Archive::kContentOffset, out.first(length));
    return length;
  }

  static std::size_t copy(std::span<const std::byte> from, std::span<std::byte> out) {
    const std::size_t length = std::min(from.size(), out.size());
    std::memcpy(out.data(), from.data(), length);
    return length;
  }

  const SampleContent content_;
  std::optional<Archive> archive_;  // made by the first call: its CRC takes a pass over the content
  std::uint64_t position_ = 0;
};

// The order is numpy.load's: it looks at the magic first and reads the directory last.
std::vector<Extent> open_reads(std::uint64_t file_bytes, std::span<const Extent> end_reads,
                               const Extent& directory) {
  std::vector<Extent> reads{{0, std::min(file_bytes, kPythonBufferBytes)}};
  reads.insert(reads.end(), end_reads.begin(), end_reads.end());
  reads.push_back({directory.offset, std::min(file_bytes - directory.offset,
                                              std::max(directory.length, kPythonBufferBytes))});
  return reads;
}

Result<> check_array(RandomAccess& file, const Member& member, const Extent& sample) {
  const Extent array{sample.end() - member.stored_bytes, member.stored_bytes};
  std::vector<std::byte> head(std::min<std::uint64_t>(array.length, kNpyHeadBytes));
  FEEDRATE_CHECK(file.read_at(array.offset, head));
  return check_npy_array(head, array);
}

class NpzFormat : public Format {
 public:
  std::string_view name() const override { return "npz"; }
  std::string_view extension() const override { return ".npz"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    if (lower_base_name(file_name).ends_with(".npz")) return true;
    const auto header = parse_local_header(0, head);
    if (!header || header->name_bytes > head.size() - kLocalBytes) return false;
    return as_text(head.subspan(kLocalBytes, header->name_bytes)).ends_with(".npy");
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return stored_bytes > Archive::kContentOffset ? stored_bytes - Archive::kContentOffset : 0;
  }

  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FEEDRATE_ASSERT(payload_bytes.size() == 1);
    const Archive archive(payload_bytes[0], 0, 0);
    FileIndex index;
    index.file_bytes = archive.file_bytes();
    const std::uint64_t end = index.file_bytes - kEndBytes;
    std::vector<Extent> end_reads;
    for (const std::uint64_t offset : {end, end - kLocator64Bytes})
      end_reads.push_back({offset, index.file_bytes - offset});
    if (archive.zip64) {
      const std::uint64_t offset = end - kLocator64Bytes - kEnd64Bytes;
      end_reads.push_back({offset, index.file_bytes - offset});
    }
    index.open_reads = open_reads(index.file_bytes, end_reads, archive.directory);
    index.samples.push_back({0, archive.tail_offset()});
    return index;
  }

  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    FEEDRATE_ASSERT(samples.size() == 1);
    return std::make_unique<ArchiveRenderer>(samples.front());
  }

  Result<FileIndex> index(RandomAccess& file) const override {
    FEEDRATE_TRY(const Directory directory, find_directory(file));
    FEEDRATE_TRY(const Member array, find_array(file, directory.extent));
    FEEDRATE_TRY(const Extent sample, locate_member(file, directory.extent, array));
    if (array.method == kStored) FEEDRATE_CHECK(check_array(file, array, sample));
    FileIndex index;
    index.file_bytes = file.size();
    index.open_reads = open_reads(file.size(), directory.reads, directory.extent);
    index.samples.push_back(sample);
    return index;
  }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex> index,
                                     std::vector<SampleContent> samples) const override {
    FEEDRATE_ASSERT(index->samples.size() == 1 && samples.size() <= 1);
    if (samples.empty()) return make_foreign_verifier(index->samples.front());
    return std::make_unique<KnownVerifier>(samples.front());
  }

  std::unique_ptr<Decoder> decoder() const override { return make_array_decoder(); }
  bool has_checksums() const override { return true; }
  std::uint64_t reference_transfer_bytes() const override { return 256ULL << 10U; }
  std::uint64_t samples_per_file_max() const override { return 1; }
};

}  // namespace

const Format& npz_format() {
  static const NpzFormat format;
  return format;
}

}  // namespace feedrate

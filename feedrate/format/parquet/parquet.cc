#include "feedrate/format/parquet/parquet.h"

#include <algorithm>
#include <numeric>

#include "feedrate/format/parquet/footer.h"
#include "feedrate/format/parquet/plan.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace parquet;

constexpr std::uint64_t kFooterGuessBytes = std::uint64_t{64} << 10U;  // pyarrow's
constexpr std::uint64_t kBlocksMax = std::uint64_t{1} << 22U;

// Renders one part at a time, since a file may have hundreds of thousands of column chunks.
class ParquetRenderer : public Renderer {
 public:
  ParquetRenderer(Plan plan, const SampleContent& content)
      : plan_(std::move(plan)), content_(content) {}

  std::size_t next(std::span<std::byte> out) override {
    std::size_t written = 0;
    while (written < out.size()) {
      if (!renderer_) {
        if (part_ == plan_.parts()) break;
        FilePieces pieces;
        plan_.add_part(part_++, content_, pieces);
        renderer_ = render_pieces(std::move(pieces));
      }
      const std::size_t length = renderer_->next(out.subspan(written));
      if (length == 0) renderer_.reset();
      written += length;
    }
    return written;
  }

 private:
  const Plan plan_;
  const SampleContent content_;
  std::uint64_t part_ = 0;
  std::unique_ptr<Renderer> renderer_;
};

class ParquetVerifier : public Verifier {
 public:
  ParquetVerifier(Plan plan, const SampleContent& content)
      : plan_(std::move(plan)), content_(content) {}

  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::uint64_t part = plan_.part_at(offset);
      const bool last = part + 1 == plan_.parts();
      const std::uint64_t end = last ? UINT64_MAX : plan_.part_offset(part + 1);
      if (!verifier_ || part != part_) {
        FilePieces pieces;
        pieces.zeros(plan_.part_offset(part));  // never compared: offsets count from the file's
        plan_.add_part(part, content_, pieces);
        verifier_ = verify_pieces(std::move(pieces));
        part_ = part;
      }
      const auto of_part = bytes.first(std::min<std::uint64_t>(bytes.size(), end - offset));
      FEEDRATE_CHECK(verifier_->consume(offset, of_part));
      bytes = bytes.subspan(of_part.size());
      offset += of_part.size();
    }
    return {};
  }

 private:
  const Plan plan_;
  const SampleContent content_;
  std::uint64_t part_ = 0;
  std::unique_ptr<Verifier> verifier_;
};

std::vector<Extent> open_reads(std::uint64_t file_bytes, const Extent& footer) {
  const std::uint64_t guess = std::min(file_bytes, kFooterGuessBytes);
  std::vector<Extent> reads{{file_bytes - guess, guess}};
  if (footer.length + kTailBytes > guess) reads.push_back(footer);
  return reads;
}

std::vector<Extent> selected(const std::vector<Extent>& chunks, const Options& options) {
  std::vector<Extent> reads;
  for (const std::size_t column : columns_read(chunks.size(), options))
    reads.push_back(chunks[column]);
  return reads;
}

class ParquetFormat : public Format {
 public:
  explicit ParquetFormat(const Options& options) : options_(options) {}

  std::string_view name() const override { return "parquet"; }
  std::string_view extension() const override { return ".parquet"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    return lower_base_name(file_name).ends_with(extension()) || as_text(head).starts_with(kMagic);
  }

  Result<std::shared_ptr<const Format>> with_options(const FormatOptions& options) const override {
    FEEDRATE_TRY(const Options parsed, parse_options(options));
    return std::make_shared<const ParquetFormat>(parsed);
  }

  // Headers and footer are only a few bytes a page, so they are neglected.
  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return stored_bytes;
  }

  FileIndex layout(const SampleSizes& payload_bytes) const override {
    FEEDRATE_ASSERT(payload_bytes.equal());
    const Plan plan(payload_bytes.size(), payload_bytes[0], options_);
    FileIndex index;
    const Extent footer{plan.part_offset(plan.parts() - 1), plan.footer().size()};
    index.file_bytes = footer.end() + kTailBytes;
    index.open_reads = open_reads(index.file_bytes, footer);
    index.blocks.samples = payload_bytes.size();
    index.blocks.samples_per_block = plan.group_rows();
    for (std::uint64_t group = 0; group < plan.groups(); ++group)
      index.blocks.add(selected(plan.chunks(group), options_));
    return index;
  }
  bool one_content_per_file() const override { return true; }

  std::unique_ptr<Renderer> render(std::vector<SampleContent> samples) const override {
    FEEDRATE_ASSERT(samples.size() == 1);
    return std::make_unique<ParquetRenderer>(plan_for(samples[0]), samples[0]);
  }

  Result<FileIndex> index(RandomAccess& file) const override {
    FEEDRATE_TRY(const Footer footer, read_footer(file));
    FileIndex index;
    index.file_bytes = file.size();
    index.open_reads = open_reads(file.size(), footer.extent);
    if (footer.groups.empty()) return index;
    // All blocks but the last have equally many rows. Where row groups differ in rows, a row group
    // becomes several blocks, each of which reads all of it.
    std::uint64_t rows = footer.groups.front().rows;
    for (std::size_t i = 1; i + 1 < footer.groups.size(); ++i)
      rows = std::gcd(rows, footer.groups[i].rows);
    index.blocks.samples_per_block = rows;
    for (const RowGroup& group : footer.groups) {
      const std::uint64_t blocks = (group.rows + rows - 1) / rows;
      const std::vector<Extent> reads = selected(group.columns, options_);
      if (blocks > kBlocksMax / std::max<std::size_t>(1, reads.size()) ||
          index.blocks.reads.size() + blocks * reads.size() > kBlocksMax + footer.extent.length)
        return fail(ErrorKind::kUnsupported,
                    "the row groups of the Parquet file have too many different numbers of rows",
                    "write it with one number of rows a row group");
      for (std::uint64_t i = 0; i < blocks; ++i) index.blocks.add(reads);
      index.blocks.samples += group.rows;
    }
    return index;
  }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return std::make_unique<ParquetVerifier>(plan_for(samples[0]), samples[0]);
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return std::uint64_t{1} << 20U; }
  std::uint64_t samples_per_file_max() const override { return UINT64_MAX; }

 private:
  Plan plan_for(const SampleContent& content) const {
    return {content.samples, content.bytes / content.samples, options_};
  }

  const Options options_;
};

}  // namespace

const Format& parquet_format() {
  static const ParquetFormat format{Options{}};
  return format;
}

}  // namespace feedrate

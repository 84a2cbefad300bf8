#include "feedrate/format/megatron/megatron.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/format/pieces.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::string_view kMagic{"MMIDIDX\0\0", 9};
constexpr std::uint64_t kVersion = 1;
constexpr std::uint8_t kUint16Code = 8;
constexpr std::uint64_t kTokenBytes = 2;
constexpr std::uint64_t kHeadBytes = kMagic.size() + 8 + 1 + 8 + 8;

// Returns the bytes of a token by the code of its type, which counts from 1; 0 for codes that do
// not exist.
std::uint64_t token_bytes_of(std::uint8_t code) {
  constexpr std::uint64_t kBytes[] = {0, 1, 1, 2, 4, 8, 8, 4, 2};
  return code < std::size(kBytes) ? kBytes[code] : 0;
}

// Makes the bytes of an index when they are asked for, since there may be millions of sequences.
class IndexRenderer : public Renderer {
 public:
  IndexRenderer(std::uint64_t sequences, std::uint64_t sequence_bytes)
      : sequences_(sequences), sequence_bytes_(sequence_bytes) {
    append_text(head_, kMagic);
    append_little(head_, kVersion);
    head_.push_back(std::byte{kUint16Code});
    append_little(head_, sequences);
    append_little(head_, sequences + 1);
  }

  std::size_t next(std::span<std::byte> out) override {
    std::size_t written = 0;
    for (; written < out.size(); ++written) {
      if (at_ == part_.size() && !next_part()) break;
      out[written] = part_[at_++];
    }
    return written;
  }

 private:
  // Makes the head, and then one number at a time.
  bool next_part() {
    part_.clear();
    at_ = 0;
    if (number_ == 0 && table_ == Table::kHead) {
      part_ = head_;
      table_ = Table::kLengths;
      return true;
    }
    if (table_ == Table::kLengths && number_ == sequences_) start(Table::kOffsets);
    if (table_ == Table::kOffsets && number_ == sequences_) start(Table::kDocuments);
    if (table_ == Table::kDocuments && number_ == sequences_ + 1) return false;
    if (table_ == Table::kLengths)
      append_little(part_, static_cast<std::int32_t>(sequence_bytes_ / kTokenBytes));
    else if (table_ == Table::kOffsets)
      append_little(part_, number_ * sequence_bytes_);
    else
      append_little(part_, number_);
    ++number_;
    return true;
  }
  enum class Table : std::uint8_t { kHead, kLengths, kOffsets, kDocuments };
  void start(Table table) {
    table_ = table;
    number_ = 0;
  }

  const std::uint64_t sequences_, sequence_bytes_;
  std::vector<std::byte> head_, part_;
  std::size_t at_ = 0;
  Table table_ = Table::kHead;
  std::uint64_t number_ = 0;
};

FilePieces pieces_of(const std::vector<SampleContent>& samples) {
  FilePieces pieces;
  for (const SampleContent& content : samples) pieces.content(content, 0, content.bytes);
  return pieces;
}

struct IndexHead {
  std::uint64_t token_bytes, sequences, documents;
};

std::unexpected<Error> bad_index(std::uint64_t offset, const std::string& detail) {
  return corrupt_at(offset, "of the .idx file: " + detail);
}

Result<IndexHead> read_head(RandomAccess& file) {
  std::byte head[kHeadBytes];
  if (file.size() < kHeadBytes) return bad_index(file.size(), "it ends within its header");
  FEEDRATE_CHECK(file.read_at(0, head));
  if (as_text(head).substr(0, kMagic.size()) != kMagic)
    return bad_index(0, "it does not begin with MMIDIDX");
  const auto version = load_little<std::uint64_t>(head + 9);
  if (version != kVersion)
    return bad_index(9, fmt::format("version {}, only {} is known", version, kVersion));
  const auto code = std::to_integer<std::uint8_t>(head[17]);
  IndexHead result{token_bytes_of(code), load_little<std::uint64_t>(head + 18),
                   load_little<std::uint64_t>(head + 26)};
  if (result.token_bytes == 0) return bad_index(17, fmt::format("unknown token type {}", code));
  const std::uint64_t room = file.size() - kHeadBytes;
  if (result.sequences > room / 12 || result.documents > (room - 12 * result.sequences) / 8)
    return bad_index(18, fmt::format("{} sequences and {} document boundaries do not fit its {} B",
                                     result.sequences, result.documents, file.size()));
  return result;
}

// Reads the extent of each sequence from the index, checked against the size of the .bin file.
Result<std::vector<Extent>> read_sequences(RandomAccess& idx, const IndexHead& head,
                                           std::uint64_t bin_bytes) {
  std::vector<std::byte> lengths(4 * head.sequences), offsets(8 * head.sequences);
  FEEDRATE_CHECK(idx.read_at(kHeadBytes, lengths));
  FEEDRATE_CHECK(idx.read_at(kHeadBytes + lengths.size(), offsets));
  std::vector<Extent> samples(head.sequences);
  for (std::uint64_t i = 0; i < head.sequences; ++i) {
    const auto tokens = load_little<std::int32_t>(lengths.data() + 4 * i);
    const auto offset = load_little<std::uint64_t>(offsets.data() + 8 * i);
    const std::uint64_t bytes = static_cast<std::uint64_t>(tokens) * head.token_bytes;
    if (tokens < 0 || offset > bin_bytes || bytes > bin_bytes - offset)
      return bad_index(kHeadBytes + 4 * i,
                       fmt::format("sequence {} ({} tokens at {}) does not lie within the {} B of "
                                   "the .bin file",
                                   i, tokens, offset, bin_bytes));
    samples[i] = {offset, bytes};
  }
  std::erase_if(samples, [](const Extent& sample) { return sample.length == 0; });
  // FileIndex lists samples in the order of the file.
  if (!std::ranges::is_sorted(samples, {}, &Extent::end))
    return bad_index(kHeadBytes + lengths.size(), "its sequences are not in the order of the file");
  return samples;
}

class MegatronFormat : public Format {
 public:
  std::string_view name() const override { return "megatron"; }
  std::string_view extension() const override { return "_text_document.bin"; }
  std::string_view companion_extension() const override { return ".idx"; }

  bool recognises(std::string_view file_name, std::span<const std::byte>) const override {
    return lower_base_name(file_name).ends_with(extension());
  }

  std::uint64_t payload_for_stored(std::uint64_t stored_bytes) const override {
    return stored_bytes / kTokenBytes * kTokenBytes;
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
  std::unique_ptr<Renderer> render_companion(const SampleSizes& payload_bytes) const override {
    return std::make_unique<IndexRenderer>(payload_bytes.size(), payload_bytes[0]);
  }
  std::uint64_t companion_bytes(const SampleSizes& payload_bytes) const override {
    return kHeadBytes + 20 * payload_bytes.size() + 8;
  }

  Result<FileIndex> index(RandomAccess& file) const override {
    if (file.companion() == nullptr)
      return corrupt_at(0, "there is no .idx file beside the .bin file");
    FEEDRATE_TRY(const IndexHead head, read_head(*file.companion()));
    FileIndex index;
    index.file_bytes = file.size();
    FEEDRATE_TRY(index.samples, read_sequences(*file.companion(), head, file.size()));
    return index;
  }

  std::unique_ptr<Verifier> verifier(std::shared_ptr<const FileIndex>,
                                     std::vector<SampleContent> samples) const override {
    if (samples.empty()) return accept_anything();
    return verify_pieces(pieces_of(samples));
  }
  bool has_checksums() const override { return false; }
  std::uint64_t reference_transfer_bytes() const override { return 4096; }
  std::uint64_t samples_per_file_max() const override { return UINT64_MAX; }
};

}  // namespace

const Format& megatron_format() {
  static const MegatronFormat format;
  return format;
}

}  // namespace feedrate

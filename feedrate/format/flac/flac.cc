#include "feedrate/format/flac/flac.h"

#include "feedrate/format/flac/frame.h"
#include "feedrate/format/flac/metadata.h"
#include "feedrate/format/flac/verifier.h"
#include "feedrate/format/sound_decoder.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

using namespace flac;

constexpr std::byte kVerbatim{0x02};  // type 000001, no wasted bits

bool is_flac(std::span<const std::byte> head) {
  return head.size() >= kMagic.size() && as_text(head.first(kMagic.size())) == kMagic;
}

class FlacFormat : public WholeFileFormat {
 public:
  std::string_view name() const override { return "flac"; }
  std::string_view extension() const override { return ".flac"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    return lower_base_name(file_name).ends_with(".flac") || is_flac(head);
  }
  bool has_checksums() const override { return true; }
  std::uint64_t reference_transfer_bytes() const override { return 8192; }
  std::unique_ptr<Decoder> decoder() const override { return make_sound_decoder(); }

 protected:
  std::uint64_t file_bytes(std::uint64_t payload_bytes) const override {
    const std::uint64_t frames = frames_bytes(samples_of(payload_bytes));
    const std::uint64_t head = kMagic.size() + kBlockHeadBytes + kStreamInfoBytes;
    return frames == UINT64_MAX ? frames : head + frames;
  }

  FilePieces pieces(const SampleContent& content) const override {
    const std::uint64_t samples = samples_of(content.bytes);
    FilePieces all;
    all.literal(stream_head(samples));
    for (std::uint64_t number = 0; number * kBlockSamples < samples; ++number) {
      const std::uint64_t from = number * kBlockBytes;
      const std::uint64_t here = std::min(kBlockSamples, samples - number * kBlockSamples);
      const std::uint64_t known = std::min(content.bytes, from + here * kSampleBytes) - from;
      all.begin_checksum(ChecksumKind::kCrc16);
      all.begin_checksum(ChecksumKind::kCrc8);
      all.literal(frame_header(number, here));
      all.end_checksum(ChecksumKind::kCrc8);
      all.literal({kVerbatim});
      all.content(content, from, known);
      all.zeros(here * kSampleBytes - known);
      all.end_checksum(ChecksumKind::kCrc16);
    }
    return all;
  }

  // Checks the metadata blocks, as far as `head` shows them.
  Result<> check_head(std::span<const std::byte> head, std::uint64_t total_bytes) const override {
    if (!is_flac(head)) return corrupt_at(0, "not a FLAC file: no 'fLaC'");
    for (std::uint64_t at = kMagic.size();;) {
      if (at + kBlockHeadBytes > head.size())
        return check_within("head of a metadata block", at, kBlockHeadBytes, total_bytes);
      FEEDRATE_TRY(const BlockHead block, parse_block_head(at, head.subspan(at), total_bytes));
      if (block.last) return {};
      at += kBlockHeadBytes + block.bytes;
    }
  }

  std::unique_ptr<Verifier> foreign_verifier(std::uint64_t file_bytes) const override {
    return make_frame_verifier(file_bytes);
  }
};

}  // namespace

const Format& flac_format() {
  static const FlacFormat format;
  return format;
}

}  // namespace feedrate

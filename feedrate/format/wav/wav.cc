#include "feedrate/format/wav/wav.h"

#include <algorithm>

#include "feedrate/format/sound_decoder.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kHeaderBytes = 44, kChunkHeadBytes = 8, kFirstChunk = 12;
constexpr std::uint32_t kSamplesPerSecond = 16000, kBytesPerSample = 2;
constexpr std::uint16_t kPcm = 1, kMono = 1, kBitsPerSample = 8 * kBytesPerSample;
constexpr std::uint32_t kUnknownSize = UINT32_MAX;

std::uint64_t data_bytes(std::uint64_t payload_bytes) {
  return payload_bytes + payload_bytes % kBytesPerSample;
}

std::uint32_t size_field(std::uint64_t bytes) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, kUnknownSize));
}

std::vector<std::byte> header(std::uint64_t payload_bytes) {
  const std::uint64_t data = data_bytes(payload_bytes);
  std::vector<std::byte> out;
  append_text(out, "RIFF");
  append_little(out, size_field(kHeaderBytes - kChunkHeadBytes + data));
  append_text(out, "WAVEfmt ");
  append_little<std::uint32_t>(out, 16);
  append_little(out, kPcm);
  append_little(out, kMono);
  append_little(out, kSamplesPerSecond);
  append_little(out, kSamplesPerSecond * kBytesPerSample);
  append_little(out, static_cast<std::uint16_t>(kBytesPerSample));  // of a sample in all channels
  append_little(out, kBitsPerSample);
  append_text(out, "data");
  append_little(out, size_field(data));
  return out;
}

bool is_wav(std::span<const std::byte> head) {
  if (head.size() < kFirstChunk) return false;
  const std::string_view riff = as_text(head.first(4)), wave = as_text(head.subspan(8, 4));
  return (riff == "RIFF" || riff == "RF64") && wave == "WAVE";
}

class WavFormat : public WholeFileFormat {
 public:
  std::string_view name() const override { return "wav"; }
  std::string_view extension() const override { return ".wav"; }

  bool recognises(std::string_view file_name, std::span<const std::byte> head) const override {
    const std::string name = lower_base_name(file_name);
    return name.ends_with(".wav") || name.ends_with(".wave") || is_wav(head);
  }
  std::uint64_t reference_transfer_bytes() const override { return 8192; }
  std::unique_ptr<Decoder> decoder() const override { return make_sound_decoder(); }

 protected:
  std::uint64_t file_bytes(std::uint64_t payload_bytes) const override {
    return kHeaderBytes + data_bytes(payload_bytes);
  }

  FilePieces pieces(const SampleContent& content) const override {
    FilePieces all;
    all.literal(header(content.bytes));
    all.content(content, 0, content.bytes);
    all.zeros(data_bytes(content.bytes) - content.bytes);
    return all;
  }

  // Checks the chunks, as far as `head` shows them; the samples may begin after it.
  Result<> check_head(std::span<const std::byte> head, std::uint64_t total_bytes) const override {
    if (!is_wav(head)) return corrupt_at(0, "not a WAV file: no 'RIFF' and 'WAVE'");
    std::uint64_t at = kFirstChunk;
    for (bool format_seen = false; at + kChunkHeadBytes <= head.size();) {
      const std::string_view type = as_text(head.subspan(at, 4));
      const auto length = load_little<std::uint32_t>(head.data() + at + 4);
      if (type == "data" && !format_seen)
        return corrupt_at(at, "'data' chunk without a 'fmt ' chunk in front of it");
      // A program that does not know the length leaves it open. The samples then go on to the
      // end of the file.
      if (type == "data" && length == kUnknownSize) return {};
      FEEDRATE_CHECK(check_within("'" + printable(type) + "' chunk", at,
                                  kChunkHeadBytes + std::uint64_t{length}, total_bytes));
      if (type == "data") return {};
      if (type == "fmt " && length < 16)
        return corrupt_at(at, "'fmt ' chunk of " + std::to_string(length) + " B, at least 16");
      format_seen = format_seen || type == "fmt ";
      // Chunks begin at even places.
      at += kChunkHeadBytes + length + length % 2;
    }
    if (at + kChunkHeadBytes > total_bytes) return corrupt_at(at, "no 'data' chunk");
    return {};
  }

 private:
  static std::string printable(std::string_view type) {
    std::string out(type);
    std::ranges::replace_if(out, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    return out;
  }
};

}  // namespace

const Format& wav_format() {
  static const WavFormat format;
  return format;
}

}  // namespace feedrate

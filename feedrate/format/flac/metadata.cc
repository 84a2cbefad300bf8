#include "feedrate/format/flac/metadata.h"

#include "feedrate/format/flac/frame.h"
#include "feedrate/format/whole_file.h"
#include "feedrate/format/wire.h"

namespace feedrate::flac {
namespace {

constexpr unsigned kStreamInfo = 0, kInvalid = 127;
constexpr std::byte kLast{0x80};
constexpr std::uint64_t kSamplesMax = (1ULL << 36U) - 1;  // of the field, and a mask of it
constexpr std::uint64_t kSamplesAt = 10;

}  // namespace

Result<BlockHead> parse_block_head(std::uint64_t at, std::span<const std::byte> head,
                                   std::uint64_t total_bytes) {
  const auto word = load_big<std::uint32_t>(head.data());
  const BlockHead block{word >> 31U != 0, word >> 24U & 0x7FU, word & 0xFFFFFFU};
  if (block.type == kInvalid) return corrupt_at(at, "metadata block of type 127, which is invalid");
  const bool first = at == kMagic.size();
  if (first != (block.type == kStreamInfo) || (first && block.bytes != kStreamInfoBytes))
    return corrupt_at(at, "STREAMINFO of 34 B must be the first metadata block, and no other");
  FEEDRATE_CHECK(check_within("metadata block", at, kBlockHeadBytes + block.bytes, total_bytes));
  return block;
}

std::uint64_t total_samples(std::span<const std::byte> stream_info) {
  return load_big<std::uint64_t>(stream_info.data() + kSamplesAt) & kSamplesMax;
}

std::vector<std::byte> stream_head(std::uint64_t samples) {
  constexpr std::uint64_t kSamplesPerSecond = 16000;
  std::vector<std::byte> out;
  append_text(out, kMagic);
  out.push_back(kLast);  // and of type STREAMINFO
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{0}, kStreamInfoBytes})
    out.push_back(static_cast<std::byte>(value));
  append_big(out, static_cast<std::uint16_t>(kBlockSamples));  // smallest and largest block
  append_big(out, static_cast<std::uint16_t>(kBlockSamples));
  out.resize(out.size() + 6);  // smallest and largest frame: unknown
  const std::uint64_t channels_less_1 = 0, bits_less_1 = 8 * kSampleBytes - 1;
  const std::uint64_t known_samples = samples > kSamplesMax ? 0 : samples;  // 0: unknown
  append_big(
      out, kSamplesPerSecond << 44U | channels_less_1 << 41U | bits_less_1 << 36U | known_samples);
  out.resize(out.size() + 16);  // MD5: unset
  return out;
}

}  // namespace feedrate::flac

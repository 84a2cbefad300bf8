#include "feedrate/format/flac/frame.h"

#include <algorithm>
#include <bit>

#include "feedrate/format/checksum.h"

namespace feedrate::flac {
namespace {

constexpr unsigned kBlockOf4096 = 12, kBlockInByte = 6, kBlockInTwoBytes = 7;
constexpr unsigned kRateOf16000 = 5, kSizeOf16Bits = 4;

unsigned byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<unsigned>(bytes[at]);
}

// Returns the bytes of a number in what FLAC calls UTF-8: that of RFC 2279, which has 6 bytes at
// most, and one more.
std::uint64_t number_bytes(std::uint64_t number) {
  if (number < 0x80) return 1;
  std::uint64_t bytes = 2;
  while (number >> (5 * bytes + 1) != 0) ++bytes;
  return bytes;
}

void append_number(std::vector<std::byte>& out, std::uint64_t number) {
  const std::uint64_t bytes = number_bytes(number);
  if (bytes == 1) {
    out.push_back(static_cast<std::byte>(number));
    return;
  }
  const unsigned mark = 0xFF00U >> bytes;
  out.push_back(static_cast<std::byte>(mark | number >> (6 * (bytes - 1))));
  for (std::uint64_t i = bytes - 1; i-- > 0;)
    out.push_back(static_cast<std::byte>(0x80U | (number >> (6 * i) & 0x3FU)));
}

// Reads from the front of what is left; `ok` turns false once there was too little.
struct Cursor {
  std::span<const std::byte> rest;
  bool ok = true;

  unsigned byte() {
    ok = ok && !rest.empty();
    if (!ok) return 0;
    const unsigned value = byte_at(rest, 0);
    rest = rest.subspan(1);
    return value;
  }
  std::uint64_t number() {
    const unsigned first = byte();
    const int ones = std::countl_one(static_cast<std::uint8_t>(first));
    if (ones == 0) return first;
    ok = ok && ones != 1 && ones != 8;
    std::uint64_t value = first & (0x7FU >> ones);
    for (int i = 1; ok && i < ones; ++i) {
      const unsigned next = byte();
      ok = ok && next >> 6U == 2;
      value = value << 6U | (next & 0x3FU);
    }
    return value;
  }
};

std::uint64_t block_samples(unsigned code, Cursor& cursor) {
  if (code == 1) return 192;
  if (code <= 5) return 576U << (code - 2);
  if (code == kBlockInByte) return 1 + cursor.byte();
  if (code == kBlockInTwoBytes) {
    const unsigned high = cursor.byte();
    return 1 + (high << 8U | cursor.byte());
  }
  return 256U << (code - 8);
}

}  // namespace

bool FrameHeader::follows(const FrameHeader& before) const {
  return variable == before.variable && rate_code == before.rate_code &&
         size_code == before.size_code &&
         number == before.number + (variable ? before.block_samples : 1);
}

std::optional<FrameHeader> parse_frame_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytesMin || bytes[0] != std::byte{0xFF}) return std::nullopt;
  if (byte_at(bytes, 1) >> 1U != 0xF8U >> 1U) return std::nullopt;
  FrameHeader header;
  header.variable = (byte_at(bytes, 1) & 1U) != 0;
  header.block_code = byte_at(bytes, 2) >> 4U;
  header.rate_code = byte_at(bytes, 2) & 0xFU;
  header.size_code = byte_at(bytes, 3) >> 1U & 7U;
  // These codes are reserved (RFC 9639, 9.1), which tells most chance matches from headers.
  const bool reserved = (byte_at(bytes, 3) & 1U) != 0 || byte_at(bytes, 3) >> 4U > 10 ||
                        header.size_code == 3 || header.block_code == 0 || header.rate_code == 15;
  if (reserved) return std::nullopt;
  Cursor cursor{bytes.subspan(4)};
  header.number = cursor.number();
  header.block_samples = block_samples(header.block_code, cursor);
  const unsigned rate_bytes = header.rate_code < 12 ? 0 : header.rate_code == 12 ? 1 : 2;
  for (unsigned i = 0; i < rate_bytes; ++i) cursor.byte();
  const auto covered = bytes.first(bytes.size() - cursor.rest.size());
  const unsigned crc = cursor.byte();
  if (!cursor.ok || update_checksum(ChecksumKind::kCrc8, 0, covered) != crc) return std::nullopt;
  return header;
}

std::vector<std::byte> frame_header(std::uint64_t number, std::uint64_t samples) {
  const bool whole = samples == kBlockSamples;
  std::vector<std::byte> out{std::byte{0xFF}, std::byte{0xF8}};
  out.push_back(
      static_cast<std::byte>((whole ? kBlockOf4096 : kBlockInTwoBytes) << 4U | kRateOf16000));
  out.push_back(static_cast<std::byte>(kSizeOf16Bits << 1U));
  append_number(out, number);
  if (!whole)
    for (const unsigned shift : {8U, 0U})
      out.push_back(static_cast<std::byte>((samples - 1) >> shift));
  return out;
}

std::uint64_t samples_of(std::uint64_t payload_bytes) {
  return std::max<std::uint64_t>(1, payload_bytes / kSampleBytes + payload_bytes % kSampleBytes);
}

std::uint64_t frames_bytes(std::uint64_t samples) {
  const std::uint64_t frames = samples / kBlockSamples + (samples % kBlockSamples != 0);
  if (frames > kFramesMax) return UINT64_MAX;
  constexpr std::uint64_t kFramingBytes = 4 + 1 + 1 + 2;  // codes, CRC-8, subframe, CRC-16
  std::uint64_t bytes = samples * kSampleBytes + frames * kFramingBytes;
  if (samples % kBlockSamples != 0) bytes += 2;  // its block size
  std::uint64_t from = 0;
  for (const std::uint64_t below :
       {1ULL << 7U, 1ULL << 11U, 1ULL << 16U, 1ULL << 21U, 1ULL << 26U, 1ULL << 31U}) {
    const std::uint64_t to = std::min<std::uint64_t>(below, frames);
    if (to > from) bytes += (to - from) * number_bytes(from);
    from = std::max(from, to);
  }
  return bytes;
}

}  // namespace feedrate::flac

#include "feedrate/format/checksum.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <array>

namespace feedrate {
namespace {

// The CRCs of each byte followed by 0 to Zeros - 1 zero bytes, most significant bit first.
template <class Word, std::size_t Zeros>
constexpr std::array<std::array<Word, 256>, Zeros> crc_tables(Word polynomial) {
  constexpr unsigned kBits = sizeof(Word) * 8;
  std::array<std::array<Word, 256>, Zeros> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    auto value = static_cast<Word>(byte << (kBits - 8));
    for (std::size_t zeros = 0; zeros < Zeros; ++zeros) {
      for (int bit = 0; bit < 8; ++bit) {
        const bool carry = (value >> (kBits - 1)) != 0;
        value = static_cast<Word>((value << 1U) ^ (carry ? polynomial : Word{0}));
      }
      tables[zeros][byte] = value;
    }
  }
  return tables;
}

std::uint32_t update_crc8(std::uint32_t value, std::span<const std::byte> bytes) {
  static constexpr auto kTables = crc_tables<std::uint8_t, 1>(0x07);
  for (const std::byte byte : bytes) value = kTables[0][value ^ std::to_integer<unsigned>(byte)];
  return value;
}

// Takes eight bytes a step, whose table look-ups do not wait for each other.
std::uint32_t update_crc16(std::uint32_t value, std::span<const std::byte> bytes) {
  static constexpr auto kTables = crc_tables<std::uint16_t, 8>(0x8005);
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  for (; bytes.size() >= 8; bytes = bytes.subspan(8))
    value = kTables[7][at(0) ^ (value >> 8U)] ^ kTables[6][at(1) ^ (value & 0xFFU)] ^
            kTables[5][at(2)] ^ kTables[4][at(3)] ^ kTables[3][at(4)] ^ kTables[2][at(5)] ^
            kTables[1][at(6)] ^ kTables[0][at(7)];
  for (; !bytes.empty(); bytes = bytes.subspan(1))
    value = ((value << 8U) & 0xFFFFU) ^ kTables[0][(value >> 8U) ^ at(0)];
  return value;
}

}  // namespace

std::uint32_t update_checksum(ChecksumKind kind, std::uint32_t value,
                              std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  switch (kind) {
    case ChecksumKind::kCrc32:
      return crc32_gzip_refl(value, data, bytes.size());
    case ChecksumKind::kAdler32:
      return isal_adler32(value, data, bytes.size());
    case ChecksumKind::kCrc8:
      return update_crc8(value, bytes);
    case ChecksumKind::kCrc16:
      return update_crc16(value, bytes);
  }
  return value;
}

}  // namespace feedrate

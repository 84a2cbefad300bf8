#include "feedrate/format/checksum.h"

#include <gtest/gtest.h>

#include <string_view>

namespace feedrate::testing {
namespace {

std::uint32_t checksum(ChecksumKind kind, std::string_view text) {
  return update_checksum(kind, checksum_of_nothing(kind), std::as_bytes(std::span(text)));
}

// The check values of the catalogue of parametrised CRC algorithms: CRC-32/ISO-HDLC, CRC-8/SMBUS
// and CRC-16/UMTS.
TEST(Checksum, HasThePublishedCheckValues) {
  EXPECT_EQ(checksum(ChecksumKind::kCrc32, "123456789"), 0xCBF43926U);
  EXPECT_EQ(checksum(ChecksumKind::kAdler32, "Wikipedia"), 0x11E60398U);
  EXPECT_EQ(checksum(ChecksumKind::kCrc8, "123456789"), 0xF4U);
  EXPECT_EQ(checksum(ChecksumKind::kCrc16, "123456789"), 0xFEE8U);
}

TEST(Checksum, GoesOnWhereItStopped) {
  const std::string_view text = "the quick brown fox jumps over the lazy dog, and so on";
  for (std::size_t kind = 0; kind < kChecksumKinds; ++kind)
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const auto of = static_cast<ChecksumKind>(kind);
      EXPECT_EQ(update_checksum(of, checksum(of, text.substr(0, cut)),
                                std::as_bytes(std::span(text.substr(cut)))),
                checksum(of, text));
    }
}

}  // namespace
}  // namespace feedrate::testing

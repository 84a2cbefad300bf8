// Checks the bytes of an NPZ file. Private to npz/.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "feedrate/format/format.h"
#include "feedrate/format/npz/archive.h"
#include "feedrate/format/npz/zip.h"

namespace feedrate::npz {

// Checks one of our files. Every byte is compared, in any order of calls, but for the two copies of
// the CRC-32 of x.npy: these are held against the data if that comes in order, and against each
// other.
class KnownVerifier : public Verifier {
 public:
  explicit KnownVerifier(const SampleContent& content);
  Result<> consume(std::uint64_t offset, std::span<const std::byte> bytes) override;

 private:
  struct CrcField {
    std::uint64_t offset = 0;
    std::array<std::byte, 4> bytes{};
    unsigned seen = 0;  // one bit a byte
  };

  Result<> check_slice(std::uint64_t offset, std::span<const std::byte> bytes);
  Result<> compare_literal(std::uint64_t offset, std::span<const std::byte> bytes,
                           std::uint64_t literal_offset, std::span<const std::byte> literal);
  void capture_fields(std::uint64_t offset, std::span<const std::byte> bytes);
  void add_data(std::uint64_t offset, std::span<const std::byte> bytes);
  Result<> check_fields();

  const SampleContent content_;
  const Archive archive_;
  std::array<CrcField, 2> fields_;
  std::uint64_t next_ = UINT64_MAX;  // where the data must go on to stay in order
  std::uint32_t crc_ = 0;
  std::optional<std::uint32_t> whole_crc_;
};

// Checks a foreign file by the CRC-32 of the array, if its bytes come in order from its local
// header on.
std::unique_ptr<Verifier> make_foreign_verifier(const Extent& sample);

// Makes the array as numpy.load gets it: Python's zipfile inflates it if it is deflated, and checks
// its CRC-32.
std::unique_ptr<Decoder> make_array_decoder();

}  // namespace feedrate::npz

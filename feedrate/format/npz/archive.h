// The archive that we write: its sizes, and all of its bytes but the content. Private to npz/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "feedrate/format/format.h"

namespace feedrate::npz {

struct Archive {
  // The bytes in front of the content: the local header of x.npy and its npy header.
  static constexpr std::uint64_t kContentOffset = 30 + 5 + 20 + 128;
  // The data of x.npy, which its CRC-32 covers, begins at its npy header.
  static constexpr std::uint64_t kDataOffset = 30 + 5 + 20;

  std::vector<std::byte> head;  // file bytes [0, kContentOffset)
  std::vector<std::byte> tail;  // file bytes from the end of the content on
  Extent directory;
  bool zip64 = false;  // has a zip64 end record
  // The file offsets of the two places that hold the CRC-32 of x.npy.
  std::array<std::uint64_t, 2> crc_offsets{};

  std::uint64_t tail_offset() const { return tail_offset_; }
  std::uint64_t file_bytes() const { return tail_offset_ + tail.size(); }

  // `crc` is that of x.npy. Only the two places that hold it depend on it.
  Archive(std::uint64_t content_bytes, std::uint32_t label, std::uint32_t crc);

 private:
  std::uint64_t tail_offset_;
};

// Returns the CRC-32 of x.npy; to do so it makes all of the content once.
std::uint32_t array_crc(const SampleContent& content);

}  // namespace feedrate::npz

// The header in front of an array: a .npy file begins with it, and so does each member of an NPZ
// archive. Shared by the formats, not for users of format.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/format/file_index.h"

namespace feedrate {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";
inline constexpr std::uint64_t kNpyHeaderBytes = 128;  // of an array with one dimension

// Returns, byte for byte, what numpy 1.24.2 writes for an array of `length` values of `type`
// ("|u1").
std::vector<std::byte> npy_header(std::string_view type, std::uint64_t length);

bool is_npy(std::span<const std::byte> head);

// Checks that `array`, from its first byte to the end of its room in the file, can hold what its
// header says; `head` is what it begins with. kCorrupt names the offset in the file. A header that
// goes on after `head`, or whose values are structures, is believed.
Result<> check_npy_array(std::span<const std::byte> head, const Extent& array);

inline constexpr std::size_t kNpyHeadBytes = 512;  // enough for the header of any plain array

}  // namespace feedrate

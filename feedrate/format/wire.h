// Integer fields and the errors of bytes that are wrong: shared by the formats, not for users
// of format.h.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

static_assert(std::endian::native == std::endian::little, "stored integers are copied as they are");

template <class Integer>
Integer load_little(const std::byte* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class Integer>
void store_little(std::byte* at, Integer value) {
  std::memcpy(at, &value, sizeof value);
}

template <class Integer>
void append_little(std::vector<std::byte>& out, Integer value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  store_little(out.data() + at, value);
}

// Numbers are stored with the most significant byte first.
template <class Integer>
Integer load_big(const std::byte* at) {
  return std::byteswap(load_little<Integer>(at));
}

template <class Integer>
void append_big(std::vector<std::byte>& out, Integer value) {
  append_little(out, std::byteswap(value));
}

inline void append_text(std::vector<std::byte>& out, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), bytes, bytes + text.size());
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Returns kCorrupt, "at offset N: DETAIL". A format knows no path, so its caller puts that in
// front.
std::unexpected<Error> corrupt_at(std::uint64_t offset, std::string_view detail);

// Returns the index of the first byte that differs; the spans have the same length.
std::optional<std::size_t> first_mismatch(std::span<const std::byte> actual,
                                          std::span<const std::byte> expected);

// So much of a long span is checked at a time, so that every pass over it finds it in the cache.
inline constexpr std::size_t kCheckSliceBytes = std::size_t{64} << 10U;

// Returns the base name of a path, in lower case.
std::string lower_base_name(std::string_view path);

}  // namespace feedrate

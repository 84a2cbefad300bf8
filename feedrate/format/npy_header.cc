#include "feedrate/format/npy_header.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "feedrate/format/wire.h"

namespace feedrate {
namespace {

struct Header {
  std::string_view text;    // the dict, as much of it as the head shows
  std::uint64_t bytes = 0;  // with all in front of the values
};

Result<> check_inside(std::string_view what, std::uint64_t position, std::uint64_t length,
                      const Extent& array) {
  if (position <= array.length && length <= array.length - position) return {};
  return corrupt_at(array.offset + position, std::string(what) + " of " + std::to_string(length) +
                                                 " B goes beyond the end of the array's bytes at " +
                                                 std::to_string(array.end()));
}

Result<Header> find_header(std::span<const std::byte> head, const Extent& array) {
  const std::uint64_t at = array.offset;
  if (!is_npy(head)) return corrupt_at(at, "not an NPY array: no '\\x93NUMPY'");
  constexpr std::size_t kVersionAt = kNpyMagic.size(), kLengthAt = kVersionAt + 2;
  if (head.size() < kLengthAt + 4) return corrupt_at(at, "ends within the header of the array");
  const auto version = std::to_integer<unsigned>(head[kVersionAt]);
  if (version < 1 || version > 3)
    return corrupt_at(at + kVersionAt, "unknown version " + std::to_string(version) + " of NPY");
  const std::uint64_t length = version == 1 ? load_little<std::uint16_t>(head.data() + kLengthAt)
                                            : load_little<std::uint32_t>(head.data() + kLengthAt);
  const std::uint64_t begin = kLengthAt + (version == 1 ? 2 : 4);
  FEEDRATE_CHECK(check_inside("header", begin, length, array));
  return Header{as_text(head.subspan(begin, std::min<std::uint64_t>(length, head.size() - begin))),
                begin + length};
}

// Returns the text that follows `key` in the dict.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at + key.size());
}

std::optional<std::uint64_t> leading_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (trouble != std::errc()) return std::nullopt;
  return value;
}

// Returns the bytes of a value: the number in "<f4". Returns none for structures, whose type is a
// list, and for text, whose number counts characters.
std::optional<std::uint64_t> value_bytes(std::string_view text) {
  const auto type = value_of(text, "'descr': '");
  if (!type || type->size() < 3 || !std::string_view("biufcSV").contains((*type)[1])) return {};
  return leading_number(type->substr(2));
}

// Returns the product of the shape; it saturates.
std::optional<std::uint64_t> values(std::string_view text) {
  auto shape = value_of(text, "'shape': (");
  if (!shape) return std::nullopt;
  std::uint64_t product = 1;
  for (std::string_view rest = shape->substr(0, shape->find(')')); !rest.empty();) {
    const auto side = leading_number(rest);
    if (!side) return std::nullopt;
    if (__builtin_mul_overflow(product, *side, &product)) return UINT64_MAX;
    const std::size_t next = rest.find_first_not_of("0123456789");
    rest = next == std::string_view::npos ? "" : rest.substr(next);
    rest = rest.substr(std::min(rest.find_first_of("0123456789"), rest.size()));
  }
  return product;
}

}  // namespace

// Writes format version 1.0. numpy leaves room for the first dimension to grow to 21 digits, then
// fills up to a multiple of 64 bytes (always by at least one).
std::vector<std::byte> npy_header(std::string_view type, std::uint64_t length) {
  const std::string digits = std::to_string(length);
  std::string text = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" +
                     digits + ",), }";
  text.append(21 - digits.size(), ' ');
  constexpr std::size_t kPrefixBytes = 10;
  text.append(64 - (kPrefixBytes + text.size() + 1) % 64, ' ');
  text.push_back('\n');
  std::vector<std::byte> out;
  append_text(out, kNpyMagic);
  append_text(out, std::string_view("\x01\x00", 2));
  append_little(out, static_cast<std::uint16_t>(text.size()));
  append_text(out, text);
  return out;
}

bool is_npy(std::span<const std::byte> head) {
  return head.size() >= kNpyMagic.size() && as_text(head.first(kNpyMagic.size())) == kNpyMagic;
}

Result<> check_npy_array(std::span<const std::byte> head, const Extent& array) {
  FEEDRATE_TRY(const Header header, find_header(head, array));
  const auto bytes = value_bytes(header.text), count = values(header.text);
  if (!bytes || !count) return {};
  std::uint64_t length = 0;
  if (__builtin_mul_overflow(*bytes, *count, &length)) length = UINT64_MAX;
  return check_inside("array", header.bytes, length, array);
}

}  // namespace feedrate

#include "feedrate/base/text.h"

#include <algorithm>
#include <cstdint>

#include "feedrate/base/shown_text.h"

namespace feedrate {
namespace {

// The valid UTF-8 sequence of several bytes at text[0]; its length is 0 where there is none.
struct Sequence {
  std::size_t length = 0;
  std::uint32_t code_point = 0;
};

Sequence utf8_sequence(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  std::size_t length = 0;
  std::uint32_t code_point = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2, code_point = lead & 0x1FU;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3, code_point = lead & 0x0FU;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4, code_point = lead & 0x07U;
  if (length == 0 || text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    code_point = (code_point << 6U) | (byte & 0x3FU);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {};
  return {length, code_point};
}

// Returns the length of the sequence if a terminal may show it, else 0.
std::size_t shown_sequence_length(std::string_view text) {
  const auto [length, code_point] = utf8_sequence(text);
  const bool control = code_point >= 0x80 && code_point < 0xA0;
  // Line separators and marks that turn the direction of writing make a name look like another.
  const bool misleading = (code_point >= 0x2028 && code_point <= 0x202E) ||
                          (code_point >= 0x2066 && code_point <= 0x2069);
  return control || misleading ? 0 : length;
}

bool is_printable(char c) { return c >= 0x20 && c < 0x7F; }

// Returns the text with \xNN for each byte that `shows` does not let through and that is not part
// of a character that a terminal may show.
template <class Shows>
std::string escaped(std::string_view text, const Shows& shows) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto byte = static_cast<std::uint8_t>(text[0]);
    const std::size_t length = byte < 0x80 ? (shows(text[0]) ? 1 : 0) : shown_sequence_length(text);
    if (length > 0) {
      shown += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      shown += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 15U]};
      text.remove_prefix(1);
    }
  }
  return shown;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Another case is no slip. Another digit more likely means another thing ("b200" is not a typo of
// "v100").
std::size_t replacement_cost(char a, char b) {
  if (lower(a) == lower(b)) return 0;
  return is_digit(a) && is_digit(b) ? 2 : 1;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + replacement_cost(a[i - 1], b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const bool ascii = static_cast<std::uint8_t>(text[0]) < 0x80;
    const std::size_t length = ascii ? 1 : utf8_sequence(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string quote_path(std::string_view path) {
  return "\"" + escaped(path, [](char c) { return is_printable(c) && c != '"' && c != '\\'; }) +
         "\"";
}

std::string shown_text(std::string_view text, std::string_view kept) {
  return escaped(
      text, [kept](char c) { return is_printable(c) || kept.find(c) != std::string_view::npos; });
}

std::optional<std::string> nearest_spelling(std::string_view word,
                                            std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance =
      std::max<std::size_t>(1, std::min<std::size_t>(3, word.size() / 2)) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) best_distance = distance, best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const auto nearest = nearest_spelling(word, candidates);
  return nearest ? ", did you mean '" + *nearest + "'?" : "";
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (std::size_t index = 0; index < parts.size(); ++index) {
    if (index > 0) text += separator;
    text += parts[index];
  }
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t position = text.find(separator);
    parts.emplace_back(text.substr(0, position));
    if (position == std::string_view::npos) return parts;
    text.remove_prefix(position + 1);
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

}  // namespace feedrate

#include "feedrate/storage/place.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_scheme_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

}  // namespace

std::string_view scheme_of(std::string_view word) {
  const std::size_t end = word.find("://");
  if (end == std::string_view::npos || end == 0 || !is_letter(word[0])) return {};
  const std::string_view scheme = word.substr(0, end);
  return std::ranges::all_of(scheme, is_scheme_character) ? scheme : std::string_view();
}

// There are none yet: all backends read paths.
std::vector<std::string> known_schemes() { return {}; }

Result<> check_place(std::string_view word, std::string_view flag) {
  const std::string_view scheme = scheme_of(word);
  const std::vector<std::string> known = known_schemes();
  if (scheme.empty() || std::ranges::find(known, scheme) != known.end()) return {};
  std::string places = "paths of this host";
  for (const std::string& each : known) places += fmt::format(", {}://...", each);
  return fail(ErrorKind::kUsage,
              fmt::format("{}: no storage is called '{}://' ({}); known are {}", flag, scheme,
                          quote_path(word), places),
              fmt::format("mount it and name the folder; a local folder of this name is {}",
                          quote_path(fmt::format("./{}", word))));
}

}  // namespace feedrate

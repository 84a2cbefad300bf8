#include "feedrate/result/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace feedrate {

bool JsonPlace::wrong(std::string_view what) {
  if (problem_.empty()) problem_ = fmt::format("'{}' {}", fmt::join(keys_, "."), what);
  return false;
}

bool JsonPlace::inside(std::string key, const std::function<bool()>& read) {
  keys_.push_back(std::move(key));
  const bool good = read();
  keys_.pop_back();
  return good;
}

bool read_word(const std::string& value, const std::vector<std::string>& words, JsonPlace& place) {
  if (words.empty() || std::ranges::find(words, value) != words.end()) return true;
  return place.wrong(
      fmt::format("is '{}', which is none of '{}'", value, fmt::join(words, "', '")));
}

bool read_key(const Json& json, const std::string& key, JsonPlace& place,
              const std::function<bool(const Json&)>& read) {
  const auto found = json.find(key);
  return place.inside(
      key, [&] { return found == json.end() ? place.wrong("is missing") : read(*found); });
}

}  // namespace feedrate

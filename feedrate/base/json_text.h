// The only way from JSON to text. Paths and messages may hold any bytes, but JSON holds text: bytes
// that are not UTF-8 become U+FFFD, where the library itself would throw. Names that must be read
// back unchanged have to be checked with is_utf8() before.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace feedrate {

// `indent` is the library's: -1 is one line.
template <class Json>
std::string json_text(const Json& json, int indent = 2) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace feedrate

// The one way from JSON to text. Paths and messages may hold any bytes, JSON holds text: what is
// not UTF-8 becomes U+FFFD, where the library's own way throws. Names that must come back as they
// are have to be checked before, with is_utf8().
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace feedrate {

// `indent` as the library has it: -1 is one line.
template <class Json>
std::string json_text(const Json& json, int indent = 2) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace feedrate

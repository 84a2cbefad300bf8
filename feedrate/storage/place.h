// Where data lie: the path of a file system, or SCHEME://... of a backend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

// "s3" of "s3://bucket/x"; "" for everything else, "./s3://x" and "dlio:FILE" among them.
std::string_view scheme_of(std::string_view word);
// Schemes that a backend knows, for errors.
std::vector<std::string> known_schemes();
// kUsage when the word has a scheme that no backend knows: taken for a path, it would make a folder
// on this host. `flag` is the option that it stands in.
Result<> check_place(std::string_view word, std::string_view flag);

}  // namespace feedrate

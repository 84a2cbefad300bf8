// Names of the places where data lie: a path of a file system, or SCHEME://... of a backend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

// Returns "s3" for "s3://bucket/x", and "" for words without a scheme, such as "./s3://x" and
// "dlio:FILE".
std::string_view scheme_of(std::string_view word);
// Returns the schemes that a backend knows, for errors.
std::vector<std::string> known_schemes();
// Fails with kUsage when the word has a scheme that no backend knows: taken for a path, it would
// make a folder on this host. `flag` is the option whose value the word is.
Result<> check_place(std::string_view word, std::string_view flag);

}  // namespace feedrate

// Turns a line into the words of a command, and a word back into what stands in a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

// Cuts a line into words at spaces, as a shell does; quotes and backslashes keep spaces within a
// word. Fails with kUsage for a quote that is not closed.
Result<std::vector<std::string>> split_words(const std::string& line, std::string_view flag);

// Returns the word as a shell, or split_words(), reads it back: in quotes where that is needed.
std::string quoted_word(std::string_view word);

}  // namespace feedrate

// Wrapping of what people read: help, and the results of verbs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace feedrate {

// Returns the columns of the terminal that stdout is: COLUMNS where that is set, else what the
// terminal says, or 100 where there is none. It is never below 40.
std::size_t terminal_width();

// Wraps the words of `text` into lines of at most `width`, behind `begin`. Lines that follow are
// indented; `more` (" \\") ends each line that goes on. A word that is longer than a line stays
// whole.
std::string wrap(std::string_view begin, std::string_view text, std::size_t width,
                 std::size_t indent, std::string_view more = {});

// Wraps the lines of a result that are longer than `width`. What stands behind a label goes on
// below itself, other prose a little to the right of its beginning; rows of a table that leave no
// room for that stay.
std::string wrap_lines(std::string_view text, std::size_t width);

}  // namespace feedrate

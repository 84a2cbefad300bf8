// Makes text of ours safe to show that may hold words of others.
#pragma once

#include <string>
#include <string_view>

namespace feedrate {

// Returns the text with \xNN for everything that quote_path() would not let through, except quotes
// and backslashes, which do no harm. The characters of `kept` stay as they are: the line ends of a
// text with several lines.
std::string shown_text(std::string_view text, std::string_view kept = {});

}  // namespace feedrate

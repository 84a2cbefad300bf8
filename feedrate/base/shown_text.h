// Text of ours that holds words of others, made safe to show.
#pragma once

#include <string>
#include <string_view>

namespace feedrate {

// What quote_path() would not let through becomes \xNN, except quotes and backslashes, which harm
// nothing. Characters of `kept` stay: the line ends of a text that has several lines.
std::string shown_text(std::string_view text, std::string_view kept = {});

}  // namespace feedrate

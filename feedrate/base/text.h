// Text for people: paths that are safe to show, lists, and spelling hints.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace feedrate {

// Returns the path in double quotes. Control characters, quotes, backslashes and bytes that are not
// valid UTF-8 become \xNN, so that a hostile file name cannot write to a terminal or break a log
// line.
std::string quote_path(std::string_view path);
// Returns whether two names differ at most in the case of ASCII letters: "H100" is "h100".
bool same_name(std::string_view a, std::string_view b);
bool is_utf8(std::string_view text);

// Returns the candidate nearest to `word`, if it is near enough to be a likely typo.
std::optional<std::string> nearest_spelling(std::string_view word,
                                            std::span<const std::string> candidates);
// Returns ", did you mean 'x'?", or "" when no candidate is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

std::string join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

}  // namespace feedrate

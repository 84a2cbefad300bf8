#include "feedrate/options/command_line.h"

#include <fmt/format.h>

#include <utility>

namespace feedrate {

Result<std::vector<std::string>> split_words(const std::string& line, std::string_view flag) {
  std::vector<std::string> words;
  std::string word;
  // A word may be empty, as in "", so `begun` says whether there is one.
  bool begun = false;
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    // Within single quotes a backslash is a plain character, as in a shell.
    if (c == '\\' && quote != '\'' && at + 1 < line.size()) {
      word += line[++at];
      begun = true;
    } else if (quote != 0 || c == '\'' || c == '"') {
      if (quote == 0) {
        quote = c;
        begun = true;
      } else if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (begun) words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (quote != 0)
    return fail(ErrorKind::kUsage,
                fmt::format("{}: '{}' has a quote that is not closed", flag, line), "close it");
  if (begun) words.push_back(std::move(word));
  return words;
}

std::string quoted_word(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%~{}";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(word);
  std::string quoted = "'";
  for (const char letter : word)
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

}  // namespace feedrate

#include "feedrate/host/proc_files.h"

#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>

#include "feedrate/base/text.h"

namespace feedrate {

std::optional<std::string> read_host_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file) return std::nullopt;
  if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (file.bad()) return std::nullopt;
  return std::move(text).str();
}

std::string read_host_word(const std::string& path) {
  const auto text = read_host_file(path);
  return text ? std::string(trim(*text)) : "";
}

std::optional<std::uint64_t> read_host_number(const std::string& path) {
  return parse_host_number(read_host_word(path));
}

std::optional<std::uint64_t> parse_host_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const begin = std::to_address(text.begin());
  const char* const end = std::to_address(text.end());
  const auto [stopped, code] = std::from_chars(begin, end, value);
  if (code != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;
       at = text.find_first_not_of(kSpace, at)) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<std::string> option_value(std::string_view options, std::string_view key) {
  for (const std::string& option : split(options, ',')) {
    const std::string_view name = std::string_view(option).substr(0, option.find('='));
    if (trim(name) != key) continue;
    return name.size() == option.size() ? "" : option.substr(name.size() + 1);
  }
  return std::nullopt;
}

}  // namespace feedrate

#include "feedrate/options/wrap.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr std::size_t kWidthMin = 40, kWidthUsual = 100, kWidthMax = 1000;
constexpr std::size_t kRoomMin = 20;  // Prose in fewer columns is not readable.
constexpr std::size_t kHang = 2;

// Returns the columns of a text in UTF-8, each character of which takes one.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Returns where the last column of a line begins, that is what stands behind two spaces or more,
// and how many such gaps there are.
std::pair<std::size_t, std::size_t> last_column(std::string_view line, std::size_t begin) {
  std::size_t at = begin, gaps = 0;
  for (std::size_t gap = line.find("  ", begin); gap != line.npos; gap = line.find("  ", at)) {
    const std::size_t next = line.find_first_not_of(' ', gap);
    if (next == line.npos) break;
    at = next;
    ++gaps;
  }
  return {at, gaps};
}

std::string wrapped_line(std::string_view line, std::size_t width) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const auto [at, gaps] = last_column(line, begin);
  const std::size_t hang = columns(line.substr(0, at));
  if (gaps > 0 && hang + kRoomMin <= width)
    return wrap(line.substr(0, at), line.substr(at), width, hang);
  if (gaps > 1) return std::string(line) + "\n";
  return wrap(line.substr(0, begin), line.substr(begin), width, begin + kHang);
}

}  // namespace

std::size_t terminal_width() {
  std::size_t wide = 0;
  if (const char* const text = std::getenv("COLUMNS")) {
    const std::string_view digits(text);
    std::from_chars(digits.data(), digits.data() + digits.size(), wide);
  }
  winsize size{};
  if (wide == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) wide = size.ws_col;
  if (wide == 0) return kWidthUsual;
  return std::clamp(wide, kWidthMin, kWidthMax);
}

std::string wrap(std::string_view begin, std::string_view text, std::size_t width,
                 std::size_t indent, std::string_view more) {
  std::string result, line(begin);
  bool empty = true;  // No word stands on this line yet.
  for (const std::string& word : split(text, ' ')) {
    const std::size_t needed = columns(line) + (empty ? 0 : 1) + columns(word) + more.size();
    if (!empty && needed > width) {
      result += line + std::string(more) + "\n";
      line.assign(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  return result + line + "\n";
}

std::string wrap_lines(std::string_view text, std::size_t width) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool whole = end < text.size();
    text.remove_prefix(whole ? end + 1 : end);
    if (columns(line) > width)
      result += wrapped_line(line, width);
    else
      result += std::string(line) + (whole ? "\n" : "");
  }
  return result;
}

}  // namespace feedrate

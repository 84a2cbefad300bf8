#include "feedrate/cli/help.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr std::size_t kWidthMin = 40, kWidthUsual = 100, kWidthMax = 1000;
constexpr std::size_t kColumn = 30;  // where an option's description begins, on wide screens

// The words of `text` in lines of at most `width`, behind `begin`; lines that follow are indented,
// and with `more` (" \") a line that goes on says so.
std::string wrap(std::string_view begin, std::string_view text, std::size_t width,
                 std::size_t indent, std::string_view more = {}) {
  std::string result, line(begin);
  bool empty = true;  // no word stands on this line yet
  for (const std::string& word : split(text, ' ')) {
    const std::size_t needed = line.size() + (empty ? 0 : 1) + word.size() + more.size();
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

// Names on the left, what they mean beside them, or below where a name is too long for that.
std::string row(const std::string& name, std::string_view text, std::size_t column,
                std::size_t width) {
  std::string left = "  " + name;
  if (text.empty()) return left + "\n";
  if (left.size() + 1 > column) {
    const std::string indent(column, ' ');
    return wrap("  ", name, width, 4) + wrap(indent, text, width, column);
  }
  left.resize(column, ' ');
  return wrap(left, text, width, column);
}

class WrappedHelp final : public CLI::Formatter {
 public:
  explicit WrappedHelp(std::size_t width) : width_(width) {}

  std::string make_option(const CLI::Option* option, bool positional) const override {
    return row(make_option_name(option, positional) + make_option_opts(option),
               make_option_desc(option), std::min(kColumn, width_ / 2), width_);
  }
  std::string make_group(std::string group, bool positional,
                         std::vector<const CLI::Option*> options) const override {
    std::string text = "\n" + wrap("", group + ":", width_, 2);
    for (const CLI::Option* option : options) text += make_option(option, positional);
    return text;
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    const std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    return wrap("", trim(usage), width_, 4);
  }

 private:
  std::size_t width_;
};

// Command lines, to be copied: one that does not fit goes on behind a backslash.
std::string examples(std::string_view lines, std::size_t width) {
  std::string result;
  for (const std::string& line : split(lines, '\n')) {
    const std::string_view command = trim(line);
    if (command.empty()) continue;
    const bool fits = line.size() <= width;
    result += fits ? line + "\n" : wrap("  ", command, width, 6, " \\");
  }
  return result;
}

}  // namespace

std::size_t help_width() {
  std::size_t columns = 0;
  if (const char* const text = std::getenv("COLUMNS")) {
    const std::string_view digits(text);
    std::from_chars(digits.data(), digits.data() + digits.size(), columns);
  }
  winsize size{};
  if (columns == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  if (columns == 0) return kWidthUsual;
  return std::clamp(columns, kWidthMin, kWidthMax);
}

std::string overview(std::size_t width) {
  std::string text = wrap("",
                          "feedrate: how many accelerators can this storage keep fed, why not "
                          "more, and what would change that",
                          width, 0);
  text += "\nusage: feedrate VERB [options]\n\n";
  for (const CommandEntry& entry : commands())
    text += row(std::string(entry.name), entry.summary, 14, width);
  text += "\nfirst steps:\n";
  text += examples("  feedrate find resnet50 ./feedrate-data --accelerator h100", width);
  return text + "  feedrate VERB --help\n\n  --version  print the version\n";
}

std::string verb_help(const CommandEntry& entry, CLI::App& app, std::size_t width) {
  app.formatter(std::make_shared<WrappedHelp>(width));
  std::string options = app.help();
  for (std::size_t at = 0; (at = options.find("\n\n\n")) != std::string::npos;)
    options.erase(at, 1);  // one empty line between groups
  // CLI11 prints the description first; ours starts with the examples.
  const std::size_t usage = options.find("Usage:");
  return fmt::format("{}\nexamples:\n{}\n{}",
                     wrap("", fmt::format("{}: {}", entry.name, entry.summary), width, 2),
                     examples(entry.examples, width),
                     usage == std::string::npos ? options : options.substr(usage));
}

}  // namespace feedrate

#include "feedrate/options/help.h"

#include <fmt/format.h>

#include <functional>
#include <string_view>
#include <vector>

#include "feedrate/base/text.h"
#include "feedrate/options/wrap.h"

namespace feedrate {
namespace {

constexpr std::size_t kColumn = 32;  // The column where an option's description begins.
// On narrower screens the description stands below the name.
constexpr std::size_t kWidthTwoColumns = 72;
constexpr std::size_t kIndentBelow = 6;

// Puts a name on the left and its meaning beside it where there is room, otherwise below.
std::string row(const std::string& name, std::string_view text, std::size_t width) {
  std::string left = "  " + name;
  if (width < kWidthTwoColumns || left.size() + 1 > kColumn) {
    const std::size_t indent = width < kWidthTwoColumns ? kIndentBelow : kColumn;
    return wrap("  ", name, width, 4) + wrap(std::string(indent, ' '), text, width, indent);
  }
  left.resize(kColumn, ' ');
  return wrap(left, text, width, kColumn);
}

std::string option_lines(const OptionTable& table, std::string_view title, std::size_t width,
                         const std::function<bool(const OptionEntry&)>& wanted) {
  std::string text;
  for (const OptionEntry& entry : table.entries())
    if (wanted(entry)) text += row(entry.heading(), option_sentence(table, entry), width);
  return text.empty() ? text : "\n" + wrap("", fmt::format("{}:", title), width, 2) + text;
}

// Returns command lines that can be copied: one that does not fit continues behind a backslash.
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

std::string overview(Verbs verbs, std::size_t width) {
  std::string text = wrap("",
                          "feedrate: how many accelerators can this storage keep fed, why not "
                          "more, and what would change that",
                          width, 0);
  text += "\nusage: feedrate VERB [options]\n\n";
  for (const CommandEntry& entry : verbs)
    text += wrap(fmt::format("  {:<12}", entry.name), entry.summary, width, 14);
  text += "\nfirst steps:\n";
  text += examples("  feedrate find resnet50 ./feedrate-data --accelerator h100", width);
  return text + "  feedrate VERB --help\n\n  --version  print the version\n";
}

std::string usage_line(const CommandEntry& verb, const OptionTable& table) {
  std::string text = fmt::format("feedrate {} [OPTIONS]", verb.name);
  for (const OptionEntry& entry : table.entries())
    if (entry.by_place()) {
      const std::string name = entry.key() + (entry.repeats() ? "..." : "");
      text += entry.required() ? " " + name : fmt::format(" [{}]", name);
    }
  return text;
}

std::string option_sentence(const OptionTable& table, const OptionEntry& entry) {
  if (entry.beside().empty()) return std::string(entry.row().help);
  return fmt::format("{} (only with {})", entry.row().help, shown_beside(table, entry));
}

std::string verb_help(const CommandEntry& verb, const OptionTable& table, std::size_t width) {
  std::string text = fmt::format(
      "{}\nexamples:\n{}\n{}", wrap("", fmt::format("{}: {}", verb.name, verb.summary), width, 2),
      examples(verb.examples, width), wrap("Usage: ", usage_line(verb, table), width, 4));
  text += option_lines(table, "Arguments", width, &OptionEntry::by_place);
  text += option_lines(table, "Options", width, [](const OptionEntry& entry) {
    return !entry.by_place() && entry.group().empty();
  });
  for (const std::string& group : table.groups())
    text += option_lines(table, group, width, [&group](const OptionEntry& entry) {
      return !entry.by_place() && entry.group() == group;
    });
  return text;
}

}  // namespace feedrate

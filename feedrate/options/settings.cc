#include "feedrate/options/settings.h"

#include "feedrate/base/text.h"
#include "feedrate/options/command_line.h"

namespace feedrate {
namespace {

bool is_setting(const OptionEntry& entry) {
  const std::string name = entry.key();
  return name != "json" && name != "csv" && name != "quiet" && name != "help";
}

std::string default_of(const OptionEntry& entry) {
  if (entry.is_flag()) return "no";
  // The default as the program takes it, where --help describes it in words.
  if (std::string* const* value = std::get_if<std::string*>(&entry.target());
      value != nullptr && !(*value)->empty())
    return **value;
  return std::string(entry.row().usual);
}

}  // namespace

Settings settings_given(const OptionTable& table, const std::vector<std::string>& overrides) {
  Settings settings;
  for (const OptionEntry& entry : table.entries()) {
    if (entry.given.empty() || !is_setting(entry)) continue;
    if (entry.key() == "set") {
      for (const std::string& set : entry.given)
        settings["set " + set.substr(0, set.find('='))] = set;
      continue;
    }
    std::vector<std::string> given = entry.given;
    // Several values stand beside each other, so one that has blanks is quoted.
    if (entry.repeats())
      for (std::string& value : given) value = quoted_word(value);
    settings[entry.key()] = entry.is_flag() ? "yes" : join(given, " ");
  }
  for (const std::string& word : overrides) settings[word.substr(0, word.find('='))] = word;
  return settings;
}

Settings settings_in_effect(const OptionTable& table, const Settings& given) {
  Settings settings = given;
  for (const OptionEntry& entry : table.entries()) {
    if (!entry.given.empty() || !is_setting(entry) || !has_effect(table, entry)) continue;
    if (const std::string value = default_of(entry); !value.empty()) settings[entry.key()] = value;
  }
  return settings;
}

}  // namespace feedrate

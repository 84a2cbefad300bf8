#include "feedrate/options/settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/command_line.h"

namespace feedrate {
namespace {

bool is_setting(const OptionEntry& entry) {
  const std::string name = entry.key();
  return name != "json" && name != "csv" && name != "quiet" && name != "help";
}

// Words that leave the value to the verb, which tells what it chose.
constexpr std::string_view kChosenByVerb = "auto";

// Returns the number behind a value of this type, in its base unit; nullopt where it is none.
std::optional<double> number_of(OptionType type, std::string_view text) {
  const auto number = [](const auto& parsed) {
    return parsed ? std::optional(static_cast<double>(*parsed)) : std::nullopt;
  };
  switch (type) {
    case OptionType::kCount:
      return number(parse_count(text, "", 0, UINT64_MAX));
    case OptionType::kNumber: {  // A letter may follow: "70B".
      if (text.find_last_of("KMBT") == text.size() - 1) text.remove_suffix(1);
      double value = 0;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
      const bool whole = code == std::errc{} && end == text.data() + text.size();
      return whole ? std::optional(value) : std::nullopt;
    }
    case OptionType::kFraction:
      return number(parse_fraction(text, "", 0, 1));
    case OptionType::kSize:
      if (text.ends_with('%')) return number(parse_fraction(text, "", 0, 1));
      [[fallthrough]];
    case OptionType::kBytes:
      return number(parse_bytes(text, ""));
    case OptionType::kRate: {
      const Result<BytesPerSecond> rate = parse_rate(text, "");
      return rate ? std::optional(rate->value()) : std::nullopt;
    }
    case OptionType::kDuration: {
      const Result<Duration> time = parse_duration(text, "");
      return time ? std::optional(to_seconds(*time)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// Returns whether a number is not below the least that the row allows: "1 to 1024", "at least 1s",
// "more than 0". Ends that are words ("1 to the batch") are the verb's to check.
bool reaches_least(const OptionRow& row, double value) {
  constexpr std::string_view kAtLeast = "at least ", kMoreThan = "more than ";
  std::string_view least = row.among.substr(0, row.among.find(" to "));
  if (row.among.starts_with(kMoreThan)) return value > 0;
  if (row.among.starts_with(kAtLeast)) least = row.among.substr(kAtLeast.size());
  const std::optional<double> bound = number_of(row.type, least);
  return !bound || value >= *bound;
}

// Returns the default where it is a value: what --help says in words ("as many as help", "1MiB, or
// 4MiB ...") is none. Of texts and names nobody can tell, so only what the program itself would
// take counts there.
std::string default_of(const OptionEntry& entry) {
  if (entry.is_flag()) return "no";
  std::string value;
  if (std::string* const* target = std::get_if<std::string*>(&entry.target())) value = **target;
  const bool typed =
      entry.row().type == OptionType::kWords || number_of(entry.row().type, entry.row().usual);
  if (value.empty() && typed) value = entry.row().usual;
  return value != kChosenByVerb && is_value(entry, value) ? value : std::string();
}

}  // namespace

bool is_value(const OptionEntry& entry, std::string_view text) {
  switch (entry.row().type) {
    case OptionType::kFlag:
      return text == "yes" || text == "no";
    case OptionType::kWords: {
      const std::vector<std::string> words = entry.words();
      return std::ranges::find(words, text) != words.end();
    }
    case OptionType::kFile:
    case OptionType::kDirectory:
    case OptionType::kWorkload:
    case OptionType::kModel:
    case OptionType::kText:
      return !text.empty();
    default: {
      const std::optional<double> number = number_of(entry.row().type, text);
      return number && reaches_least(entry.row(), *number);
    }
  }
}

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
    if (settings.contains(entry.key()) && settings[entry.key()] == kChosenByVerb)
      settings.erase(entry.key());
    if (!entry.given.empty() || !is_setting(entry) || !has_effect(table, entry)) continue;
    if (const std::string value = default_of(entry); !value.empty()) settings[entry.key()] = value;
  }
  return settings;
}

}  // namespace feedrate

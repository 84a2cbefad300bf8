#include "feedrate/options/option_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr std::string_view kOr = " or ";

// Splits "--async or --local" into two.
std::vector<std::string> alternatives(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find(kOr), text.size());
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(std::min(text.size(), at + kOr.size()));
  }
  return parts;
}

std::string with_prefix(std::string_view name, std::string_view prefix) {
  constexpr std::string_view kDashes = "--";
  if (prefix.empty() || !name.starts_with(kDashes)) return std::string(name);
  return fmt::format("{}{}{}", kDashes, prefix, name.substr(kDashes.size()));
}

std::string name_of(std::string_view option) {
  return std::string(option.substr(0, option.find('=')));
}

// Returns whether "--async" or "--clock=virtual" holds. Where an option takes words its value
// counts; otherwise what stands behind '=' is only an example for the user.
bool holds(const OptionTable& table, const std::string& needed) {
  const OptionEntry* const entry = table.find(name_of(needed));
  FEEDRATE_ASSERT(entry != nullptr);
  if (entry->given.empty()) return false;
  if (entry->row().type != OptionType::kWords) return true;
  return entry->given.back() == needed.substr(std::min(needed.size(), needed.find('=') + 1));
}

Result<> check_beside(const OptionTable& table, const OptionEntry& entry) {
  if (has_effect(table, entry)) return {};
  return fail(
      ErrorKind::kUsage,
      fmt::format("{}{}{} has no use without {}", entry.shown_name(), entry.is_flag() ? "" : ": ",
                  entry.is_flag() ? "" : entry.given.front(), shown_beside(table, entry)),
      fmt::format("add {}, or leave it out", join(entry.beside(), kOr)));
}

}  // namespace

bool has_effect(const OptionTable& table, const OptionEntry& entry) {
  return entry.beside().empty() ||
         std::ranges::any_of(entry.beside(),
                             [&](const std::string& needed) { return holds(table, needed); });
}

std::string shown_beside(const OptionTable& table, const OptionEntry& entry) {
  std::vector<std::string> names;
  for (const std::string& needed : entry.beside()) {
    const OptionEntry* const other = table.find(name_of(needed));
    FEEDRATE_ASSERT(other != nullptr);
    names.push_back(other->row().type == OptionType::kWords ? needed : name_of(needed));
  }
  return join(names, kOr);
}

OptionEntry::OptionEntry(std::string_view group, const OptionLine& line, std::string_view prefix,
                         std::string_view beside)
    : row_(line.row), group_(group), target_(line.target) {
  if (row_.names.starts_with('-'))
    for (const std::string& name : split(row_.names, ','))
      names_.push_back(with_prefix(name, prefix));
  for (const std::string& needed : alternatives(row_.beside))
    beside_.push_back(with_prefix(needed, prefix));
  if (beside_.empty()) beside_ = alternatives(beside);
  former_ = with_prefix(row_.former, prefix);
}

std::string OptionEntry::key() const {
  for (const std::string& name : names_)
    if (name.starts_with("--")) return name.substr(2);
  std::string_view name = row_.names;
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  return std::string(name);
}

std::string OptionEntry::shown_name() const { return (by_place() ? "" : "--") + key(); }

std::string OptionEntry::value_shape() const {
  switch (row_.type) {
    case OptionType::kFlag:
      return "";
    case OptionType::kCount:
    case OptionType::kNumber:
      return "N";
    case OptionType::kFraction:
      return "SHARE";
    case OptionType::kBytes:
    case OptionType::kSize:
      return "SIZE";
    case OptionType::kRate:
      return "RATE";
    case OptionType::kDuration:
      return "TIME";
    case OptionType::kFile:
      return "FILE";
    case OptionType::kDirectory:
      return "DIR";
    case OptionType::kWorkload:
      return "WORKLOAD";
    case OptionType::kModel:
      return "MODEL";
    case OptionType::kWords:
    case OptionType::kText:
      return std::string(row_.among);
  }
  return "";
}

std::string OptionEntry::heading() const {
  std::string text = by_place() ? key() : join(names_, ",");
  if (!by_place() && !is_flag()) text += " " + value_shape();
  if (by_place() && repeats()) text += "...";
  if (!row_.usual.empty()) text += fmt::format(" ({})", row_.usual);
  return text;
}

std::vector<std::string> OptionEntry::words() const {
  return row_.type == OptionType::kWords ? split(row_.among, '|') : std::vector<std::string>();
}

void OptionTable::add(std::string_view group, std::initializer_list<OptionLine> lines,
                      std::string_view prefix, std::string_view beside) {
  for (const OptionLine& line : lines) entries_.emplace_back(group, line, prefix, beside);
}

const OptionEntry* OptionTable::find(std::string_view name) const {
  const auto found = std::ranges::find_if(entries_, [name](const OptionEntry& entry) {
    return std::ranges::find(entry.names(), name) != entry.names().end() ||
           (entry.by_place() && entry.key() == name);
  });
  return found == entries_.end() ? nullptr : &*found;
}

bool OptionTable::given(std::string_view name) const {
  const OptionEntry* const entry = find(name);
  return entry != nullptr && !entry->given.empty();
}

std::vector<std::string> OptionTable::groups() const {
  std::vector<std::string> groups;
  for (const OptionEntry& entry : entries_)
    if (!entry.by_place() && !entry.group().empty() &&
        std::ranges::find(groups, entry.group()) == groups.end())
      groups.push_back(entry.group());
  return groups;
}

Result<> check_given(const OptionTable& table) {
  for (const OptionEntry& entry : table.entries()) {
    if (entry.given.empty()) continue;
    if (!entry.is_flag() && std::ranges::any_of(entry.given, &std::string::empty))
      return fail(ErrorKind::kUsage, fmt::format("{}: the value is empty", entry.shown_name()),
                  "give it a value, or leave it out");
    FEEDRATE_CHECK(check_beside(table, entry));
  }
  return {};
}

}  // namespace feedrate

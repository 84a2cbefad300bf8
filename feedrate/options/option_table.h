// The options of one verb: rows, each with the place that its value is written to. The values that
// the command line gave are kept here as well.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/option_row.h"

namespace feedrate {

// The place that a value is written to: a flag, one value, or a list with one value for each time
// that the option is given.
using OptionTarget = std::variant<bool*, std::string*, std::vector<std::string>*>;

struct OptionLine {
  OptionLine(const OptionRow& what, bool& where) : row(what), target(&where) {}
  OptionLine(const OptionRow& what, std::string& where) : row(what), target(&where) {}
  OptionLine(const OptionRow& what, std::vector<std::string>& where) : row(what), target(&where) {}
  OptionRow row;
  OptionTarget target;
};

class OptionEntry {
 public:
  OptionEntry(std::string_view group, const OptionLine& line, std::string_view prefix,
              std::string_view beside);

  const OptionRow& row() const { return row_; }
  const std::string& group() const { return group_; }
  const OptionTarget& target() const { return target_; }
  // Names like "-n" and "--accelerators"; there are none for an argument that is known by its
  // place.
  const std::vector<std::string>& names() const { return names_; }
  bool by_place() const { return names_.empty(); }
  bool required() const { return by_place() && !row_.names.starts_with('['); }
  bool is_flag() const { return row_.type == OptionType::kFlag; }
  bool repeats() const { return std::holds_alternative<std::vector<std::string>*>(target_); }
  // Returns the first long name without its dashes, or the argument's name: JSON uses it as the
  // key.
  std::string key() const;
  // Returns the name that messages use: "--accelerators", "directory".
  std::string shown_name() const;
  // Returns the form of its value: "N", "SIZE", "real|virtual"; "" for a flag.
  std::string value_shape() const;
  // Returns the line of --help: "-n,--accelerators N (8)".
  std::string heading() const;
  // Returns the name that it once had, with the prefix of its group; "" for most. OptionRow::former
  // says more.
  const std::string& former() const { return former_; }
  // Returns the options beside which alone it has an effect, with the prefix of its group
  // (OptionRow::beside).
  const std::vector<std::string>& beside() const { return beside_; }
  // Returns the words that `row().among` lists; none unless the type is kWords.
  std::vector<std::string> words() const;

  // The values that the command line gave, as they were written; none when it was not given. A flag
  // that was given has one empty value.
  std::vector<std::string> given;

 private:
  OptionRow row_;
  std::string group_;
  OptionTarget target_;
  std::vector<std::string> names_, beside_;
  std::string former_;
};

class OptionTable {
 public:
  // `prefix` goes before the names: "checkpoint-" turns "--layout" into "--checkpoint-layout".
  // `beside` applies to rows that have none of their own.
  void add(std::string_view group, std::initializer_list<OptionLine> lines,
           std::string_view prefix = {}, std::string_view beside = {});

  std::vector<OptionEntry>& entries() { return entries_; }
  const std::vector<OptionEntry>& entries() const { return entries_; }
  // Finds an option by one of its names ("-n", "--data", "workload"); null where the verb has none
  // of that name.
  const OptionEntry* find(std::string_view name) const;
  bool given(std::string_view name) const;
  // Returns the groups in the order in which they are shown. Arguments, and options without a
  // group, are in none of them.
  std::vector<std::string> groups() const;

 private:
  std::vector<OptionEntry> entries_;
};

// Returns what must stand beside it: "--async or --local". Where only one word of an option will
// do, that word is named, too.
std::string shown_beside(const OptionTable& table, const OptionEntry& entry);

// Returns whether an option that must stand beside it was given: it changes nothing otherwise.
bool has_effect(const OptionTable& table, const OptionEntry& entry);

// Fails with kUsage for a value that is empty, and for an option that has no effect because no
// other one that it needs was given.
Result<> check_given(const OptionTable& table);

}  // namespace feedrate

// The options of one verb: rows, each with the place where its value lands. What the command line
// gave is kept here as well.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/option_row.h"

namespace feedrate {

// Where a value goes: a flag, one value, or one value each time that the option is given.
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
  // "-n", "--accelerators"; none for an argument that is known by its place.
  const std::vector<std::string>& names() const { return names_; }
  bool by_place() const { return names_.empty(); }
  bool required() const { return by_place() && !row_.names.starts_with('['); }
  bool is_flag() const { return row_.type == OptionType::kFlag; }
  bool repeats() const { return std::holds_alternative<std::vector<std::string>*>(target_); }
  // The first long name without its dashes, or the argument's: what JSON calls it.
  std::string key() const;
  // How messages call it: "--accelerators", "directory".
  std::string shown_name() const;
  // What its value looks like: "N", "SIZE", "real|virtual"; "" for a flag.
  std::string value_shape() const;
  // "-n,--accelerators N (8)", as --help has it.
  std::string heading() const;
  // The name that it once had, with the prefix of its group; "" for most. See OptionRow::former.
  const std::string& former() const { return former_; }
  // What must stand beside it for an effect, with the prefix of its group; see OptionRow::beside.
  const std::vector<std::string>& beside() const { return beside_; }
  // The words that `row().among` separates; none but for kWords.
  std::vector<std::string> words() const;

  // What the command line gave: the values as they were written, none when it was not given. A flag
  // has an empty one.
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
  // `prefix` goes before the names: "checkpoint-" makes "--layout" "--checkpoint-layout". `beside`
  // is for those rows that have none of their own.
  void add(std::string_view group, std::initializer_list<OptionLine> lines,
           std::string_view prefix = {}, std::string_view beside = {});

  std::vector<OptionEntry>& entries() { return entries_; }
  const std::vector<OptionEntry>& entries() const { return entries_; }
  // By one of its names ("-n", "--data", "workload"); null where the verb has none such.
  const OptionEntry* find(std::string_view name) const;
  bool given(std::string_view name) const;
  // Groups in the order in which they are shown; arguments and options without a group are not in
  // them.
  std::vector<std::string> groups() const;

 private:
  std::vector<OptionEntry> entries_;
};

// "--async or --local": what must stand beside it. Where only one word of an option will do, with
// that word.
std::string shown_beside(const OptionTable& table, const OptionEntry& entry);

// Whether what must stand beside it was given: it changes nothing otherwise.
bool has_effect(const OptionTable& table, const OptionEntry& entry);

// kUsage for a value that is empty, and for an option that stands alone where it has no effect
// without another one.
Result<> check_given(const OptionTable& table);

}  // namespace feedrate

// The settings that a report tells, by option: those that the command line gave, and those that
// were used.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/options/option_table.h"

namespace feedrate {

using Settings = std::map<std::string, std::string>;

// Returns the settings that the command line gave. The options that say where the result goes, and
// what is printed beside it, are no settings. `overrides` are the words that change a DLIO file.
Settings settings_given(const OptionTable& table, const std::vector<std::string>& overrides);

// Returns whether a text is a value that the option takes, as far as its type and the least that it
// allows tell. A flag's are "yes" and "no".
bool is_value(const OptionEntry& entry, std::string_view text);

// Returns those and, for every other option that has an effect, the default, where that is a value.
// Words of --help ("published", "as many as help") and "auto" are none: the verb adds what it
// worked out, and what it does not tell is absent.
Settings settings_in_effect(const OptionTable& table, const Settings& given);

}  // namespace feedrate

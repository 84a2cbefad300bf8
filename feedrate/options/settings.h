// The settings that a report tells, by option: those that the command line gave, and those that
// were used.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "feedrate/options/option_table.h"

namespace feedrate {

using Settings = std::map<std::string, std::string>;

// Returns the settings that the command line gave. The options that say where the result goes, and
// what is printed beside it, are no settings. `overrides` are the words that change a DLIO file.
Settings settings_given(const OptionTable& table, const std::vector<std::string>& overrides);

// Returns those and, for every other option that has an effect, the default. A verb replaces words
// such as "published" or "auto" by the values that it worked out.
Settings settings_in_effect(const OptionTable& table, const Settings& given);

}  // namespace feedrate

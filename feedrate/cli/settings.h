// Settings as a report tells them, by option: what the command line gave, and what was used.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "feedrate/cli/option_table.h"

namespace feedrate {

using Settings = std::map<std::string, std::string>;

// Where the result goes, and what is printed beside it, is no setting. `overrides` are the words
// that change a DLIO file.
Settings settings_given(const OptionTable& table, const std::vector<std::string>& overrides);

// Those and, of every other option that has an effect, what holds without it. A verb puts what it
// worked out itself in the place of words such as "published" or "auto".
Settings settings_in_effect(const OptionTable& table, const Settings& given);

}  // namespace feedrate

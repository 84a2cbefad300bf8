// Help texts, wrapped to the width of where they are shown.
#pragma once

#include <cstddef>
#include <string>

#include "feedrate/cli/command.h"
#include "feedrate/cli/option_table.h"

namespace feedrate {

// Columns of the terminal that stdout is: COLUMNS where that is set, else what the terminal says,
// 100 where there is none; never below 40.
std::size_t help_width();

// All verbs, on one screen.
std::string overview(std::size_t width);
// Examples, usage and every option of one verb. A word that is longer than a line stays whole.
std::string verb_help(const CommandEntry& verb, const OptionTable& table, std::size_t width);

// "feedrate find [OPTIONS] workload [directory]".
std::string usage_line(const CommandEntry& verb, const OptionTable& table);
// What an option does, and beside what it has an effect.
std::string option_sentence(const OptionTable& table, const OptionEntry& entry);

}  // namespace feedrate

// Help texts, wrapped to the width of where they are shown.
#pragma once

#include <cstddef>
#include <string>

#include "feedrate/cli/command.h"

namespace CLI {
class App;
}

namespace feedrate {

// Columns of the terminal that stdout is: COLUMNS where that is set, else what the terminal says,
// 100 where there is none; never below 40.
std::size_t help_width();

// All verbs, on one screen.
std::string overview(std::size_t width);
// Examples, usage and every option of one verb. A word that is longer than a line stays whole.
std::string verb_help(const CommandEntry& entry, CLI::App& app, std::size_t width);

}  // namespace feedrate

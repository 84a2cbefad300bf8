// Help texts, wrapped to the width of where they are shown.
#pragma once

#include <cstddef>
#include <string>

#include "feedrate/options/command.h"
#include "feedrate/options/option_table.h"

namespace feedrate {

// Returns the help of all verbs, on one screen.
std::string overview(Verbs verbs, std::size_t width);
// Returns examples, usage and every option of one verb. A word that is longer than a line stays
// whole.
std::string verb_help(const CommandEntry& verb, const OptionTable& table, std::size_t width);

// Returns a line like "feedrate find [OPTIONS] workload [directory]".
std::string usage_line(const CommandEntry& verb, const OptionTable& table);
// Says what an option does, and beside which options it has an effect.
std::string option_sentence(const OptionTable& table, const OptionEntry& entry);

}  // namespace feedrate

// Scripts with which shells complete command lines, made from the option tables of the verbs.
#pragma once

#include <string>

#include "feedrate/options/command.h"

namespace feedrate {

std::string bash_completion(Verbs verbs);  // Bash sources it.
std::string zsh_completion(Verbs verbs);   // A function _feedrate, which zsh loads by itself.
std::string fish_completion(Verbs verbs);  // Commands for fish.

}  // namespace feedrate

// Scripts with which shells complete command lines, made from the option tables of the verbs.
#pragma once

#include <string>

namespace feedrate {

std::string bash_completion();  // Bash sources it.
std::string zsh_completion();   // A function _feedrate, which zsh loads by itself.
std::string fish_completion();  // Commands for fish.

}  // namespace feedrate

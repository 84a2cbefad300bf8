// What completes command lines, made from the tables of the verbs.
#pragma once

#include <string>

namespace feedrate {

std::string bash_completion();  // to be sourced by bash
std::string zsh_completion();   // a function that zsh loads by itself, _feedrate
std::string fish_completion();  // commands of fish

}  // namespace feedrate

// Documents that are made from the program's own tables at build time, so that they cannot be out
// of date.
#pragma once

#include <string>

#include "feedrate/options/command.h"

namespace feedrate {

std::string man_page(Verbs verbs);      // In roff, for section 1.
std::string catalogue_page();           // The text of docs/catalogue.md.
std::string options_page(Verbs verbs);  // The text of docs/options.md.
// Returns a line for each option of each verb, for tests of the program: verb, name, type, default,
// range and what must stand beside it, separated by tabs.
std::string option_list(Verbs verbs);

}  // namespace feedrate

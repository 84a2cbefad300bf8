// What is made from the program's own tables at build time, so that it cannot be out of date.
#pragma once

#include <string>

namespace feedrate {

std::string man_page();        // roff, section 1
std::string catalogue_page();  // docs/catalogue.md
std::string options_page();    // docs/options.md
// A line for each option of each verb: verb, name, type, default, range, what must stand beside it;
// separated by tabs. For tests of the program.
std::string option_list();

}  // namespace feedrate

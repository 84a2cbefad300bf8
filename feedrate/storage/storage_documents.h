// Texts for docs/ that are made from the rows of storage files.
#pragma once

#include <string>

namespace feedrate {

// The keys of a described storage, as lines of a table in Markdown.
std::string storage_model_keys();

}  // namespace feedrate

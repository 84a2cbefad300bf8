// What docs say of storage.
#pragma once

#include <string>

namespace feedrate {

std::string storage_model_keys();  // of a described storage: lines of a table in Markdown

}  // namespace feedrate

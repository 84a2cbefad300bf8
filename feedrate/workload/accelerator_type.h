// A type of accelerator and its figures, from catalog/accelerators/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/quantity.h"

namespace feedrate {

struct AcceleratorType {
  std::string name;  // "h100"
  Bytes memory;
  std::string source;
};

std::string accelerator_keys();                     // lines of a table in Markdown
std::vector<std::string> accelerator_type_names();  // sorted
Result<AcceleratorType> find_accelerator_type(std::string_view name);

}  // namespace feedrate

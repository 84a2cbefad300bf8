// What the catalogue has besides workloads, for `workloads --catalogue` and for `show`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/result/data_result.h"

namespace feedrate {

// Returns models, accelerators, storage, networks and inference workloads, each sorted by name.
Result<std::vector<ListedEntry>> other_entries();

// Returns those of this name; none where it has no such name. A model and what serves it may have
// one.
Result<std::vector<ListedEntry>> other_entries(std::string_view name);

// Returns the YAML file of an entry, as it is built in.
std::string_view yaml_of(const ListedEntry& entry);

}  // namespace feedrate

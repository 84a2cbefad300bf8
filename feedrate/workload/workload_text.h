// Describes a workload to whoever reads a terminal.
#pragma once

#include <string>

#include "feedrate/workload/workload.h"

namespace feedrate {

// Returns its data set, its loader, its step times and the published notes. `changed` says that the
// user changed a key of it, which those notes do not know.
std::string workload_text(const Workload& workload, bool changed);

}  // namespace feedrate

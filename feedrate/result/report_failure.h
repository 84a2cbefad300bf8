// How a report says that its work did not come to its end.
#pragma once

#include "feedrate/base/error.h"
#include "feedrate/result/report.h"

namespace feedrate {

// Notes in the report that `error` ended its work. `figures` says that what was done before has
// figures of its own, which an interruption leaves valid.
void note_failure(const Error& error, bool figures, Envelope& report);

}  // namespace feedrate

// A report of work that may have ended with an error.
#pragma once

#include "feedrate/base/error.h"

namespace feedrate {

// A report, and how its work ended. After an error the report tells what was done before it.
template <class R>
struct Reported {
  R report;
  Result<> ended;
  // Whether that has figures of its own, which an interruption leaves valid.
  bool figures = false;
};

}  // namespace feedrate

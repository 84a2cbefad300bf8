// Tells on stderr about a search while it goes on.
#pragma once

#include "feedrate/engine/training_plan.h"
#include "feedrate/find/find.h"

namespace feedrate {

// Returns an observer that tells of each trial, and what is known whenever that changes; with
// `quiet` it tells nothing.
FindObserver search_progress(bool quiet, ClientKind client);

}  // namespace feedrate

// Runs the trials of a search as experiments.
#pragma once

#include <memory>
#include <stop_token>

#include "feedrate/experiment/training.h"
#include "feedrate/find/find.h"

namespace feedrate {

// Returns a runner whose trials are runs of the setup with the load that the search asks for.
// `setup` must outlive it. Of `hooks` it uses the stop and the watch.
TrialRunner experiment_runner(const TrainingSetup& setup, RunHooks hooks);

}  // namespace feedrate

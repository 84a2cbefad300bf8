// Trials of a search as experiments.
#pragma once

#include <memory>
#include <stop_token>

#include "feedrate/experiment/training.h"
#include "feedrate/find/find.h"

namespace feedrate {

// Each trial is a run of the setup with the load that the search asks for. `setup` must outlive the
// runner; of `hooks` the stop and the watch are used.
TrialRunner experiment_runner(const TrainingSetup& setup, RunHooks hooks);

}  // namespace feedrate

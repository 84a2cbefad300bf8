// One replica of the model in training: an accelerator, or the several that share a model and read
// for it together. Private to engine/.
#pragma once

#include "feedrate/engine/loader.h"
#include "feedrate/engine/step_coordinator.h"

namespace feedrate {

// What a replica knows of the group's guest. `part` is the guest's part on its reactor; only one
// replica of each reactor has it and calls it, for the others it is null.
struct ReplicaGuest {
  StepGuest::Part* part = nullptr;
  StallCause cause = StallCause::kCheckpoint;
};

// Makes steps until the run is over, then gives one permit to `finished`.
Task<> run_replica(Loader& loader, Reactor& reactor, const TrainingPlan& plan,
                   StepCoordinator& group, ReplicaGuest guest, ReaderStats& stats,
                   std::uint32_t rank, Semaphore& finished);

}  // namespace feedrate

// One replica of the model in training: an accelerator, or the several that share a model and read
// for it together. Private to engine/.
#pragma once

#include "feedrate/engine/loader.h"
#include "feedrate/engine/step_coordinator.h"

namespace feedrate {

// What a replica knows of the group's guest. `part` is its reactor's, and is null for all replicas
// of the reactor but one.
struct ReplicaGuest {
  StepGuest::Part* part = nullptr;
  StallCause cause = StallCause::kCheckpoint;
};

// Steps until the run is over. Gives one permit to `finished` then.
Task<> run_replica(Loader& loader, Reactor& reactor, const TrainingPlan& plan,
                   StepCoordinator& group, ReplicaGuest guest, ReaderStats& stats,
                   std::uint32_t rank, Semaphore& finished);

}  // namespace feedrate

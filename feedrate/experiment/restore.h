// Restoring a checkpoint as an experiment, and the report of it.
#pragma once

#include "feedrate/experiment/transfer.h"

namespace feedrate {

struct RestoreSetup : TransferSetup {
  CheckpointRestoreJob job;  // Its block and number at once are those of the setup.
};

// Does the work of `restore`. An error is that of restore_checkpoint(), or kEnvironment where no
// reactor can be made.
Reported<CheckpointResult> restore(const RestoreSetup& setup, const RunHooks& hooks);

}  // namespace feedrate

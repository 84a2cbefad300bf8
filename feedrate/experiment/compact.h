// Making an incremental checkpoint whole as an experiment, and the report of it.
#pragma once

#include "feedrate/checkpoint/compact.h"
#include "feedrate/experiment/transfer.h"

namespace feedrate {

struct CompactSetup : TransferSetup {
  CompactJob job;  // Its block and number at once are those of the setup.
};

// Does the work of `compact`. An error is that of compact_checkpoint(), or kEnvironment where no
// reactor can be made.
Reported<CompactResult> compact(const CompactSetup& setup, const RunHooks& hooks);

}  // namespace feedrate

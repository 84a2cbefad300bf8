// Checkpoints as an experiment: what is written where, and what it comes to as a report.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "feedrate/checkpoint/write.h"
#include "feedrate/experiment/world.h"
#include "feedrate/result/checkpoint_result.h"

namespace feedrate {

struct CheckpointSetup {
  CheckpointWriteJob job;                    // points to the layout
  std::shared_ptr<CheckpointLayout> layout;  // kept for it
  std::string model, title;
  StoragePlace place;
  StorageFactory local;  // the node-local level; empty: there is one level
  WorldSpec world;
  CheckpointResult begun;  // what the report says before anything is written: settings and place
};

// The report of what was written.
CheckpointResult report_checkpoints(const CheckpointSetup& setup,
                                    const CheckpointWriteSummary& summary);

}  // namespace feedrate

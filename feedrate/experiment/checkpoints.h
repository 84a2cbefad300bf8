// Checkpoints as an experiment: what is written and where, and the report that is made of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "feedrate/checkpoint/write.h"
#include "feedrate/experiment/world.h"
#include "feedrate/result/checkpoint_result.h"

namespace feedrate {

struct CheckpointSetup {
  CheckpointWriteJob job;                    // It points to `layout`.
  std::shared_ptr<CheckpointLayout> layout;  // Kept alive for the job.
  std::string model, title;
  StoragePlace place;
  StorageFactory local;  // The storage of the node-local level; empty where there is one level.
  WorldSpec world;
  // What the report says before anything is written, which are the settings and the place.
  CheckpointResult begun;
};

// Makes the report of what was written.
CheckpointResult report_checkpoints(const CheckpointSetup& setup,
                                    const CheckpointWriteSummary& summary);

}  // namespace feedrate

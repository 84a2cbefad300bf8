// Writing checkpoints as an experiment: what is written and where, and the report that is made of
// it.
#pragma once

#include <memory>
#include <string>

#include "feedrate/checkpoint/write.h"
#include "feedrate/experiment/transfer.h"
#include "feedrate/result/checkpoint_result.h"

namespace feedrate {

// The job has the directory as the user wrote it, and the setup's block and number at once.
struct CheckpointSetup : TransferSetup {
  CheckpointWriteJob job;                    // It points to `layout`.
  std::shared_ptr<CheckpointLayout> layout;  // Kept alive for the job.
  std::string model, title;
  StorageFactory local;  // The storage of the node-local level; empty where there is one level.
  std::string local_storage;  // The word of --local-storage that holds; "" with one level.
};

// Makes the report of what was written.
CheckpointResult report_checkpoints(const CheckpointSetup& setup,
                                    const CheckpointWriteSummary& summary);

// Writes on this group, which has not run yet, and makes the report. `summary` receives what was
// written, also before an error.
Reported<CheckpointResult> write_and_report(const CheckpointSetup& setup, ReactorGroup& group,
                                            const StorageFactory& storage,
                                            CheckpointProgress& progress,
                                            const std::stop_token& stop,
                                            CheckpointWriteSummary& summary);

// Does the work of `checkpoint`. An error is that of CheckpointRun::outcome(), or kEnvironment
// where no reactor can be made.
Reported<CheckpointResult> checkpoint(const CheckpointSetup& setup, const RunHooks& hooks);

}  // namespace feedrate

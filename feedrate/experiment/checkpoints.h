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

// Deals the tensors of a model out over ranks and files, as the job's layout does: those of the
// first `ranks` of its parallelism.
void place_tensors(const ModelShape& model, std::uint64_t ranks, CheckpointWriteJob& job);

// Returns a setup that writes one checkpoint of the model into `directory`, on storage that costs
// nothing and the real clock: a beginning, whose place, world and job are then changed. Fails with
// kUsage for a layout that there is not.
Result<CheckpointSetup> default_checkpoint_setup(const ModelShape& model,
                                                 const Parallelism& parallelism,
                                                 std::string_view layout,
                                                 const std::string& directory);

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

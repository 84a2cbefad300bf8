// Writes checkpoints of an emulated job, as many after another as are asked for, with nothing but
// time between them.
#pragma once

#include <stop_token>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

// `local` makes the storage of the node-local level and is empty for one level. kUsage for a
// directory that is not ours, kNoSpace before anything is written when one does not fit, kCancelled
// when stopped. After an error the checkpoint that was being written is gone and all that were
// published before are there; `before_error` takes what is known of those. The group runs once.
Result<CheckpointWriteSummary> write_checkpoints(ReactorGroup& group, const StorageFactory& storage,
                                                 const StorageFactory& local,
                                                 const CheckpointWriteJob& job,
                                                 CheckpointProgress& progress,
                                                 const std::stop_token& stop,
                                                 CheckpointWriteSummary* before_error = nullptr);

}  // namespace feedrate

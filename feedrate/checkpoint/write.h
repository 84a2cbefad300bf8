// Writes checkpoints of an emulated job, as many after another as are asked for, with nothing but
// time between them.
#pragma once

#include <stop_token>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

// As a job, beside others or alone. `local` makes the storage of the node-local level and is empty
// for one level. What is handed over by reference must outlive it.
class CheckpointRun final : public Job {
 public:
  CheckpointRun(ReactorGroup& group, StorageFactory storage, StorageFactory local,
                const CheckpointWriteJob& job, CheckpointProgress& progress);
  void start(unsigned index, Reactor& reactor) override;
  void finish(unsigned index) override { writers_[index].reset(); }

  // Once, after the group has run. `interrupted`: it was stopped from outside. kUsage for a
  // directory that is not ours, kNoSpace before anything is written when one does not fit,
  // kCancelled when stopped. After an error the checkpoint that was being written is gone and all
  // that were published before are there; `before_error` takes what is known of those.
  Result<CheckpointWriteSummary> outcome(bool interrupted,
                                         CheckpointWriteSummary* before_error = nullptr);

 private:
  Task<> stop_later(Reactor& reactor);

  const CheckpointWriteJob& job_;
  StorageFactory storage_, local_;
  CheckpointWriting writing_;
  std::vector<std::unique_ptr<CheckpointWriter>> writers_;
};

// Runs that job alone on the group.
Result<CheckpointWriteSummary> write_checkpoints(ReactorGroup& group, const StorageFactory& storage,
                                                 const StorageFactory& local,
                                                 const CheckpointWriteJob& job,
                                                 CheckpointProgress& progress,
                                                 const std::stop_token& stop,
                                                 CheckpointWriteSummary* before_error = nullptr);

}  // namespace feedrate

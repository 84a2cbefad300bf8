// Writes checkpoints of an emulated job, as many after another as are asked for, with nothing but
// time between them.
#pragma once

#include <stop_token>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

// Runs as a job, beside others or alone. `local` makes the storage of the node-local level and is
// empty where there is one level. What is passed by reference must outlive it.
class CheckpointRun final : public Job {
 public:
  CheckpointRun(ReactorGroup& group, StorageFactory storage, StorageFactory local,
                const CheckpointWriteJob& job, CheckpointProgress& progress);
  void start(unsigned index, Reactor& reactor) override;
  void finish(unsigned index) override { writers_[index].reset(); }

  // To be called once, after the group has run. `interrupted` says that it was stopped from
  // outside. Fails with kUsage for a directory that is not ours, with kNoSpace before anything is
  // written when one checkpoint does not fit, and with kCancelled when stopped. After an error the
  // checkpoint that was being written is gone and all that were published before are there;
  // `before_error` receives what is known of those.
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

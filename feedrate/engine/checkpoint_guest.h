// Checkpoints as a guest of training: the job's ranks are written by the reactors that read.
#pragma once

#include <optional>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/engine/step_guest.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

struct TrainingCheckpoints {
  CheckpointWriteJob job;  // Its count and `between` mean nothing here.
  std::uint64_t every_steps = 0;
  // The training between two checkpoints, in steps or in time; exactly one of the two is set.
  Duration every{};
  // Make the storages of the job's directories. They are those of the run where both share a limit.
  StorageFactory storage, local;
};

class CheckpointGuest final : public StepGuest {
 public:
  // `checkpoints` must outlive it. `reactors` is the number of reactors that train.
  CheckpointGuest(const TrainingCheckpoints& checkpoints, unsigned reactors);
  std::unique_ptr<Part> join(unsigned index, Reactor& reactor) override;
  bool due(std::uint64_t steps, Duration trained) const override;
  StallCause cause() const override { return StallCause::kCheckpoint; }

  // To be called after the run: what was written, and the error that ended it early, if any.
  const CheckpointWriteSummary& summary() { return writing_.summary(); }
  const std::optional<Error>& error() const { return writing_.error(); }

 private:
  const TrainingCheckpoints& checkpoints_;
  CheckpointProgress progress_;
  CheckpointWriting writing_;
};

}  // namespace feedrate

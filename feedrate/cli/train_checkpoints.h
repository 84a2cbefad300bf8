// `train --checkpoint-every`: checkpoints in the middle of training.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "feedrate/cli/checkpoint_modes.h"
#include "feedrate/cli/model_options.h"
#include "feedrate/cli/run_options.h"
#include "feedrate/engine/checkpoint_guest.h"

namespace feedrate {

// What they are, and the layout that the job points to.
struct CheckpointsOfRun {
  TrainingCheckpoints checkpoints;
  std::unique_ptr<CheckpointLayout> layout;
  RunCheckpoints described;  // names and settings; figures come from the run
};

class TrainCheckpointOptions {
 public:
  void declare(OptionTable& table);
  // None without --checkpoint-every.
  Result<std::optional<CheckpointsOfRun>> resolve(const RunSetup& setup, const RunOptions& options,
                                                  const TrainingPlan& plan) const;

 private:
  Result<> resolve_every(TrainingCheckpoints& checkpoints) const;
  Result<> resolve_model(const RunSetup& setup, const TrainingPlan& plan,
                         CheckpointsOfRun& run) const;
  Result<> resolve_storage(const RunSetup& setup, const RunOptions& options,
                           const TrainingPlan& plan, CheckpointsOfRun& run) const;

  std::string every_, to_, layout_, keep_, changed_, scale_;
  ModelOptions model_;
  CheckpointModeOptions modes_;
};

// The figures of a run's checkpoints.
RunCheckpoints summarise_checkpoints(const RunCheckpoints& described,
                                     const CheckpointWriteSummary& summary);

}  // namespace feedrate

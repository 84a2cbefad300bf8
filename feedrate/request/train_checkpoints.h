// The options of `train --checkpoint-every`: checkpoints in the middle of training.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "feedrate/experiment/training.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/model_options.h"
#include "feedrate/request/run_options.h"

namespace feedrate {

class TrainCheckpointOptions {
 public:
  void declare(OptionTable& table);
  bool wanted() const { return !every_.empty(); }
  // Returns none without --checkpoint-every.
  Result<std::optional<CheckpointsOfRun>> resolve(const TrainingSetup& setup,
                                                  const RunOptions& options,
                                                  const TrainingPlan& plan) const;

 private:
  Result<> resolve_every(TrainingCheckpoints& checkpoints) const;
  Result<> resolve_model(const TrainingSetup& setup, const TrainingPlan& plan,
                         CheckpointsOfRun& run) const;
  Result<> resolve_storage(const TrainingSetup& setup, const RunOptions& options,
                           const TrainingPlan& plan, CheckpointsOfRun& run) const;

  std::string every_, to_, layout_, keep_, changed_, scale_;
  ModelOptions model_;
  CheckpointModeOptions modes_;
};

}  // namespace feedrate

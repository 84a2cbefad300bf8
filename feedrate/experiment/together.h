// Runs several jobs in one world: on the same reactors and, where they name the same place, on the
// same storage. The first is the one that is measured; when it is over, so are the others.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "feedrate/experiment/checkpoints.h"
#include "feedrate/experiment/training.h"
#include "feedrate/result/together_result.h"

namespace feedrate {

struct JobSetup {
  std::string words;  // The words that asked for the job.
  std::variant<TrainingSetup, CheckpointSetup> what;
};

struct Experiment {
  std::vector<JobSetup> jobs;
  // Whether each job also runs alone with the same seeds, so that its loss can be told.
  bool alone = false;
};

// Fails with kUsage where the jobs ask for different clocks. The stop of `hooks` is for all jobs;
// its observer and its progress are for the first.
Result<TogetherReport> run(const Experiment& experiment, const WorldSpec& world,
                           const RunHooks& hooks);

}  // namespace feedrate

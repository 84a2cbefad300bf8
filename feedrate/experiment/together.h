// Several jobs in one world: on the same reactors and, where they name the same place, the same
// storage. The first is the one that is measured; when it is over, so are the others.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "feedrate/experiment/checkpoints.h"
#include "feedrate/experiment/training.h"
#include "feedrate/result/together_result.h"

namespace feedrate {

struct JobSetup {
  std::string words;  // that asked for it
  std::variant<TrainingSetup, CheckpointSetup> what;
};

struct Experiment {
  std::vector<JobSetup> jobs;
  bool alone = false;  // each by itself, too, with the same seeds, so that its loss can be told
};

// kUsage where the jobs ask for different clocks. Of `hooks`, the stop is for all jobs, the
// observer and the progress for the first.
Result<TogetherReport> run(const Experiment& experiment, const WorldSpec& world,
                           const RunHooks& hooks);

}  // namespace feedrate

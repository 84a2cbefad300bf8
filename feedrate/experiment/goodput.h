// A run that fails now and then, as an experiment: how much of its time is training that lasts.
#pragma once

#include "feedrate/experiment/checkpoints.h"

namespace feedrate {

struct FailingRun {
  Duration accelerator_mtbf{};  // The mean time between failures of one accelerator.
  Duration mtbf{};              // That of the job, which fails with any of them.
  Duration total{};             // The length of the run.
  Duration restart{};           // From a failure to the first read of the checkpoint.
};

// Writes checkpoints to learn what one costs, then runs until `total`. `setup.job.between` is the
// interval; 0 stands for the best one by the closed form. The passes of the report are those that
// tell the cost. An error is that of checkpoint(), or kCorrupt where a restart finds less than
// there must be; there is no goodput then.
Reported<CheckpointResult> checkpoint_with_failures(const CheckpointSetup& setup,
                                                    const FailingRun& run, const RunHooks& hooks);

}  // namespace feedrate

// The options of `train`: the loader's and the storage's, how many accelerators, and for how long.
#pragma once

#include <stop_token>
#include <string>

#include "feedrate/request/run_options.h"

namespace feedrate {

struct TrainOptions {
  RunOptions run;
  DatasetOptions described;
  std::string accelerators, epochs, steps, time, au;

  void declare(OptionTable& table);
  // Resolves everything that the words say of the job, with its limits. `workload` is what
  // WorkloadOptions::resolve() returned. Files of the user's own are looked through until `stop`.
  Result<TrainingSetup> resolve(Workload workload, const std::stop_token& stop);
  // Returns whether the user gave a number of epochs.
  bool epochs_asked() const { return !epochs.empty() || run.workload.asked.contains("epochs"); }

 private:
  // With null and model storage --size describes the data set; on real storage only datagen makes
  // one.
  const DatasetOptions* made_for_null() const {
    return run.reads_no_files() ? &described : nullptr;
  }
  Result<> set_limits(const Workload& workload, TrainingPlan& plan) const;
};

}  // namespace feedrate

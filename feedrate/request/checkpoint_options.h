// The options of `checkpoint`: what is written, and how.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "feedrate/experiment/checkpoints.h"
#include "feedrate/request/checkpoint_modes.h"
#include "feedrate/request/goodput_options.h"
#include "feedrate/request/model_options.h"
#include "feedrate/request/system_options.h"

namespace feedrate {

class CheckpointOptions {
 public:
  void declare(OptionTable& table);
  const std::string& directory() const { return directory_; }
  const std::string& json() const { return system_.json; }

  // Returns what is written. Fails with kUsage for options that contradict each other, or would
  // change nothing as things are.
  Result<CheckpointSetup> resolve() const { return resolve_setup(false); }
  // Returns the same for a job that goes on for as long as another one.
  Result<CheckpointSetup> resolve_beside() const;
  // Whether the run fails now and then (--mtbf), and how, for what resolve() returned.
  bool fails() const { return goodput_.wanted(); }
  Result<FailingRun> resolve_failures(const CheckpointSetup& setup) const {
    return goodput_.resolve(setup.job.head.parallelism.ranks());
  }

 private:
  bool is_data() const;
  std::vector<std::pair<const char*, const std::string*>> options_of_models() const;
  Result<CheckpointSetup> resolve_setup(bool beside) const;
  Result<> resolve_job(CheckpointWriteJob& job) const;
  Result<> resolve_data(CheckpointWriteJob& job) const;
  Result<ModelShape> resolve_model(CheckpointWriteJob& job) const;
  Result<> place_files(const ModelShape& model, CheckpointWriteJob& job) const;
  Result<> resolve_modes(CheckpointSetup& setup) const;
  Result<> check_effects(const CheckpointSetup& setup) const;

  ModelOptions options_;
  CheckpointModeOptions modes_;
  GoodputOptions goodput_;
  SystemOptions system_;
  bool weights_only_ = false;
  std::string name_, directory_, ranks_, subset_, scale_, layout_, count_, every_, stride_, keep_,
      changed_, seed_;
};

}  // namespace feedrate

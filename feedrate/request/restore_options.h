// The options of `restore`: which checkpoint, and by what job.
#pragma once

#include <string>

#include "feedrate/experiment/restore.h"
#include "feedrate/request/model_options.h"
#include "feedrate/request/system_options.h"

namespace feedrate {

class RestoreOptions {
 public:
  void declare(OptionTable& table);
  const std::string& json() const { return system_.json; }
  Result<RestoreSetup> resolve() const;

 private:
  Result<> resolve_topology(CheckpointRestoreJob& job) const;

  ModelOptions options_;
  SystemOptions system_;
  std::string directory_, step_, local_, ranks_;
  bool no_verify_ = false;
};

}  // namespace feedrate

// The options of `load`: which model, from where, and by how many replicas.
#pragma once

#include <string>

#include "feedrate/experiment/load.h"
#include "feedrate/request/system_options.h"

namespace feedrate {

class LoadOptions {
 public:
  void declare(OptionTable& table);
  const std::string& json() const { return system_.json; }
  Result<LoadSetup> resolve() const;

 private:
  Result<> check_uses(LoadSource source) const;

  SystemOptions system_;
  std::string name_, directory_, replicas_, tensor_, step_, weight_bytes_;
};

}  // namespace feedrate

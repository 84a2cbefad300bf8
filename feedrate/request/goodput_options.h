// The options of `checkpoint --mtbf`: a run with failures.
#pragma once

#include <string>

#include "feedrate/experiment/goodput.h"
#include "feedrate/options/option_table.h"

namespace feedrate {

class GoodputOptions {
 public:
  void declare(OptionTable& table);
  bool wanted() const { return !mtbf_.empty(); }
  // Fails with kUsage for options that contradict each other.
  Result<> check(bool counts, bool persists, ClockKind clock) const;
  // Returns the run of a job with so many ranks. Fails with kUsage where it has more failures than
  // can be looked at.
  Result<FailingRun> resolve(std::uint64_t ranks) const;

 private:
  std::string mtbf_, time_, restart_time_;
};

}  // namespace feedrate

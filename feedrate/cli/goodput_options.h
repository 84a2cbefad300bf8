// `checkpoint --mtbf`: a run that fails.
#pragma once

#include <stop_token>
#include <string>

#include "feedrate/checkpoint/goodput_run.h"
#include "feedrate/cli/option_table.h"
#include "feedrate/result/checkpoint_result.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

class GoodputOptions {
 public:
  void declare(OptionTable& table);
  bool wanted() const { return !mtbf_.empty(); }
  // kUsage for what does not go together.
  Result<> check(bool counts, bool persists, ClockKind clock) const;
  // Writes a checkpoint to know what one costs, then runs until --time. `job.between` is the
  // interval; 0: the best one by the closed form. Fills the result's passes and goodput.
  Result<CheckpointWriteSummary> run(const GoodputSetting& setting, CheckpointWriteJob job,
                                     bool moves_data, const std::stop_token& stop,
                                     GoodputResult& result) const;

 private:
  Result<> resolve_times(GoodputJob& course) const;

  std::string mtbf_, time_, restart_time_;
};

}  // namespace feedrate

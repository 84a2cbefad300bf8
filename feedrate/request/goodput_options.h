// The options of `checkpoint --mtbf`: a run with failures.
#pragma once

#include <stop_token>
#include <string>

#include "feedrate/checkpoint/goodput_run.h"
#include "feedrate/options/option_table.h"
#include "feedrate/result/checkpoint_result.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

class GoodputOptions {
 public:
  void declare(OptionTable& table);
  bool wanted() const { return !mtbf_.empty(); }
  // Fails with kUsage for options that contradict each other.
  Result<> check(bool counts, bool persists, ClockKind clock) const;
  // Writes one checkpoint to learn what it costs, then runs until --time. `job.between` is the
  // interval; 0 stands for the best one by the closed form. Fills the passes and the goodput of the
  // result.
  Result<CheckpointWriteSummary> run(const GoodputSetting& setting, CheckpointWriteJob job,
                                     bool moves_data, const std::stop_token& stop,
                                     GoodputResult& result) const;

 private:
  Result<> resolve_times(GoodputJob& course) const;

  std::string mtbf_, time_, restart_time_;
};

}  // namespace feedrate

// Tells on stderr, while it lasts, that a read (or another call) does not come back.
#pragma once

#include <stop_token>
#include <thread>

#include "feedrate/cli/command.h"
#include "feedrate/experiment/training.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

class StuckReporter {
 public:
  // Also with --quiet: who waits for nothing wants to know. `group` must outlive this. Where there
  // are only reads, `stop` may end the process, with status 130: when it has been asked for and
  // what is stuck holds up the run all the same, such as a call that does not leave the kernel.
  explicit StuckReporter(const ReactorGroup& group, std::stop_token stop = {});
  StuckReporter(const StuckReporter&) = delete;

 private:
  std::jthread thread_;
};

// Hooks of an experiment: its stop is the command's, and what is stuck is told. `only_reads`: a
// stop may end the process.
RunHooks watched(const CommandContext& context, bool only_reads);

}  // namespace feedrate

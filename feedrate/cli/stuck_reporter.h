// Tells on stderr that a read, or another call, does not come back, as long as that lasts.
#pragma once

#include <stop_token>
#include <thread>

#include "feedrate/experiment/training.h"
#include "feedrate/options/command.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

class StuckReporter {
 public:
  // Prints also with --quiet, since whoever waits in vain wants to know. `group` must outlive this.
  // Where there are only reads, `stop` may be given: it lets the process end with status 130 when a
  // stop was asked for and a stuck call holds up the run all the same, such as one that does not
  // leave the kernel.
  explicit StuckReporter(const ReactorGroup& group, std::stop_token stop = {});
  StuckReporter(const StuckReporter&) = delete;

 private:
  std::jthread thread_;
};

// Returns hooks for an experiment that stops when the command does and tells of calls that are
// stuck. With `only_reads` a stop may end the process.
RunHooks watched(const CommandContext& context, bool only_reads);

}  // namespace feedrate

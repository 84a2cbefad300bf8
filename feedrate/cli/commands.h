// The verbs that feedrate has.
#pragma once

#include <memory>

#include "feedrate/experiment/together.h"
#include "feedrate/options/command.h"

namespace feedrate {

// A verb whose work can run as a job beside another.
class JobCommand : public Command {
 public:
  // Called instead of run() for such a job: returns it.
  virtual Result<JobSetup> beside(const CommandContext& context) = 0;
};

// Returns all verbs, in the order of the help screen. No other code lists them.
Verbs commands();

std::unique_ptr<Command> make_workloads_command();
std::unique_ptr<Command> make_show_command();
std::unique_ptr<Command> make_datagen_command();
std::unique_ptr<Command> make_doctor_command();
std::unique_ptr<Command> make_drop_caches_command();
std::unique_ptr<Command> make_train_command();
std::unique_ptr<Command> make_find_command();
std::unique_ptr<Command> make_plan_command();
std::unique_ptr<Command> make_checkpoint_command();
std::unique_ptr<Command> make_restore_command();
std::unique_ptr<Command> make_compact_command();
std::unique_ptr<Command> make_load_command();

}  // namespace feedrate

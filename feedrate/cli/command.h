// The verbs of the program. Each has a name, a summary of one line, two examples, its options and
// its work.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

class OptionTable;
struct JobSetup;

struct CommandContext {
  std::stop_token stop;
  bool quiet = false;  // No progress is printed on stderr.
  bool help = false;   // Help was asked for; main() prints it before a verb does its work.
  // Words that change a DLIO file: "++workload.train.epochs=3".
  std::vector<std::string> overrides;
  std::map<std::string, std::string> requested;  // The settings that were given, by option.
  std::map<std::string, std::string> settings;   // The settings that hold (cli/settings.h).
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
};

class Command {
 public:
  virtual ~Command() = default;
  // Adds the options of the verb to `table`, which outlives the command's work; values land in the
  // command.
  virtual void declare(OptionTable& table) = 0;
  // Does the work: it prints results to stdout and all else to stderr. Returns the exit status, or
  // an error for main() to print.
  virtual Result<int> run(const CommandContext& context) = 0;
  // Called instead of run() for a job that runs beside another: returns the job. Only train and
  // checkpoint have it.
  virtual Result<JobSetup> beside(const CommandContext& context);
};

struct CommandEntry {
  std::string_view name;
  std::string_view summary;   // One line.
  std::string_view examples;  // Shown first in the verb's --help; they work when pasted.
  std::function<std::unique_ptr<Command>()> make;
};

// Returns all verbs, in the order of the help screen. No other code lists them.
std::span<const CommandEntry> commands();

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

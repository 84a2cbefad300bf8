// A verb of the program: a name, one line, when to use it, two examples, its options and its work.
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
  bool quiet = false;                  // no progress on stderr
  bool help = false;                   // asked for: main() answers before a verb does its work
  std::vector<std::string> overrides;  // "++workload.train.epochs=3": words for a DLIO file
  std::map<std::string, std::string> requested;  // the settings that were given, by option
  std::map<std::string, std::string> settings;   // and those that hold, see cli/settings.h
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
};

class Command {
 public:
  virtual ~Command() = default;
  // Adds the options of the verb to `table`, which outlives the command's work; values land in the
  // command.
  virtual void declare(OptionTable& table) = 0;
  // Does the work: results to stdout, all else to stderr. The exit status, or an error to print.
  virtual Result<int> run(const CommandContext& context) = 0;
  // Instead of run(): the job, for one that runs beside another. Only of verbs that are such.
  virtual Result<JobSetup> beside(const CommandContext& context);
};

struct CommandEntry {
  std::string_view name;
  std::string_view summary;   // one line
  std::string_view examples;  // shown first in the verb's --help; they work when pasted
  std::function<std::unique_ptr<Command>()> make;
};

// All verbs, in the order of the help screen. The only place that names them.
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

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

struct CommandContext {
  std::stop_token stop;
  bool quiet = false;  // No progress is printed on stderr.
  bool help = false;   // Help was asked for; main() prints it before a verb does its work.
  // Words that change a DLIO file: "++workload.train.epochs=3".
  std::vector<std::string> overrides;
  std::vector<std::string> words;                // Those of the command line, after the verb.
  std::map<std::string, std::string> requested;  // The settings that were given, by option.
  std::map<std::string, std::string> settings;   // The settings that hold (options/settings.h).
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
};

struct CommandEntry {
  std::string_view name;
  std::string_view summary;   // One line.
  std::string_view examples;  // Shown first in the verb's --help; they work when pasted.
  std::function<std::unique_ptr<Command>()> make;
};

// All verbs of a program, in the order of the help screen.
using Verbs = std::span<const CommandEntry>;

}  // namespace feedrate

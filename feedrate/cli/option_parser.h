// Reads the words of a verb into its table, and says what is wrong with them in plain words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "feedrate/cli/command.h"
#include "feedrate/cli/option_table.h"

namespace feedrate {

// The table of a verb: what the command itself declares, then what every verb has. The values land
// in `command` and `context`, which stay where they are while the table is in use.
OptionTable declare_verb(Command& command, CommandContext& context);

// A verb's table, for as long as it is looked at.
struct VerbTable {
  explicit VerbTable(const CommandEntry& verb)
      : command(verb.make()), table(declare_verb(*command, context)) {}
  std::unique_ptr<Command> command;
  CommandContext context;
  OptionTable table;
};

// Fills the table and the places that its values go to. kUsage for everything that is wrong with
// the words alone.
Result<> parse_options(const CommandEntry& verb, const std::vector<std::string>& words,
                       OptionTable& table);

}  // namespace feedrate

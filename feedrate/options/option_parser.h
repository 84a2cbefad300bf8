// Reads the words of a verb into its table, and says what is wrong with them in plain words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "feedrate/options/command.h"
#include "feedrate/options/option_table.h"

namespace feedrate {

// Returns the table of a verb: the options that the command itself declares, then those that every
// verb has. Values land in `command` and `context`, which must not move while the table is in use.
OptionTable declare_verb(Command& command, CommandContext& context);

// Holds a verb's table together with the command and the context that it points into.
struct VerbTable {
  explicit VerbTable(const CommandEntry& verb)
      : command(verb.make()), table(declare_verb(*command, context)) {}
  std::unique_ptr<Command> command;
  CommandContext context;
  OptionTable table;
};

// Fills the table and the places that its values go to. Fails with kUsage for everything that is
// wrong with the words alone; `all` are the verbs that may have the option that this one lacks.
Result<> parse_options(Verbs all, const CommandEntry& verb, const std::vector<std::string>& words,
                       OptionTable& table);

}  // namespace feedrate

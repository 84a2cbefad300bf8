#include "feedrate/cli/document.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/cli/command.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

struct Option {
  std::vector<std::string> names;  // "--accelerators", "-n"; empty: an argument without a dash
  std::string argument;            // what an argument without a dash is called
  std::string group, help;
  bool takes_value = true;
};

std::vector<Option> options_of(const CommandEntry& entry) {
  CLI::App app;
  app.set_help_flag();
  const std::unique_ptr<Command> command = entry.make();
  command->declare(app);
  bool flag = false;
  app.add_flag("--quiet", flag, "no progress on stderr");
  app.add_flag("-h,--help", flag, "this help");
  std::vector<Option> options;
  for (const CLI::Option* option : app.get_options()) {
    Option found;
    for (const std::string& name : option->get_snames()) found.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) found.names.push_back("--" + name);
    if (found.names.empty()) found.argument = option->get_name(true);
    found.group = option->get_group();
    found.help = option->get_description();
    found.takes_value = option->get_expected_max() != 0;
    options.push_back(std::move(found));
  }
  return options;
}

// Text as roff wants it: dashes and backslashes escaped, no line that starts a request.
std::string roff(std::string_view text) {
  std::string escaped;
  bool line_starts = true;
  for (const char c : text) {
    if (line_starts && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '-')
      escaped += "\\-";
    else if (c == '\\')
      escaped += "\\e";
    else
      escaped += c;
    line_starts = c == '\n';
  }
  return escaped;
}

std::string man_option(const Option& option) {
  std::string head = option.names.empty() ? fmt::format("\\fI{}\\fR", roff(option.argument)) : "";
  for (const std::string& name : option.names)
    head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", roff(name));
  if (!option.names.empty() && option.takes_value) head += " \\fIVALUE\\fR";
  return fmt::format(".TP\n{}\n{}\n", head, roff(option.help));
}

// The options in the order of --help: arguments first, then group by group.
std::string man_options(const std::vector<Option>& options) {
  std::string page;
  std::vector<std::string> groups;
  for (const Option& option : options) {
    if (option.names.empty())
      page += man_option(option);
    else if (std::ranges::find(groups, option.group) == groups.end())
      groups.push_back(option.group);
  }
  for (const std::string& group : groups) {
    if (groups.size() > 1) page += fmt::format(".PP\n{}:\n", roff(group));
    for (const Option& option : options)
      if (!option.names.empty() && option.group == group) page += man_option(option);
  }
  return page;
}

constexpr std::string_view kManEnd = R"(.SH FILES
.TP
.I feedrate.json
what a data set consists of. Directories with this file are data sets of
.BR feedrate ;
it writes into no others, unless they are empty.
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
the answer of
.B find \-\-at\-least
is no: so many accelerators starve
.TP
.B 2
an option or a file that was given is wrong
.TP
.B 3
the host lacks something
.TP
.B 4
the run is INVALID: its figures must not be used
.TP
.B 5
.B find
could not tell: its
.B \-\-at\-least
is undecided, or nothing could be measured
.TP
.B 130
interrupted; partial results were printed
)";

constexpr std::string_view kCompletion =
    R"(# bash completion of feedrate, made from its option tables
_feedrate() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local verbs="@VERBS@" workloads="@WORKLOADS@" options="" values="" has_workload=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$word")
    return
  fi
  # values: the options that take one; has_workload: the verb's first argument is a workload.
  case ${COMP_WORDS[1]} in
@CASES@  esac
  # Where nothing is offered, bash offers files.
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    return
  fi
  [[ -z $has_workload || $before == "=" || $word == "=" || " $values " == *" $before "* ]] && return
  local given
  for given in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
    [[ " $workloads " == *" $given "* || $given == *.yaml ]] && return
  done
  mapfile -t COMPREPLY < <(compgen -W "$workloads" -- "$word")
}
complete -o default -F _feedrate feedrate
)";

std::string completion_case(const CommandEntry& entry) {
  std::vector<std::string> words;
  std::vector<std::string> values;
  bool has_workload = false;
  for (const Option& option : options_of(entry)) {
    has_workload |= option.argument == "workload";
    words.insert(words.end(), option.names.begin(), option.names.end());
    if (option.takes_value) values.insert(values.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("    {})\n      options=\"{}\"\n      values=\"{}\" has_workload={} ;;\n",
                     entry.name, join(words, " "), join(values, " "), has_workload ? "yes" : "");
}

std::string replaced(std::string text, std::string_view name, std::string_view value) {
  const std::size_t at = text.find(name);
  FEEDRATE_ASSERT(at != std::string::npos);
  return text.replace(at, name.size(), value);
}

}  // namespace

std::string man_page() {
  std::string page = fmt::format(
      ".TH FEEDRATE 1 \"\" \"feedrate {}\" \"User Commands\"\n"
      ".SH NAME\nfeedrate \\- {}\n"
      ".SH SYNOPSIS\n.B feedrate\n.I VERB\n.RI [ options ]\n"
      ".SH DESCRIPTION\n"
      "Measures, on the storage of this host, how many accelerators of a deep\\-learning\n"
      "training job it can keep fed, and names what limits it.\n"
      "No result of it is an MLPerf result.\n"
      ".SH VERBS\n",
      FEEDRATE_VERSION, roff(commands().front().summary));
  for (const CommandEntry& entry : commands())
    page += fmt::format(".SS {}\n{}.\n.PP\n.nf\n{}.fi\n{}", entry.name, roff(entry.summary),
                        roff(entry.examples), man_options(options_of(entry)));
  return page + std::string(kManEnd);
}

std::string bash_completion() {
  std::vector<std::string> verbs;
  std::string cases;
  for (const CommandEntry& entry : commands()) {
    verbs.emplace_back(entry.name);
    cases += completion_case(entry);
  }
  std::string text = replaced(std::string(kCompletion), "@VERBS@", join(verbs, " "));
  text = replaced(std::move(text), "@WORKLOADS@", join(catalogue_names(), " "));
  return replaced(std::move(text), "@CASES@", cases);
}

}  // namespace feedrate

#include "feedrate/cli/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "feedrate/base/text.h"
#include "feedrate/cli/command.h"
#include "feedrate/cli/help.h"
#include "feedrate/cli/option_parser.h"
#include "feedrate/workload/inference_shape.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

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

// "1 to 1024"; words stand in the heading already.
std::string_view range_of(const OptionEntry& entry) {
  const bool shown =
      entry.row().type == OptionType::kWords || entry.row().type == OptionType::kText;
  return shown ? std::string_view() : entry.row().among;
}

std::string man_option(const OptionTable& table, const OptionEntry& entry) {
  std::string head = entry.by_place() ? fmt::format("\\fI{}\\fR", roff(entry.key())) : "";
  for (const std::string& name : entry.names())
    head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", roff(name));
  if (!entry.by_place() && !entry.is_flag())
    head += fmt::format(" \\fI{}\\fR", roff(entry.value_shape()));
  std::string text = roff(option_sentence(table, entry)) + ".\n";
  if (!range_of(entry).empty()) text += fmt::format("Allowed: {}.\n", roff(range_of(entry)));
  if (!entry.row().usual.empty()) text += fmt::format("Default: {}.\n", roff(entry.row().usual));
  return fmt::format(".TP\n{}\n{}", head, text);
}

// The options in the order of --help: arguments first, then group by group.
std::string man_options(const OptionTable& table) {
  std::string page;
  for (const OptionEntry& entry : table.entries())
    if (entry.by_place()) page += man_option(table, entry);
  std::vector<std::string> groups = table.groups();
  groups.insert(groups.begin(), "");
  for (const std::string& group : groups) {
    if (!group.empty()) page += fmt::format(".PP\n{}:\n", roff(group));
    for (const OptionEntry& entry : table.entries())
      if (!entry.by_place() && entry.group() == group) page += man_option(table, entry);
  }
  return page;
}

// A verb's table, for as long as it is looked at.
struct VerbTable {
  explicit VerbTable(const CommandEntry& verb)
      : command(verb.make()), table(declare_verb(*command, context)) {}
  std::unique_ptr<Command> command;
  CommandContext context;
  OptionTable table;
};

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
is no: so many accelerators are not fed
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
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
  local verbs="@VERBS@" workloads="@WORKLOADS@" models="@MODELS@" jobs="@JOBS@"
  local options="" values="" names="" many="" choices="" directory=""
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 || ${COMP_WORDS[1]} == help ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$verbs help --help --version" -- "$word")
    return
  fi
  # Bash makes three words of "--io=direct".
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $option == "=" ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  # values: the options that take one; names: what the first argument may be; many: it may be
  # repeated; choices: the words that the option before takes; directory: it takes one.
  case ${COMP_WORDS[1]} in
@CASES@  esac
  if [[ -n $choices ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
  elif [[ -n $directory ]]; then
    compopt -o filenames 2>/dev/null || true  # no completion is going on in a test
    mapfile -t COMPREPLY < <(compgen -d -- "$word")
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ -n $names && " $values " != *" $option "* ]]; then
    local given
    for given in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
      [[ -z $many && (" $names " == *" $given "* || $given == *.yaml) ]] && return
    done
    mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
  fi  # Where nothing is offered, bash offers files.
}
complete -o default -F _feedrate feedrate
)";

// What completes the first argument, as a word of the script; "" where a path does.
std::string_view names_variable(const OptionTable& table) {
  for (const OptionEntry& entry : table.entries()) {
    if (!entry.by_place()) continue;
    if (entry.row().type == OptionType::kModel) return "$models";
    if (entry.row().type != OptionType::kWorkload) return "";
    return entry.repeats() ? "$jobs" : "$workloads";
  }
  return "";
}

// The words that can stand behind an option. Of "posix|null|model:FILE" the last is none.
std::string choices_of(const OptionEntry& entry) {
  if (entry.row().type == OptionType::kModel) return "$models";
  if (entry.row().among.find('|') == std::string_view::npos) return "";
  std::vector<std::string> words = split(entry.row().among, '|');
  std::erase_if(words, [](const std::string& word) {
    return std::ranges::any_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
  });
  return join(words, " ");
}

std::string completion_case(const CommandEntry& verb) {
  const VerbTable declared(verb);
  std::vector<std::string> names, values;
  std::string choices;
  bool many = false;
  for (const OptionEntry& entry : declared.table.entries()) {
    many |= entry.by_place() && entry.repeats();
    names.insert(names.end(), entry.names().begin(), entry.names().end());
    if (entry.by_place() || entry.is_flag()) continue;
    values.insert(values.end(), entry.names().begin(), entry.names().end());
    const std::string words = choices_of(entry);
    if (!words.empty())
      choices += fmt::format("        {}) choices=\"{}\" ;;\n", join(entry.names(), "|"), words);
    if (entry.row().type == OptionType::kDirectory)
      choices += fmt::format("        {}) directory=yes ;;\n", join(entry.names(), "|"));
  }
  return fmt::format(
      "    {})\n      options=\"{}\"\n      values=\"{}\" names=\"{}\" many={}\n"
      "      case $option in\n{}      esac ;;\n",
      verb.name, join(names, " "), join(values, " "), names_variable(declared.table),
      many ? "yes" : "", choices);
}

constexpr std::string_view kPageBegin = R"(# Options

Every option of every verb, generated from the tables of the program by `tools/generated_docs.sh`;
a test compares. `feedrate VERB --help`, the man page and the completion of bash come from the same
tables.

| written as | what it is | examples |
| --- | --- | --- |
| `N` | a number; of parameters with a letter, too | `8`, `70B` |
| `SHARE` | a fraction | `0.9`, `90%` |
| `SIZE` | bytes | `4MiB`, `20GB`; of a data set `1%` of its published size, too |
| `RATE` | bytes a second | `500MB/s` |
| `TIME` | a duration; without a unit: seconds | `250ms`, `5m`, `30d` |
| `DIR`, `FILE` | a path | `./feedrate-data` |
| `a\|b` | one of these words | |

An option that would have no effect, as things are, is an error that says why.
)";

// "find out" becomes "Find out".
std::string sentence(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z')
    result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

// A cell of a table in Markdown.
std::string cell(std::string_view text, bool as_code = false) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return as_code && !escaped.empty() ? fmt::format("`{}`", escaped) : escaped;
}

// The arguments of a verb, or the options of one group of it.
std::string page_rows(const OptionTable& table, std::string_view group, bool arguments) {
  std::string page;
  for (const OptionEntry& entry : table.entries()) {
    if (entry.by_place() != arguments || (!arguments && entry.group() != group)) continue;
    std::string name = entry.by_place() ? entry.key() : join(entry.names(), ", ");
    if (!entry.by_place() && !entry.is_flag()) name += " " + entry.value_shape();
    page += fmt::format("| {} | {} | {} | {} |\n", cell(name, true), cell(entry.row().usual),
                        cell(range_of(entry)), cell(sentence(option_sentence(table, entry))));
  }
  if (page.empty()) return page;
  const std::string_view title = arguments ? "argument" : group.empty() ? "option" : group;
  return fmt::format("\n| {} | default | allowed | what it does |\n| --- | --- | --- | --- |\n{}",
                     title, page);
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
                        roff(entry.examples), man_options(VerbTable(entry).table));
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
  text = replaced(std::move(text), "@MODELS@", join(model_names(), " "));
  std::set<std::string> jobs;  // what a plan can be of
  for (const std::vector<std::string>& names :
       {catalogue_names(), model_names(), inference_names()})
    jobs.insert(names.begin(), names.end());
  text = replaced(std::move(text), "@JOBS@", join(std::vector(jobs.begin(), jobs.end()), " "));
  return replaced(std::move(text), "@CASES@", cases);
}

std::string options_page() {
  std::string page(kPageBegin);
  for (const CommandEntry& verb : commands()) {
    const VerbTable declared(verb);
    page += fmt::format("\n## {0}\n{1}.\n\n    {2}\n", verb.name, sentence(verb.summary),
                        usage_line(verb, declared.table));
    page += page_rows(declared.table, "", true);
    page += page_rows(declared.table, "", false);
    for (const std::string& group : declared.table.groups())
      page += page_rows(declared.table, group, false);
  }
  return page;
}

std::string option_list() {
  std::string list;
  for (const CommandEntry& verb : commands()) {
    const VerbTable declared(verb);
    for (const OptionEntry& entry : declared.table.entries())
      list += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", verb.name, entry.shown_name(),
                          to_string(entry.row().type), entry.row().usual, entry.row().among,
                          join(entry.beside(), " or "));
  }
  return list;
}

}  // namespace feedrate

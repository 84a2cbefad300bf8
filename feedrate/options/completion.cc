#include "feedrate/options/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "feedrate/base/text.h"
#include "feedrate/options/help.h"
#include "feedrate/options/option_parser.h"
#include "feedrate/workload/inference_shape.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

std::string replaced(std::string text, std::string_view name, std::string_view value) {
  const std::size_t at = text.find(name);
  FEEDRATE_ASSERT(at != std::string::npos);
  return text.replace(at, name.size(), value);
}

// Returns the names that a plan takes as jobs.
std::vector<std::string> job_names() {
  std::set<std::string> jobs;
  for (const std::vector<std::string>& names :
       {catalogue_names(), model_names(), inference_names()})
    jobs.insert(names.begin(), names.end());
  return {jobs.begin(), jobs.end()};
}

// Returns the words that can follow an option. The last of "posix|null|model:FILE" is no word,
// since its file is missing.
std::vector<std::string> words_of(const OptionEntry& entry) {
  if (entry.row().among.find('|') == std::string_view::npos) return {};
  std::vector<std::string> words = split(entry.row().among, '|');
  std::erase_if(words, [](const std::string& word) {
    return std::ranges::any_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
  });
  return words;
}

// Returns the list of the catalogue's names that can stand there, by its name in the scripts; ""
// where none can.
std::string_view list_of(const OptionEntry& entry) {
  if (entry.row().type == OptionType::kModel) return "models";
  if (entry.row().type != OptionType::kWorkload) return "";
  return entry.repeats() ? "jobs" : "workloads";
}

std::string with_lists(std::string text) {
  text = replaced(std::move(text), "@WORKLOADS@", join(catalogue_names(), " "));
  text = replaced(std::move(text), "@MODELS@", join(model_names(), " "));
  return replaced(std::move(text), "@JOBS@", join(job_names(), " "));
}

// ---- bash --------------------------------------------------------------------------------------

constexpr std::string_view kBash =
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

// Returns the script's variable of names that complete the first argument; "" where paths do.
std::string names_variable(const OptionTable& table) {
  for (const OptionEntry& entry : table.entries())
    if (entry.by_place()) return list_of(entry).empty() ? "" : fmt::format("${}", list_of(entry));
  return "";
}

std::string bash_choices(const OptionEntry& entry) {
  return list_of(entry).empty() ? join(words_of(entry), " ") : fmt::format("${}", list_of(entry));
}

std::string bash_case(const CommandEntry& verb) {
  const VerbTable declared(verb);
  std::vector<std::string> names, values;
  std::string choices;
  bool many = false;
  for (const OptionEntry& entry : declared.table.entries()) {
    many |= entry.by_place() && entry.repeats();
    names.insert(names.end(), entry.names().begin(), entry.names().end());
    if (entry.by_place() || entry.is_flag()) continue;
    values.insert(values.end(), entry.names().begin(), entry.names().end());
    const std::string words = bash_choices(entry);
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

// ---- zsh ---------------------------------------------------------------------------------------

constexpr std::string_view kZsh = R"(#compdef feedrate
# zsh completion of feedrate, made from its option tables
_feedrate() {
  local -a verbs workloads models jobs
  workloads=(@WORKLOADS@)
  models=(@MODELS@)
  jobs=(@JOBS@)
  verbs=(
@VERBS@    'help:the options of a verb'
  )
  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then
    _describe -t verbs verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
@CASES@  esac
}
_feedrate "$@"
)";

std::string shell_quoted(std::string_view text, std::string_view quote) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string(quote) : std::string(1, c);
  return quoted + "'";
}

// Escapes brackets, colons and backslashes, which have a meaning in the specifications of
// _arguments.
std::string zsh_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_quoted(std::string_view text) { return shell_quoted(text, "'\\''"); }

// Returns what completes a value: words such as "(auto direct)", names of a list or files, folders,
// files, or "" for nothing.
std::string zsh_action(const OptionEntry& entry) {
  if (!list_of(entry).empty()) return fmt::format("{{compadd -a {}; _files}}", list_of(entry));
  if (entry.row().type == OptionType::kDirectory) return "_files -/";
  if (entry.row().type == OptionType::kFile) return "_files";
  const std::vector<std::string> words = words_of(entry);
  return words.empty() ? " " : fmt::format("({})", join(words, " "));
}

std::string zsh_option(const OptionTable& table, const OptionEntry& entry) {
  std::string lines;
  const std::string others = entry.repeats() ? "*" : fmt::format("({})", join(entry.names(), " "));
  for (const std::string& name : entry.names()) {
    std::string line = fmt::format("{}{}", others, name);
    if (!entry.is_flag()) line += name.starts_with("--") ? "=" : "+";
    line += fmt::format("[{}]", zsh_text(option_sentence(table, entry)));
    if (!entry.is_flag())
      line += fmt::format(":{}:{}", zsh_text(entry.value_shape()), zsh_action(entry));
    lines += fmt::format("        {} \\\n", zsh_quoted(line));
  }
  return lines;
}

std::string zsh_case(const CommandEntry& verb) {
  const VerbTable declared(verb);
  std::string lines;
  std::size_t place = 0;
  for (const OptionEntry& entry : declared.table.entries()) {
    if (!entry.by_place()) {
      lines += zsh_option(declared.table, entry);
      continue;
    }
    ++place;
    const std::string where = entry.repeats()    ? "*:"
                              : entry.required() ? fmt::format("{}:", place)
                                                 : fmt::format("{}::", place);
    lines += fmt::format(
        "        {} \\\n",
        zsh_quoted(fmt::format("{}{}:{}", where, zsh_text(entry.key()), zsh_action(entry))));
  }
  return fmt::format("    {})\n      _arguments -s \\\n{}        && return ;;\n", verb.name, lines);
}

// ---- fish --------------------------------------------------------------------------------------

constexpr std::string_view kFish = R"(# fish completion of feedrate, made from its option tables
set -g __feedrate_workloads @WORKLOADS@
set -g __feedrate_models @MODELS@
set -g __feedrate_jobs @JOBS@
complete -c feedrate -f
complete -c feedrate -n __fish_use_subcommand -a help -d 'the options of a verb'
complete -c feedrate -n __fish_use_subcommand -l version -d 'print the version'
complete -c feedrate -n '__fish_seen_subcommand_from help' -a '@VERBS@'
)";

std::string fish_quoted(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '\\' ? "\\\\" : std::string(1, c);
  return shell_quoted(escaped, "\\'");
}

// Returns what completes the value of an option, or an argument at its place.
std::string fish_value(const OptionEntry& entry) {
  if (!list_of(entry).empty()) return fmt::format(" -F -a \"$__feedrate_{}\"", list_of(entry));
  if (entry.row().type == OptionType::kDirectory) return " -f -a '(__fish_complete_directories)'";
  if (entry.row().type == OptionType::kFile) return " -F";
  const std::vector<std::string> words = words_of(entry);
  return words.empty() ? " -f" : fmt::format(" -f -a '{}'", join(words, " "));
}

std::string fish_lines(const CommandEntry& verb) {
  const VerbTable declared(verb);
  const std::string begin =
      fmt::format("complete -c feedrate -n '__fish_seen_subcommand_from {}", verb.name);
  std::string lines = fmt::format("complete -c feedrate -n __fish_use_subcommand -a {} -d {}\n",
                                  verb.name, fish_quoted(verb.summary));
  for (const OptionEntry& entry : declared.table.entries()) {
    if (entry.by_place()) {
      const bool once = !entry.repeats() && !list_of(entry).empty();
      const std::string not_yet =
          once ? fmt::format("; and not __fish_seen_subcommand_from $__feedrate_{}", list_of(entry))
               : "";
      lines += fmt::format("{}{}'{}\n", begin, not_yet, fish_value(entry));
      continue;
    }
    std::string names;
    for (const std::string& name : entry.names())
      names += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                      : fmt::format(" -s {}", name.substr(1));
    lines += fmt::format("{}'{}{} -d {}\n", begin, names,
                         entry.is_flag() ? "" : " -r" + fish_value(entry),
                         fish_quoted(option_sentence(declared.table, entry)));
  }
  return lines;
}

std::string verb_names(Verbs verbs) {
  std::vector<std::string> names;
  for (const CommandEntry& entry : verbs) names.emplace_back(entry.name);
  return join(names, " ");
}

}  // namespace

std::string bash_completion(Verbs verbs) {
  std::string cases;
  for (const CommandEntry& entry : verbs) cases += bash_case(entry);
  std::string text = with_lists(std::string(kBash));
  text = replaced(std::move(text), "@VERBS@", verb_names(verbs));
  return replaced(std::move(text), "@CASES@", cases);
}

std::string zsh_completion(Verbs verbs) {
  std::string names, cases;
  for (const CommandEntry& entry : verbs) {
    names += fmt::format("    {}\n",
                         zsh_quoted(fmt::format("{}:{}", entry.name, zsh_text(entry.summary))));
    cases += zsh_case(entry);
  }
  std::string text = with_lists(std::string(kZsh));
  text = replaced(std::move(text), "@VERBS@", names);
  return replaced(std::move(text), "@CASES@", cases);
}

std::string fish_completion(Verbs verbs) {
  std::string text = with_lists(replaced(std::string(kFish), "@VERBS@", verb_names(verbs)));
  for (const CommandEntry& entry : verbs) text += fish_lines(entry);
  return text;
}

}  // namespace feedrate

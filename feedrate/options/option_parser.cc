#include "feedrate/options/option_parser.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <ranges>

#include "feedrate/base/text.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/storage/place.h"
#include "feedrate/workload/model_shape.h"
#include "feedrate/workload/workload.h"

namespace feedrate {
namespace {

constexpr int kWordsMax = 64;  // The most words of an argument that may be given several times.

// Declares the rows to the parser. Arguments are taken in the order of the rows.
void declare_on(OptionTable& table, CLI::App& app, std::vector<CLI::Option*>& declared) {
  for (OptionEntry& entry : table.entries()) {
    const std::string names = entry.by_place() ? entry.key() : join(entry.names(), ",");
    CLI::Option* option = nullptr;
    if (bool* const* flag = std::get_if<bool*>(&entry.target()))
      option = app.add_flag(names, **flag);
    else if (std::string* const* value = std::get_if<std::string*>(&entry.target()))
      option = app.add_option(names, **value);
    else
      option = app.add_option(names, *std::get<std::vector<std::string>*>(entry.target()));
    // An option takes one value each time, because the word that follows may be an argument.
    if (entry.repeats() && entry.by_place())
      option->expected(1, kWordsMax);
    else if (entry.repeats())
      option->allow_extra_args(false);
    if (entry.required()) option->required();
    declared.push_back(option);
  }
}

std::vector<std::string> long_names(const OptionTable& table) {
  std::vector<std::string> names;
  for (const OptionEntry& entry : table.entries())
    for (const std::string& name : entry.names())
      if (name.starts_with("--")) names.push_back(name);
  return names;
}

std::string verb_name(const CommandEntry& verb) { return fmt::format("feedrate {}", verb.name); }

std::string list_hint(const CommandEntry& verb) {
  return fmt::format("'{} --help' lists the options", verb_name(verb));
}

// Calls visit(verb, table) for each verb, in the order of the overview.
template <class Visit>
void for_each_verb(Verbs verbs, Visit visit) {
  for (const CommandEntry& entry : verbs) visit(entry, VerbTable(entry).table);
}

// Names that other tools have for what an option of ours means, for hints only. Where an option has
// several of our names, a verb has one of them.
struct Foreign {
  std::string_view name, ours;
};
constexpr Foreign kForeign[] = {
    {"--gpus", "--accelerators"},
    {"--gpus", "--ranks"},
    {"--gpus", "--at-least"},
    {"--num-gpus", "--accelerators"},
    {"--num-gpus", "--ranks"},
    {"--num-gpus", "--at-least"},
    {"--num-accelerators", "--accelerators"},
    {"--num-accelerators", "--ranks"},
    {"--num-accelerators", "--at-least"},
    {"--nproc", "--accelerators"},
    {"--nproc", "--ranks"},
    {"--nproc", "--at-least"},
    {"--nproc-per-node", "--accelerators"},
    {"--nproc-per-node", "--ranks"},
    {"--nproc-per-node", "--at-least"},
    {"--world-size", "--accelerators"},
    {"--world-size", "--ranks"},
    {"--world-size", "--at-least"},
    {"--workers", "--readers"},
    {"--num-workers", "--readers"},
    {"--batch-size", "--batch"},
    {"--bs", "--batch"},
    {"--prefetch-factor", "--prefetch"},
};

// Returns the option of this verb that another tool calls so; null where there is none.
const OptionEntry* meant_by(const OptionTable& table, std::string flag) {
  std::ranges::replace(flag, '_', '-');
  for (const Foreign& foreign : kForeign)
    if (foreign.name == flag)
      if (const OptionEntry* const entry = table.find(foreign.ours)) return entry;
  return nullptr;
}

// Explains an option that this verb does not have: the verb once had it, another tool calls it so,
// another verb has it, or it is a slip of the finger.
std::string unknown_option(Verbs all, const CommandEntry& verb, const OptionTable& table,
                           const std::string& flag) {
  const OptionEntry* meant = meant_by(table, flag);
  for (const OptionEntry& entry : table.entries())
    if (entry.former() == flag) meant = &entry;
  if (meant != nullptr)
    return fmt::format("'{}' has no option {}, did you mean {}: {}?", verb_name(verb), flag,
                       meant->shown_name(), meant->row().help);
  std::vector<std::string> verbs;
  for_each_verb(all, [&](const CommandEntry& other, const OptionTable& options) {
    if (options.find(flag) != nullptr) verbs.push_back(fmt::format("'{}'", verb_name(other)));
  });
  if (!verbs.empty())
    return fmt::format("'{}' has no option {}: it is an option of {}", verb_name(verb), flag,
                       join(verbs, ", "));
  // The verb's own names come first, because the first of several equally near names is suggested.
  std::vector<std::string> known = long_names(table);
  for_each_verb(all, [&](const CommandEntry&, const OptionTable& options) {
    for (std::string& name : long_names(options)) known.push_back(std::move(name));
  });
  const auto nearest = nearest_spelling(flag, known);
  if (!nearest) return fmt::format("unknown option '{}'", flag);
  std::string whose;
  for_each_verb(all, [&](const CommandEntry& other, const OptionTable& options) {
    if (whose.empty() && options.find(*nearest) != nullptr)
      whose = fmt::format(" of '{}'", verb_name(other));
  });
  if (table.find(*nearest) != nullptr) whose.clear();
  return fmt::format("unknown option '{}', did you mean '{}'{}?", flag, *nearest, whose);
}

// Explains a word too many. It may be the value of an option whose name was left out.
std::string unexpected_word(const OptionTable& table, const std::string& word) {
  for (const OptionEntry& entry : table.entries()) {
    const std::vector<std::string> words = entry.words();
    if (std::ranges::find(words, word) != words.end())
      return fmt::format("unexpected argument '{}', did you mean '{}={}'?", word,
                         entry.shown_name(), word);
  }
  return fmt::format("unexpected argument '{}'", word);
}

// Says how `find` is asked about a number of accelerators, which train takes with this flag; "" for
// other verbs. The parser may have taken the number for a directory, so the number is sought where
// it was written.
std::string hint_of_number(const CommandEntry& verb, const std::vector<std::string>& extras,
                           const std::vector<std::string>& words) {
  const auto flag =
      std::ranges::find_if(extras, [](const std::string& extra) { return extra.starts_with("-"); });
  if (verb.name != "find" || flag == extras.end() ||
      !(flag->starts_with("-n") || flag->starts_with("--accelerators")))
    return {};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    std::string number;
    if (word == "-n" || word == "--accelerators")
      number = i + 1 < words.size() ? words[i + 1] : "N";
    else if (word.starts_with("--accelerators="))
      number = word.substr(word.find('=') + 1);
    else if (word.starts_with("-n") && word.find_first_of("0123456789") == 2)
      number = word.substr(2);
    else
      continue;
    if (number.find_first_not_of("0123456789") != std::string::npos) number = "N";
    return fmt::format(
        "find tells how many are fed by itself; --at-least={} asks only whether so many are",
        number);
  }
  return {};
}

// Helps whoever gave two words to a verb that takes a directory alone; "" for other verbs.
std::string hint_of_directory(const CommandEntry& verb, const OptionTable& table) {
  auto places = std::views::filter(table.entries(), &OptionEntry::by_place);
  if (std::ranges::distance(places) != 1 || places.front().repeats() ||
      places.front().row().type != OptionType::kDirectory)
    return {};
  return fmt::format("'{}' takes the directory alone; {}", verb_name(verb), list_hint(verb));
}

Error explain_extras(Verbs all, const CommandEntry& verb, const OptionTable& table,
                     const std::vector<std::string>& extras,
                     const std::vector<std::string>& words) {
  const auto flag =
      std::ranges::find_if(extras, [](const std::string& extra) { return extra.starts_with("-"); });
  const std::string text = flag != extras.end()
                               ? unknown_option(all, verb, table, flag->substr(0, flag->find('=')))
                               : unexpected_word(table, extras.empty() ? "" : extras.front());
  std::string hint =
      flag != extras.end() ? hint_of_number(verb, extras, words) : hint_of_directory(verb, table);
  if (hint.empty()) hint = list_hint(verb);
  return {ErrorKind::kUsage, text, std::move(hint)};
}

// Says in our words what the parser found wrong. Its messages start with the option's name.
Error explain(const CLI::ParseError& problem, const CommandEntry& verb) {
  std::string text = problem.what();
  const std::string name = text.substr(0, text.find(':'));
  const bool mismatch = dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr;
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr)
    text = fmt::format("no {} was given", text.substr(0, text.find(' ')));
  else if (mismatch && text.find("At Most") != std::string::npos)
    text = fmt::format("{}: it was given more than once", name);
  else if (mismatch && text.ends_with("missing"))
    text = fmt::format("{}: a value is missing", name);
  else if (dynamic_cast<const CLI::ConversionError*>(&problem) != nullptr)
    text =
        "an option that is on or off was given another value: " + text.substr(text.find(": ") + 2);
  return {ErrorKind::kUsage, text, list_hint(verb)};
}

// Checks every option for places that no storage knows, because a place may be given in any of
// them; behind "dlio:" and "model:" there is a path, too.
Result<> check_places(const OptionTable& table) {
  for (const OptionEntry& entry : table.entries())
    for (const std::string& value : entry.given)
      for (const std::string_view prefix : {"", "dlio:", "model:"})
        if (value.starts_with(prefix))
          FEEDRATE_CHECK(
              check_place(std::string_view(value).substr(prefix.size()), entry.shown_name()));
  return {};
}

// Recognises swapped arguments, as in "find ./data resnet50": the second word is what the first
// should be, and the first is neither such a thing nor near enough to one to be a slip of the
// finger.
Result<> check_swapped(const CommandEntry& verb, const OptionTable& table) {
  std::vector<const OptionEntry*> places;
  for (const OptionEntry& entry : table.entries())
    if (entry.by_place()) places.push_back(&entry);
  if (places.size() != 2 || places[0]->given.empty() || places[1]->given.empty()) return {};
  const bool is_model = places[0]->row().type == OptionType::kModel;
  const std::vector<std::string> names = is_model ? model_names() : catalogue_names();
  const std::string &first = places[0]->given.front(), &second = places[1]->given.front();
  std::error_code ignored;
  const auto is_name = [&](const std::string& word) {
    return std::ranges::find(names, word) != names.end() ||
           (word.ends_with(".yaml") && std::filesystem::is_regular_file(word, ignored));
  };
  const bool is_slip = first.find('/') == std::string::npos && nearest_spelling(first, names);
  if (!is_name(second) || is_name(first) || is_slip || first.starts_with("dlio:") ||
      std::filesystem::is_regular_file(first, ignored))
    return {};
  return fail(ErrorKind::kUsage,
              fmt::format("{0}: {1} is no {0}, but '{2}' is one: were the two swapped?",
                          places[0]->key(), quote_path(first), second),
              fmt::format("write '{} {} {}'; a folder of this name is './{}'", verb_name(verb),
                          second, first, second));
}

}  // namespace

OptionTable declare_verb(Command& command, CommandContext& context) {
  OptionTable table;
  command.declare(table);
  table.add("", {{rows::kQuiet, context.quiet}, {rows::kHelp, context.help}});
  return table;
}

// Refuses a value that is itself an option of the verb: the value was forgotten, and the option
// that follows it would go unheard.
static Result<> check_not_an_option(const CommandEntry& verb, const OptionTable& table) {
  for (const OptionEntry& entry : table.entries())
    for (const std::string& value : entry.given)
      if (!entry.by_place() && value.starts_with("--") && table.find(value) != nullptr)
        return fail(
            ErrorKind::kUsage,
            fmt::format("{}: a value is missing: {} is an option", entry.shown_name(), value),
            fmt::format("write the value first; a file of that name is ./{}; {}", value,
                        list_hint(verb)));
  return {};
}

Result<> parse_options(Verbs all, const CommandEntry& verb, const std::vector<std::string>& words,
                       OptionTable& table) {
  CLI::App app("", verb_name(verb));
  app.set_help_flag();
  std::vector<CLI::Option*> declared;
  declare_on(table, app, declared);
  // The parser takes the words in reverse order.
  std::vector<std::string> backwards(words.rbegin(), words.rend());
  try {
    app.parse(backwards);
  } catch (const CLI::ExtrasError&) {
    return fail(explain_extras(all, verb, table, app.remaining(), words));
  } catch (const CLI::ParseError& problem) {
    return fail(explain(problem, verb));
  }
  for (std::size_t i = 0; i < declared.size(); ++i) {
    OptionEntry& entry = table.entries()[i];
    if (declared[i]->count() == 0) continue;
    entry.given = entry.is_flag() ? std::vector<std::string>{""} : declared[i]->results();
  }
  FEEDRATE_CHECK(check_not_an_option(verb, table));
  FEEDRATE_CHECK(check_places(table));
  FEEDRATE_CHECK(check_swapped(verb, table));
  return check_given(table);
}

}  // namespace feedrate

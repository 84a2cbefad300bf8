#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>
#include <system_error>

#include "feedrate/base/text.h"
#include "feedrate/cli/command.h"
#include "feedrate/cli/help.h"
#include "feedrate/cli/interrupt.h"
#include "feedrate/cli/output.h"
#include "feedrate/runtime/buffers.h"
#include "feedrate/storage/place.h"
#include "feedrate/workload/dlio.h"

namespace feedrate {
namespace {

constexpr std::string_view kVersion = FEEDRATE_VERSION;

// The verbs that have this option, as they are called.
std::vector<std::string> verbs_with(const std::string& flag) {
  std::vector<std::string> verbs;
  for (const CommandEntry& entry : commands()) {
    CLI::App app;
    const std::unique_ptr<Command> command = entry.make();
    command->declare(app);
    if (app.get_option_no_throw(flag) != nullptr)
      verbs.push_back(fmt::format("'feedrate {}'", entry.name));
  }
  return verbs;
}

// How `find` is told a number of accelerators, as train is with this flag; empty for others. CLI11
// may have taken the number for a directory, so it is sought where it was written.
std::string hint_of_number(const CLI::App& verb, const std::vector<std::string>& words) {
  const std::vector<std::string> extras = verb.remaining();
  const auto flag =
      std::ranges::find_if(extras, [](const std::string& extra) { return extra.starts_with("-"); });
  if (!verb.get_name().ends_with(" find") || flag == extras.end() ||
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
        "find tells how many are kept fed by itself; --at-least={} asks only whether so many are",
        number);
  }
  return {};
}

// What CLI11 could not place: an option of another verb, or with a spelling hint where there is
// one, else a word.
std::string explain_extras(const CLI::App& verb) {
  const std::vector<std::string> extras = verb.remaining();
  std::vector<std::string> known;
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const std::string& extra : extras) {
    if (!extra.starts_with("-")) continue;
    const std::string flag = extra.substr(0, extra.find('='));
    const std::vector<std::string> others = verbs_with(flag);
    if (!others.empty())
      return fmt::format("'{}' has no option {}: it is an option of {}", verb.get_name(), flag,
                         join(others, ", "));
    return fmt::format("unknown option '{}'{}", flag, did_you_mean(flag, known));
  }
  return fmt::format("unexpected argument '{}'", extras.empty() ? "" : extras.front());
}

// What CLI11 found wrong, in our words. Its messages start with the option's name.
Error explain(const CLI::ParseError& problem, const CLI::App& verb,
              const std::vector<std::string>& words) {
  std::string text = problem.what();
  const std::string name = text.substr(0, text.find(':'));
  const bool mismatch = dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr;
  std::string hint = fmt::format("'{} --help' lists the options", verb.get_name());
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    text = explain_extras(verb);
    const std::string number = hint_of_number(verb, words);
    if (!number.empty()) hint = number;
  }
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr)
    text = fmt::format("no {} was given", text.substr(0, text.find(' ')));
  else if (mismatch && text.find("At Most") != std::string::npos)
    text = fmt::format("{}: it was given more than once", name);
  else if (mismatch && text.ends_with("missing"))
    text = fmt::format("{}: a value is missing", name);
  else if (dynamic_cast<const CLI::ConversionError*>(&problem) != nullptr)
    text =
        "an option that is on or off was given another value: " + text.substr(text.find(": ") + 2);
  return {ErrorKind::kUsage, text, hint};
}

int report(const Error& error) {
  std::fputs(error.render().c_str(), stderr);
  return error.exit_code();
}

// Places may stand in every option, so every one is looked at: "dlio:" and "model:" have a path
// behind them.
Result<> check_places(const CLI::App& verb) {
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& result : option->results())
      for (const std::string_view prefix : {"", "dlio:", "model:"})
        if (result.starts_with(prefix))
          FEEDRATE_CHECK(
              check_place(std::string_view(result).substr(prefix.size()),
                          option->get_single_name().size() > 0 && option->get_positional()
                              ? option->get_name(true)
                              : option->get_name()));
  return {};
}

// The settings that were given, by option.
std::map<std::string, std::string> settings_of(const CLI::App& verb,
                                               const std::vector<std::string>& overrides) {
  std::map<std::string, std::string> settings;
  for (const CLI::Option* option : verb.get_options()) {
    const std::string name = option->get_single_name();
    // Where the result goes is no setting.
    if (option->count() == 0 || name == "json" || name == "csv" || name == "quiet") continue;
    if (name == "set") {
      for (const std::string& set : option->results())
        settings["set " + set.substr(0, set.find('='))] = set;
      continue;
    }
    const bool is_flag = option->get_expected_max() == 0;
    settings[name] = is_flag ? "yes" : join(option->results(), " ");
  }
  for (const std::string& word : overrides) settings[word.substr(0, word.find('='))] = word;
  return settings;
}

// Only a verb with a workload has a DLIO file to change.
Result<> check_overrides(const CLI::App& verb, const std::vector<std::string>& overrides) {
  if (overrides.empty() || verb.get_option_no_throw("workload") != nullptr ||
      verb.get_option_no_throw("jobs") != nullptr)
    return {};
  return fail(ErrorKind::kUsage, fmt::format("unexpected argument '{}'", overrides.front()),
              fmt::format("'{} --help' lists the options", verb.get_name()));
}

// Words like "++workload.train.epochs=3" are no arguments of the verb; the others move up.
std::vector<std::string> take_overrides(int& argc, char** argv) {
  std::vector<std::string> overrides;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (is_dlio_override(argv[i]))
      overrides.emplace_back(argv[i]);
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  return overrides;
}

int run_verb(const CommandEntry& entry, int argc, char** argv) {
  CLI::App app(std::string(entry.summary), "feedrate " + std::string(entry.name));
  app.set_help_flag();
  bool help = false;
  CommandContext context;
  app.add_flag("-h,--help", help, "this help");
  const std::unique_ptr<Command> command = entry.make();
  command->declare(app);
  app.add_flag("--quiet", context.quiet, "no progress on stderr");
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "--help" || std::string_view(argv[i]) == "-h") {
      const Result<> printed = print(verb_help(entry, app, help_width()));
      return printed ? 0 : report(printed.error());
    }
  context.overrides = take_overrides(argc, argv);
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return report(explain(problem, app, words));
  }
  for (const Result<>& checked : {check_places(app), check_overrides(app, context.overrides)})
    if (!checked) return report(checked.error());
  try {
    InterruptHandler interrupt(context.quiet);
    context.stop = interrupt.token();
    context.requested = settings_of(app, context.overrides);
    const Result<int> status = command->run(context);
    return status ? *status : report(status.error());
  } catch (const NoBuffers& problem) {
    return report(Error(ErrorKind::kEnvironment,
                        fmt::format("there is no address space for {} of I/O buffers ('ulimit -v' "
                                    "or LimitAS= limits it)",
                                    format_bytes(problem.bytes())),
                        "raise it ('ulimit -v unlimited'), or use a smaller --buffer-memory, where "
                        "the verb has it, or fewer --threads"));
  } catch (const std::system_error& problem) {
    if (problem.code() != std::errc::resource_unavailable_try_again) throw;
    return report(Error(ErrorKind::kEnvironment,
                        fmt::format("this host refused a thread: {}", problem.code().message()),
                        "raise 'ulimit -u' or pids.max (TasksMax=), and 'ulimit -v'"));
  } catch (const std::bad_alloc&) {
    return report(Error(ErrorKind::kEnvironment,
                        "this host has not enough memory for what was asked",
                        "use a smaller --size, fewer files, or fewer accelerators"));
  }
}

// Where a standard stream was closed ("1>&-"), the next file opened would get its number, and what
// is printed would be written into it. A file that cannot be written stands there instead, so that
// printing fails and is an error.
void hold_closed_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream)
    if (fcntl(stream, F_GETFD) < 0) static_cast<void>(open("/dev/null", O_RDONLY));
}

int run(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "--help";
  if (first == "--help" || first == "-h" || first == "help") {
    const Result<> printed = print(overview(help_width()));
    return printed ? 0 : report(printed.error());
  }
  if (first == "--version") {
    const Result<> printed = print(fmt::format("feedrate {}\n", kVersion));
    return printed ? 0 : report(printed.error());
  }
  std::vector<std::string> names;
  for (const CommandEntry& entry : commands()) {
    if (entry.name == first) return run_verb(entry, argc - 1, argv + 1);
    names.emplace_back(entry.name);
  }
  return report(Error(ErrorKind::kUsage,
                      fmt::format("unknown verb '{}'{}", first, did_you_mean(first, names)),
                      "'feedrate' alone lists the verbs"));
}

}  // namespace
}  // namespace feedrate

int main(int argc, char** argv) {
  feedrate::hold_closed_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes is met by print()
  return feedrate::run(argc, argv);
}

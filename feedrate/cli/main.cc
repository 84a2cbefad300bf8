#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>
#include <system_error>

#include "feedrate/base/text.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/interrupt.h"
#include "feedrate/cli/output.h"
#include "feedrate/options/help.h"
#include "feedrate/options/option_parser.h"
#include "feedrate/options/settings.h"
#include "feedrate/options/wrap.h"
#include "feedrate/runtime/buffers.h"
#include "feedrate/workload/dlio.h"

namespace feedrate {
namespace {

constexpr std::string_view kVersion = FEEDRATE_VERSION;

int report(const Error& error) {
  std::fputs(error.render().c_str(), stderr);
  return error.exit_code();
}

// Fails where words change a DLIO file but the verb has no workload that could be one.
Result<> check_overrides(const CommandEntry& verb, const OptionTable& table,
                         const std::vector<std::string>& overrides) {
  if (overrides.empty() || table.find("workload") != nullptr || table.find("job") != nullptr)
    return {};
  return fail(ErrorKind::kUsage, fmt::format("unexpected argument '{}'", overrides.front()),
              fmt::format("'feedrate {} --help' lists the options", verb.name));
}

// Takes out words like "++workload.train.epochs=3", which are no arguments of the verb, and returns
// them.
std::vector<std::string> take_overrides(std::vector<std::string>& words) {
  std::vector<std::string> overrides;
  std::erase_if(words, [&overrides](const std::string& word) {
    if (is_dlio_override(word)) overrides.push_back(word);
    return is_dlio_override(word);
  });
  return overrides;
}

int print_help(const CommandEntry& verb, const OptionTable& table) {
  const Result<> printed = print(verb_help(verb, table, terminal_width()));
  return printed ? 0 : report(printed.error());
}

int run_verb(const CommandEntry& verb, std::vector<std::string> words) {
  CommandContext context;
  const std::unique_ptr<Command> command = verb.make();
  OptionTable table = declare_verb(*command, context);
  // Help comes first, so that it is shown however wrong the other words are.
  for (const std::string& word : words)
    if (word == "--help" || word == "-h") return print_help(verb, table);
  context.words = words;
  context.overrides = take_overrides(words);
  Result<> checked = parse_options(commands(), verb, words, table);
  if (checked) checked = check_overrides(verb, table, context.overrides);
  if (!checked) return report(checked.error());
  try {
    // Made before any thread of the verb, so that all threads inherit the blocked signals.
    InterruptHandler interrupt;
    context.stop = interrupt.token();
    context.requested = settings_given(table, context.overrides);
    context.settings = settings_in_effect(table, context.requested);
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
    if (problem.code() == std::errc::too_many_files_open)
      return report(Error(ErrorKind::kEnvironment,
                          "this process may not open the few files that it needs for itself",
                          "raise the limit with 'ulimit -n 65536'"));
    // Only a thread that the host refused is expected here; anything else is a mistake of ours.
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

// Where a standard stream was closed ("1>&-") the next file that is opened would get its number,
// and what is printed would be written into that file. This opens a file there that cannot be
// written, so that printing fails and is an error.
void hold_closed_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream)
    if (fcntl(stream, F_GETFD) < 0) static_cast<void>(open("/dev/null", O_RDONLY));
}

int run_words(const std::vector<std::string>& words) {
  std::string first = words.empty() ? "help" : words.front();
  std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (first == "--version") {
    const Result<> printed = print(fmt::format("feedrate {}\n", kVersion));
    return printed ? 0 : report(printed.error());
  }
  const bool asks_help = first == "--help" || first == "-h" || first == "help";
  if (asks_help && (rest.empty() || rest.front().starts_with('-'))) {
    const Result<> printed = print(overview(commands(), terminal_width()));
    return printed ? 0 : report(printed.error());
  }
  if (asks_help) {  // The words "help find" mean "find --help".
    first = rest.front();
    rest = {"--help"};
  }
  std::vector<std::string> names;
  for (const CommandEntry& verb : commands()) {
    if (verb.name == first) return run_verb(verb, std::move(rest));
    names.emplace_back(verb.name);
  }
  return report(Error(ErrorKind::kUsage,
                      fmt::format("unknown verb '{}'{}", first, did_you_mean(first, names)),
                      "'feedrate' alone lists the verbs"));
}

}  // namespace
}  // namespace feedrate

int main(int argc, char** argv) {
  feedrate::hold_closed_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // A limit on file sizes is an error of the write that meets it.
  std::signal(SIGPIPE, SIG_IGN);  // print() handles a reader that has gone.
  return feedrate::run_words(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}

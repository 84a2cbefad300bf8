#include "feedrate/cli/beside.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "feedrate/base/text.h"
#include "feedrate/cli/commands.h"
#include "feedrate/options/command_line.h"
#include "feedrate/options/option_parser.h"

namespace feedrate {
namespace {

constexpr std::string_view kFlag = "--with";

Result<JobSetup> resolve_one(const std::string& line, const CommandContext& outer) {
  FEEDRATE_TRY(std::vector<std::string> words, split_words(line, kFlag));
  const std::string name = words.empty() ? "" : words.front();
  const auto verb = std::ranges::find(commands(), name, &CommandEntry::name);
  const std::array<std::string, 2> known{"train", "checkpoint"};
  if (verb == commands().end() || std::ranges::find(known, name) == known.end())
    return fail(
        ErrorKind::kUsage,
        fmt::format("'{}' is no job that runs beside another{}", name, did_you_mean(name, known)),
        "begin with train or checkpoint, as in --with='checkpoint llama3-8b DIR --every=5m'");
  words.erase(words.begin());
  CommandContext context;
  context.stop = outer.stop;
  context.quiet = outer.quiet;
  const std::unique_ptr<Command> command = verb->make();
  OptionTable table = declare_verb(*command, context);
  FEEDRATE_CHECK(parse_options(commands(), *verb, words, table));
  if (table.given("--json"))
    return fail(ErrorKind::kUsage, "--json: all jobs are in one result",
                "give --json to the first job");
  for (const char* const shared : {"--threads", "--io-engine"})
    if (table.given(shared))
      return fail(ErrorKind::kUsage,
                  fmt::format("{}: all jobs run on the reactors of the first one", shared),
                  "give it to the first job");
  FEEDRATE_TRY(JobSetup setup, dynamic_cast<JobCommand&>(*command).beside(context));
  setup.words = line;
  return setup;
}

}  // namespace

Result<std::vector<JobSetup>> resolve_beside(const std::vector<std::string>& lines,
                                             const CommandContext& context) {
  std::vector<JobSetup> jobs;
  for (const std::string& line : lines) {
    Result<JobSetup> job = resolve_one(line, context);
    if (!job) return fail(job.error().with_context(fmt::format("{} '{}'", kFlag, line)));
    jobs.push_back(std::move(*job));
  }
  return jobs;
}

}  // namespace feedrate

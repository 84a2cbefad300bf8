#include "feedrate/cli/commands.h"
#include "feedrate/cli/dataset_progress.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/report.h"
#include "feedrate/cli/search_progress.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/request/find_request.h"
#include "feedrate/request/run_checks.h"

namespace feedrate {
namespace {

constexpr int kFails = 1, kUndecided = 5, kInterrupted = 130;

int exit_status(const FindReport& report) {
  if (report.interrupted) return kInterrupted;
  const FindResult& first = report.searches.front();
  if (first.answer == "fail") return kFails;
  // A script must not take a search that could tell nothing for an answer.
  return first.answer == "undecided" || !first.measured ? kUndecided : 0;
}

class FindCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    options_.declare(table, kSearchedLoader);
    limits_.declare(table);
    dataset_.declare(table, "4GiB, or published where it is described");
  }

  Result<int> run(const CommandContext& given) override {
    CommandContext context = given;
    FindSetup setup;
    setup.wall = monotonic_now;
    setup.begin = setup.wall();
    FEEDRATE_TRY(const ResultTarget json,
                 ResultTarget::open(options_.json, "--json", context.stop));
    FEEDRATE_CHECK(resolve(context, setup));
    Reported<FindReport> outcome = find(setup, {watched(context, true), [&](ClientKind client) {
                                                  return search_progress(context.quiet, client);
                                                }});
    if (!outcome.ended)
      return report_failure(context, "find", outcome.report, outcome.ended.error(), false, json);
    fill_envelope(context, "find", outcome.report);
    FEEDRATE_CHECK(show_report(outcome.report, json));
    return exit_status(outcome.report);
  }

 private:
  // Resolves everything that the words say, and makes the data set where there is none.
  Result<> resolve(CommandContext& context, FindSetup& setup) {
    FEEDRATE_CHECK(check_job_word(options_));
    FEEDRATE_TRY(Workload workload, resolve_workload(options_.workload, context));
    FEEDRATE_CHECK(options_.parse_place());
    FEEDRATE_TRY(const ClientKind client, resolve_client(options_));
    FEEDRATE_CHECK(check_search_effects(options_, client, limits_));
    FEEDRATE_TRY(const ClockKind clock, parse_clock(options_.clock, "--clock"));
    FEEDRATE_TRY(setup.limits, limits_.resolve(clock, client, workload));
    setup.limits.first_client = client;
    dataset_.seed = options_.seed;
    const SearchWords words{options_, workload, setup.limits};
    const DatasetCheck check = [&](const std::shared_ptr<const Dataset>& made) -> Result<> {
      FEEDRATE_CHECK(words.resolve(made, client, false));
      return {};
    };
    FEEDRATE_TRY(const FoundDataset found,
                 find_dataset(options_, workload, &dataset_, writing_hooks(context), check));
    // The options that make a data set say nothing of one that existed already.
    if (!found.just_written)
      for (const char* const option : {"subfolders", "compressibility", "jobs"})
        context.settings.erase(option);
    // The time that it took to make the data set, or an index of it, is not the search's.
    if (found.just_written || found.index_made) setup.begin = setup.wall();
    setup.just_written = found.just_written;
    const SearchClock timer(setup.limits, setup.wall, setup.begin);
    FEEDRATE_CHECK(timer.check_left(options_.data.empty() ? options_.directory : options_.data));
    const bool there = !found.just_written && !options_.directory.empty();
    const auto resolve = [&](ClientKind kind) -> Result<SearchSetup> {
      FEEDRATE_TRY(SearchSetup search, words.resolve(found.dataset, kind, there));
      std::vector<std::string>& warnings = search.training.warnings;
      warnings.insert(warnings.end(), found.warnings.begin(), found.warnings.end());
      return search;
    };
    FEEDRATE_TRY(setup.first, resolve(client));
    if (setup.limits.framework) setup.framework = resolve(ClientKind::kFaithful);
    return {};
  }

  RunOptions options_;
  FindLimits limits_;
  DatasetOptions dataset_;
};

}  // namespace

std::unique_ptr<Command> make_find_command() { return std::make_unique<FindCommand>(); }

}  // namespace feedrate

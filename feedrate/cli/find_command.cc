#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "feedrate/base/text.h"
#include "feedrate/cli/command.h"
#include "feedrate/cli/find_dataset.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/run_checks.h"
#include "feedrate/cli/run_options.h"
#include "feedrate/find/find.h"

namespace feedrate {
namespace {

constexpr Duration kCeilingTime = std::chrono::milliseconds(500);

class FindCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    options_.declare(app);
    const std::string search = "The search";
    app.add_option("--au", au_,
                   "accelerator utilisation that counts as fed; default: the workload's")
        ->group(search);
    app.add_option("--max", max_, "most accelerators to try")->group(search);
    app.add_option("--budget", budget_, "time for the whole search")->group(search);
    app.add_flag("--both", both_,
                 "search with the faithful client too, to see what the framework loses")
        ->group(search);
    dataset_.declare(app);
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(options_.json, "--json"));
    FEEDRATE_TRY(Workload workload, options_.workload.resolve(context));
    FindOptions find;
    FEEDRATE_CHECK(resolve_search(workload, find));
    FEEDRATE_TRY(const ClientKind client, resolve_client(options_));
    FEEDRATE_CHECK(check_search_effects(options_, client, both_));
    dataset_.seed = options_.seed;
    FEEDRATE_TRY(const FoundDataset found, find_dataset(options_, workload, &dataset_, context));
    std::vector<ClientKind> clients{client};
    if (both_) clients = {ClientKind::kNative, ClientKind::kFaithful};
    find.budget = find.budget / static_cast<std::int64_t>(clients.size());
    std::vector<FindResult> results;
    for (const ClientKind kind : clients) {
      FEEDRATE_TRY(RunSetup setup, make_setup(options_, workload, found.dataset, kind));
      setup.warnings.insert(setup.warnings.end(), found.warnings.begin(), found.warnings.end());
      FEEDRATE_TRY(FindResult result, search(setup, find, context));
      if (!json.to_stdout())
        FEEDRATE_CHECK(print((results.empty() ? "" : "\n") + render_text(result)));
      results.push_back(std::move(result));
      if (results.back().interrupted) break;
    }
    if (results.size() == 2 && !json.to_stdout()) FEEDRATE_CHECK(print(compare(results)));
    FEEDRATE_CHECK(json.write(to_json(results)));
    return results.back().interrupted ? 130 : 0;
  }

 private:
  Result<> resolve_search(Workload& workload, FindOptions& find) const {
    if (!au_.empty()) {
      FEEDRATE_TRY(workload.au_threshold, parse_fraction(au_, "--au", 0.01, 1));
    }
    find.au_threshold = workload.au_threshold;
    FEEDRATE_TRY(const std::uint64_t most, parse_count(max_, "--max", 1, 1'000'000));
    find.accelerators_max = static_cast<std::uint32_t>(most);
    FEEDRATE_TRY(find.budget, parse_duration(budget_, "--budget"));
    if (find.budget < std::chrono::seconds(1))
      return fail(ErrorKind::kUsage,
                  fmt::format("--budget: {} is too short, at least 1s is needed", budget_),
                  "write it like 5m");
    return {};
  }

  Result<FindResult> search(const RunSetup& setup, const FindOptions& find,
                            const CommandContext& context) const {
    TrainingPlan one = setup.plan;
    const std::uint32_t replica = one.replica_accelerators();
    const std::uint64_t by_data = one.dataset->samples() / one.timing.batch_samples * replica;
    if (find.accelerators_max < replica)
      return fail(ErrorKind::kUsage,
                  fmt::format("--max: {} is less than one replica of {} accelerators",
                              find.accelerators_max, replica),
                  fmt::format("use --max={} or more", replica));
    FEEDRATE_CHECK(check_training_plan(one));
    const bool quiet = context.quiet;
    const FindObserver observer{
        [&](std::uint32_t count, std::uint32_t readers, Duration limit) {
          if (!quiet)
            std::fprintf(stderr, "%s client, %u accelerator%s, %u readers each (up to %s)...\n",
                         std::string(to_string(setup.plan.client)).c_str(), count,
                         count == 1 ? "" : "s", readers, format_duration(limit).c_str());
        },
        [&](const TrialResult& trial) {
          if (!quiet)
            std::fprintf(stderr, "  AU %.1f %% +- %.1f, %s: %s\n", 100 * trial.utilisation,
                         100 * trial.half_width, format_rate(trial.bytes_per_second).c_str(),
                         trial.passed ? "fed" : "starve");
        }};
    const TrialRunner runner = [&](std::uint32_t count, std::uint32_t readers, Duration time_max,
                                   StepObserver& judge) {
      TrainingPlan plan = setup.plan;
      plan.replicas = count / plan.replica_accelerators();
      if (readers != plan.readers) {
        plan.readers = readers;
        if (plan.client == ClientKind::kNative) widen_window(plan);
      }
      plan.epochs = 0;
      plan.time_max = time_max;
      TrainingProgress progress;
      return run_once(setup, plan, options_, &judge, progress, context.stop);
    };
    TrainingPlan several = setup.plan;
    several.replicas = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        {by_data / replica, setup.threads, find.accelerators_max / replica}));
    FEEDRATE_TRY(const ClientCeiling ceiling,
                 measure_ceiling(setup, several, kCeilingTime, context.stop));
    FEEDRATE_TRY(FindResult result,
                 find_accelerators(find, setup.plan, by_data, runner, observer, context.stop));
    result.ceiling = ceiling;
    return result;
  }

  static std::string compare(const std::vector<FindResult>& results) {
    return fmt::format(
        "\nthe same storage feeds {} with the native client and {} with the framework's habits\n",
        results[0].accelerators, results[1].accelerators);
  }

  RunOptions options_;
  DatasetOptions dataset_;
  std::string au_, max_ = "65536", budget_ = "5m";
  bool both_ = false;
};

}  // namespace

std::unique_ptr<Command> make_find_command() { return std::make_unique<FindCommand>(); }

}  // namespace feedrate

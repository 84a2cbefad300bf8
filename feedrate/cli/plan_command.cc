#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "feedrate/base/shown_text.h"
#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/cli/commands.h"
#include "feedrate/cli/output.h"
#include "feedrate/cli/report.h"
#include "feedrate/options/option_rows.h"
#include "feedrate/request/plan_options.h"
#include "feedrate/request/plan_settings.h"
#include "feedrate/request/plan_sweep.h"

namespace feedrate {
namespace {

class PlanCommand final : public Command {
 public:
  void declare(OptionTable& table) override {
    using enum OptionType;
    options_.declare(table);
    table.add("", {{{"--sweep", kText, "", "accelerators=8..1024",
                     "a table over numbers of accelerators, doubled from the first to the last, or "
                     "as a list: accelerators=8,16,24"},
                    sweep_},
                   {rows::kExplain, explain_},
                   {rows::kJson, json_},
                   {rows::kCsv, csv_}});
  }

  Result<int> run(const CommandContext& context) override {
    FEEDRATE_TRY(const ResultTarget json, ResultTarget::open(json_, "--json", context.stop));
    FEEDRATE_TRY(const ResultTarget csv, ResultTarget::open(csv_, "--csv", context.stop));
    if (json.to_stdout() && csv.to_stdout())
      return fail(ErrorKind::kUsage, "--json and --csv: both cannot go to stdout",
                  "give one of them a file");
    if (!json_.empty() && json_ == csv_)
      return fail(ErrorKind::kUsage,
                  fmt::format("--json and --csv: both cannot go to {}", quote_path(json_)),
                  "give each a file of its own");
    const bool text = !json.to_stdout() && !csv.to_stdout();
    if (explain_ && !text)
      return fail(ErrorKind::kUsage,
                  "--explain has no effect: JSON and CSV have all formulas and sources, and they "
                  "take the place of the text on stdout",
                  "leave it out, or write to a file");
    if (!sweep_.empty()) return run_sweep(context, json, csv);
    PlanWords words{context.overrides, {}};
    const Result<PlanRequest> resolved = options_.resolve(words, std::nullopt);
    tell_ignored(context, words.ignored);
    if (!resolved) return fail(resolved.error());
    const PlanRequest& request = *resolved;
    FEEDRATE_CHECK(check_sets(options_, context.overrides, {std::nullopt}));
    PlanResult plan = plan_result({{Count(0), make_plan(request)}}, false);
    plan.effective = settings_of(request);
    FEEDRATE_CHECK(show(context, std::move(plan), json, csv));
    return 0;
  }

 private:
  // Writes files first, so that they exist even when the text cannot be printed.
  Result<> show(const CommandContext& context, PlanResult plan, const ResultTarget& json,
                const ResultTarget& csv) const {
    // The defaults of options depend on the jobs, which have told them already.
    CommandContext given = context;
    given.settings = context.requested;
    fill_envelope(given, "plan", plan);
    FEEDRATE_CHECK(json.write(json.wanted() ? to_json(plan) : ""));
    FEEDRATE_CHECK(csv.write(csv.wanted() ? to_csv(plan) : ""));
    if (json.to_stdout() || csv.to_stdout()) return {};
    return print_result(to_text(plan, explain_));
  }

  Result<int> run_sweep(const CommandContext& context, const ResultTarget& json,
                        const ResultTarget& csv) {
    if (explain_)
      return fail(ErrorKind::kUsage, "--explain: a --sweep shows no formulas",
                  "leave out one of the two");
    if (!options_.accelerators.empty())
      return fail(ErrorKind::kUsage, "--accelerators: --sweep says how many",
                  "leave out one of the two");
    FEEDRATE_TRY(const std::vector<std::uint64_t> counts, parse_sweep(sweep_));
    PlanWords words{context.overrides, {}};
    const PlannedSweep sweep = plan_sweep(options_, words, counts);
    tell_ignored(context, words.ignored);
    if (sweep.rows.empty()) return fail(*sweep.why);
    FEEDRATE_CHECK(check_sets(options_, context.overrides, {counts.begin(), counts.end()}));
    if (sweep.why)
      std::fputs(fmt::format("note: left out {}: {}\n", fmt::join(sweep.left_out, ", "),
                             shown_text(sweep.why->message()))
                     .c_str(),
                 stderr);
    PlanResult plan = plan_result(sweep.rows, true);
    plan.effective = sweep.settings;
    FEEDRATE_CHECK(show(context, std::move(plan), json, csv));
    return 0;
  }

  PlanOptions options_;
  std::string sweep_, json_, csv_;
  bool explain_ = false;
};

}  // namespace

std::unique_ptr<Command> make_plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace feedrate

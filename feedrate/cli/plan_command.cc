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

namespace feedrate {
namespace {

constexpr std::size_t kSweepMax = 64;
constexpr std::string_view kSweepKey = "accelerators=";

// Parses "accelerators=8..1024", which doubles from the first number up to the last and includes
// that one, or "accelerators=8,16,24".
Result<std::vector<std::uint64_t>> parse_sweep(const std::string& text) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorKind::kUsage, fmt::format("--sweep: '{}' {}", text, what),
                "write it like accelerators=8..1024 or accelerators=8,16,24");
  };
  if (!text.starts_with(kSweepKey)) return wrong("does not start with accelerators=");
  const std::string range = text.substr(kSweepKey.size());
  std::vector<std::uint64_t> counts;
  const std::size_t dots = range.find("..");
  if (dots != std::string::npos) {
    FEEDRATE_TRY(const std::uint64_t first,
                 parse_count(range.substr(0, dots), "--sweep", 1, kAcceleratorsMax));
    FEEDRATE_TRY(const std::uint64_t last,
                 parse_count(range.substr(dots + 2), "--sweep", 1, kAcceleratorsMax));
    if (last < first) return wrong("ends before it starts");
    for (std::uint64_t count = first; count < last; count *= 2) counts.push_back(count);
    counts.push_back(last);
    return counts;
  }
  for (std::size_t begin = 0; begin <= range.size();) {
    const std::size_t comma = std::min(range.find(',', begin), range.size());
    FEEDRATE_TRY(const std::uint64_t count,
                 parse_count(range.substr(begin, comma - begin), "--sweep", 1, kAcceleratorsMax));
    counts.push_back(count);
    begin = comma + 1;
  }
  if (counts.size() > kSweepMax) return wrong("has more than 64 points");
  return counts;
}

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
    FEEDRATE_CHECK(check_sets(context, {std::nullopt}));
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

  using Counts = std::vector<std::optional<std::uint64_t>>;

  // Fails for a key of --set that changes the workload but no figure of the plan. Keys that
  // describe the data set may be given all the same, so that find and train take the same words.
  Result<> check_sets(const CommandContext& context, const Counts& counts) {
    PlanWords words{context.overrides, {}};
    for (std::size_t set = 0; set < options_.sets.size(); ++set) {
      if (options_.sets[set].starts_with("dataset.")) continue;
      bool changes = false, matters = false;
      for (const std::optional<std::uint64_t>& count : counts) {
        const Result<PlanRequest> with = options_.resolve(words, count);
        if (!with) continue;  // This point of a sweep is left out.
        options_.set_left_out = set;
        const Result<PlanRequest> without = options_.resolve(words, count);
        options_.set_left_out.reset();
        changes = changes || !without || changes_workload(*with, *without);
        matters = !without || figures(*with) != figures(*without);
        if (matters) break;
      }
      if (changes && !matters)
        return fail(ErrorKind::kUsage,
                    fmt::format("--set {} has no effect: no figure of this plan depends on it",
                                options_.sets[set]),
                    "leave it out, or give it to find or train");
    }
    return {};
  }

  static std::string figures(const PlanRequest& request) {
    return to_json(plan_result({{Count(0), make_plan(request)}}, false));
  }

  static bool changes_workload(const PlanRequest& with, const PlanRequest& without) {
    for (std::size_t job = 0; job < with.jobs.size(); ++job)
      if (with.jobs[job].training &&
          with.jobs[job].training->workload != without.jobs[job].training->workload)
        return true;
    return false;
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
    std::vector<SweepRow> rows;
    std::vector<std::uint64_t> left_out;
    std::optional<Error> why;
    Settings settings;
    for (const std::uint64_t count : counts) {
      Result<PlanRequest> request = options_.resolve(words, count);
      if (request) {
        rows.push_back({count_of(count), make_plan(*request)});
        if (settings.empty()) settings = settings_of(*request);
        continue;
      }
      left_out.push_back(count);
      if (!why) why = request.error();
    }
    std::ranges::sort(words.ignored);
    const auto repeated = std::ranges::unique(words.ignored);
    words.ignored.erase(repeated.begin(), repeated.end());
    tell_ignored(context, words.ignored);
    if (rows.empty()) return fail(*why);
    FEEDRATE_CHECK(check_sets(context, {counts.begin(), counts.end()}));
    if (why)
      std::fputs(fmt::format("note: left out {}: {}\n", fmt::join(left_out, ", "),
                             shown_text(why->message()))
                     .c_str(),
                 stderr);
    PlanResult plan = plan_result(rows, true);
    plan.effective = without_counts(std::move(settings));
    FEEDRATE_CHECK(show(context, std::move(plan), json, csv));
    return 0;
  }

  // Removes the counts of accelerators, since each point of a sweep has its own.
  static Settings without_counts(Settings settings) {
    std::erase_if(settings, [](const auto& setting) {
      return setting.first.ends_with("accelerators") || setting.first.ends_with("data-parallel");
    });
    return settings;
  }

  PlanOptions options_;
  std::string sweep_, json_, csv_;
  bool explain_ = false;
};

}  // namespace

std::unique_ptr<Command> make_plan_command() { return std::make_unique<PlanCommand>(); }

}  // namespace feedrate

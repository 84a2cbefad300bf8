#include "feedrate/request/plan_sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/request/plan_settings.h"
#include "feedrate/result/views.h"

namespace feedrate {
namespace {

constexpr std::size_t kSweepMax = 64;
constexpr std::string_view kSweepKey = "accelerators=";

std::string figures(const PlanRequest& request) {
  return to_json(plan_result({{Count(0), make_plan(request)}}, false));
}

bool changes_workload(const PlanRequest& with, const PlanRequest& without) {
  for (std::size_t job = 0; job < with.jobs.size(); ++job)
    if (with.jobs[job].training &&
        with.jobs[job].training->workload != without.jobs[job].training->workload)
      return true;
  return false;
}

// Removes the counts of accelerators, since each point of a sweep has its own.
Settings without_counts(Settings settings) {
  std::erase_if(settings, [](const auto& setting) {
    return setting.first.ends_with("accelerators") || setting.first.ends_with("data-parallel");
  });
  return settings;
}

}  // namespace

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

PlannedSweep plan_sweep(const PlanOptions& options, PlanWords& words,
                        const std::vector<std::uint64_t>& counts) {
  PlannedSweep sweep;
  for (const std::uint64_t count : counts) {
    Result<PlanRequest> request = options.resolve(words, count);
    if (request) {
      sweep.rows.push_back({count_of(count), make_plan(*request)});
      if (sweep.settings.empty()) sweep.settings = without_counts(settings_of(*request));
      continue;
    }
    sweep.left_out.push_back(count);
    if (!sweep.why) sweep.why = request.error();
  }
  std::ranges::sort(words.ignored);
  const auto repeated = std::ranges::unique(words.ignored);
  words.ignored.erase(repeated.begin(), repeated.end());
  return sweep;
}

Result<> check_sets(PlanOptions& options, const std::vector<std::string>& overrides,
                    const std::vector<std::optional<std::uint64_t>>& counts) {
  PlanWords words{overrides, {}};
  for (std::size_t set = 0; set < options.sets.size(); ++set) {
    if (options.sets[set].starts_with("dataset.")) continue;
    bool changes = false, matters = false;
    for (const std::optional<std::uint64_t>& count : counts) {
      const Result<PlanRequest> with = options.resolve(words, count);
      if (!with) continue;  // This point of a sweep is left out.
      options.set_left_out = set;
      const Result<PlanRequest> without = options.resolve(words, count);
      options.set_left_out.reset();
      changes = changes || !without || changes_workload(*with, *without);
      matters = !without || figures(*with) != figures(*without);
      if (matters) break;
    }
    if (changes && !matters)
      return fail(ErrorKind::kUsage,
                  fmt::format("--set {} has no effect: no figure of this plan depends on it",
                              options.sets[set]),
                  "leave it out, or give it to find or train");
  }
  return {};
}

}  // namespace feedrate

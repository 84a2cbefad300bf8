#include "feedrate/find/limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr double kFrameworkShare = 0.3;
constexpr Duration kFrameworkMin = std::chrono::seconds(10);
// The share of --max-rate that counts as having met it: reads are paced, and a short trial sees
// mostly the beginning.
constexpr double kRateMet = 0.5;
// In seconds: from this budget on the client is tried without storage, for so long.
constexpr double kCeilingFrom = 9, kCeilingSeconds = 1;
}  // namespace

Result<> SearchLimits::check_replica(std::uint32_t accelerators) const {
  if (find.accelerators_max < accelerators)
    return fail(ErrorKind::kUsage,
                fmt::format("--max: {} is less than one replica of {} accelerators",
                            find.accelerators_max, accelerators),
                fmt::format("use --max={} or more", accelerators));
  if (find.at_least % accelerators != 0)
    return fail(ErrorKind::kUsage,
                fmt::format("--at-least: {} is no whole number of replicas of {} accelerators",
                            find.at_least, accelerators),
                fmt::format("use a multiple of {}", accelerators));
  return {};
}

// Fails where the user's own --readers break the user's own --max-inflight.
Result<> SearchLimits::check_readers(const std::string& asked, std::uint32_t readers) const {
  if (asked.empty() || !find.bound_inflight || readers <= find.inflight_max) return {};
  return fail(
      ErrorKind::kUsage,
      fmt::format("--readers: {} of one accelerator are more reads in flight than "
                  "--max-inflight={} allows",
                  readers, find.inflight_max),
      fmt::format("use --readers={} or fewer, or a larger --max-inflight", find.inflight_max));
}

Result<> SearchLimits::check_asked(std::uint64_t accelerators_by_data, std::uint32_t asked,
                                   const std::string& remedy) const {
  if (asked <= accelerators_by_data) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--at-least: {} accelerators need a data set with a batch for each, this "
                          "one has batches for {}",
                          asked, accelerators_by_data),
              fmt::format("{}, or --at-least={} or fewer", remedy, accelerators_by_data));
}

Result<> SearchLimits::check_inflight(const FindOptions& search, const TrainingPlan& plan) const {
  constexpr std::uint64_t kInflightMost = 1'000'000;  // The most that --max-inflight may be.
  if (!search.bound_inflight || search.at_least == 0) return {};
  const std::uint64_t each = reads_of_a_replica(search, plan);
  const std::uint32_t replica = plan.replica_accelerators();
  const std::uint64_t needed = search.at_least / replica * each;
  if (needed <= search.inflight_max) return {};
  const std::uint64_t allowed = search.inflight_max / each * replica;
  const std::string more = fmt::format("--max-inflight={} or more", needed);
  const std::string fewer = fmt::format("--at-least={} or fewer", allowed);
  return fail(ErrorKind::kUsage,
              fmt::format("--at-least: {} needs {} reads in flight, {} {} at least, more than "
                          "--max-inflight={} allows",
                          search.at_least, needed, each == 1 ? "one" : std::to_string(each),
                          replica > 1 ? "a replica" : "an accelerator", search.inflight_max),
              fmt::format("use {}", allowed == 0             ? more
                                    : needed > kInflightMost ? fewer
                                                             : more + ", or " + fewer));
}

// Adds what the search does not get: a part of the budget is kept for the framework's number, and
// before a long search the client is tried without storage.
double SearchLimits::whole_budget(double needed, ClientKind client) const {
  if (needed <= 0) return 0;
  const double kept = framework_first ? 0.5 : kFrameworkShare;
  const double least = framework_first ? 0 : to_seconds(kFrameworkMin);
  if (client != first_client) return std::max(needed, least) / kept;
  if (clock == ClockKind::kReal && needed >= kCeilingFrom) needed += kCeilingSeconds;
  const double whole = needed / (1 - kept);
  return framework && whole * kept >= least ? whole : needed;
}

void SearchLimits::explain(FindResult& result) const {
  double most = 0;
  for (const DepthPoint& point : result.depths) most = std::max(most, point.bytes_per_second);
  if (rate_max > 0 && most >= kRateMet * rate_max && result.limited_by != "client-cpu") {
    result.limited_by = "--max-rate";
    result.reason =
        fmt::format("--max-rate={} is the limit; the storage may feed more", format_rate(rate_max));
  }
}

SearchClock::SearchClock(const SearchLimits& limits, std::function<Instant()> wall, Instant begin)
    : limits_(limits), wall_(std::move(wall)), begin_(begin) {}

Result<> SearchClock::check_left(const std::string& listed) const {
  constexpr double kSpare = 4;  // The budget that is named leaves most of it to the search.
  const Duration spent = since(begin_);
  if (limits_.clock == ClockKind::kVirtual || limits_.find.budget.count() == 0 ||
      spent < limits_.find.budget)
    return {};
  return fail(
      ErrorKind::kUsage,
      fmt::format("--budget: {} went by while the files of {} were listed, which took {}",
                  format_duration(limits_.find.budget), quote_path(listed), format_duration(spent)),
      fmt::format("use --budget={} or more, or a part of the files",
                  budget_text(kSpare * to_seconds(spent))));
}

FindOptions SearchClock::with_clock(FindOptions options, Instant begin) const {
  if (limits_.clock == ClockKind::kReal)
    options.elapsed = [wall = wall_, begin] { return wall() - begin; };
  if (limits_.wall.count() > 0)
    options.out_of_time = [wall = wall_, begin = begin_, most = limits_.wall] {
      return wall() - begin >= most;
    };
  return options;
}

Duration SearchClock::kept_for_framework() const {
  const Duration budget = limits_.find.budget;
  if (!limits_.framework || budget.count() == 0) return {};
  if (limits_.framework_first) return budget / 2;
  const Duration share = from_seconds(to_seconds(budget) * kFrameworkShare);
  return share >= kFrameworkMin ? share : Duration{};
}

FindOptions SearchClock::for_first(FindOptions options) const {
  options.budget -= kept_for_framework();
  return with_clock(options, begin_);
}

std::optional<FindOptions> SearchClock::for_framework(FindOptions options,
                                                      const FindResult& first) const {
  const auto now = wall_();
  if (options.budget.count() == 0) return with_clock(options, now);
  if (kept_for_framework().count() == 0) return std::nullopt;
  const Duration spent =
      limits_.clock == ClockKind::kReal ? since(begin_) : from_seconds(first.spent_seconds);
  options.budget = std::max(options.budget - spent, Duration(std::chrono::seconds(1)));
  return with_clock(options, now);
}

std::string SearchClock::framework_left_out() const {
  return fmt::format("the framework's number was left out: --budget={} would hold it",
                     budget_text(to_seconds(kFrameworkMin) / kFrameworkShare));
}

// Scales each budget by the share that the search gets; with a short budget the first search gets
// all.
void SearchClock::name_whole_budgets(std::vector<FindResult>& results) const {
  if (!limits_.framework) return;
  double kept = limits_.framework_first ? 0.5 : kFrameworkShare;
  const double holds_both =
      limits_.framework_first ? 0 : to_seconds(kFrameworkMin) / kFrameworkShare;
  double spent = 0;
  for (const FindResult& result : results) spent += result.spent_seconds;
  for (std::size_t i = 0; i < results.size(); ++i) {
    double& seconds = results[i].narrower_budget_seconds;
    if (seconds <= 0) continue;
    // The framework's search also gets what the first one left over.
    if (i > 0 && limits_.find.budget.count() > 0)
      kept = std::max(kept, results[i].budget_seconds / to_seconds(limits_.find.budget));
    const double whole = seconds / (i == 0 ? 1 - kept : kept);
    if (i > 0 || rounded_budget(std::max(seconds, spent)) >= holds_both) seconds = whole;
    seconds = std::max(seconds, spent);
  }
}

}  // namespace feedrate

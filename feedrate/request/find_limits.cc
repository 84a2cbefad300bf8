#include "feedrate/request/find_limits.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/host/cgroup.h"
#include "feedrate/options/option_rows.h"

namespace feedrate {
namespace {

constexpr Duration kDefaultBudget = std::chrono::seconds(60);
constexpr double kFrameworkShare = 0.3;
constexpr Duration kFrameworkMin = std::chrono::seconds(10);
constexpr std::uint64_t kVirtualMemory = std::uint64_t{256} << 30U;
constexpr std::uint64_t kVirtualSamples = 10'000'000;
constexpr double kRateMet =
    // The share of --max-rate that counts as having met it: reads are paced, and a short trial sees
    // mostly the beginning.
    0.5;
// In seconds: from this budget on find_command tries the client without storage, for so long.
constexpr double kCeilingFrom = 9, kCeilingSeconds = 1;
constexpr std::uint64_t kReadAheadShare = 4;  // A quarter of memory.

std::uint64_t host_memory() {
  struct sysinfo info{};
  sysinfo(&info);
  return std::uint64_t{info.totalram} * info.mem_unit;
}

Duration wall_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

void FindLimits::declare(OptionTable& table) {
  using enum OptionType;
  table.add(
      "The search",
      {{rows::kAu, au},
       {{"--max", kCount, "65536", "1 to 1000000", "most accelerators to try"}, max},
       {{"--budget", kDuration, "60s", "at least 1s",
         "time for the whole search; with --clock=virtual it is simulated time, and without this "
         "option the search goes on until it is sure"},
        budget},
       {{"--until-sure", kFlag, "", "",
         "no time limit: until N and N + 1 are proven, or differ by less than 0.2 points of AU "
         "from the threshold"},
        until_sure},
       {{"--at-least", kCount, "", "1 to --max",
         "ask only whether so many are fed: exit status 0 yes, 1 no, 5 undecided"},
        at_least},
       {{"--only-n", kFlag, "", "",
         "leave out the framework's number, which takes 30 % of the time"},
        only_n},
       {{"--both", kFlag, "", "",
         "half of the time for the framework's number, however short it is"},
        both},
       {{"--wall", kDuration, "", "at least 1s",
         "with --clock=virtual: time of this host after which the search is cut; its result "
         "cannot be repeated then"},
        wall},
       {{"--max-inflight", kCount, "1024", "1 to 1000000",
         "most reads in flight over all accelerators, for a system in production"},
        inflight_max},
       {{"--max-rate", kRate, "", "at least 1kB/s", "most bytes a second to read"}, rate_max},
       {{"--memory", kBytes, "this host's", "at least 256MiB",
         "memory of a host, of which a quarter may hold batches that are read ahead; 256GiB with "
         "--clock=virtual"},
        memory}});
}

Result<> FindLimits::resolve_budget(ClockKind clock, SearchLimits& limits) const {
  if (until_sure && !budget.empty())
    return fail(ErrorKind::kUsage,
                fmt::format("--until-sure: it sets no limit, and --budget={} does", budget),
                "give one of the two");
  if (!budget.empty()) {
    FEEDRATE_TRY(limits.find.budget, parse_duration(budget, "--budget"));
    if (limits.find.budget < std::chrono::seconds(1))
      return fail(ErrorKind::kUsage,
                  fmt::format("--budget: {} is too short, at least 1s is needed", budget),
                  "write it like 5m");
  } else if (clock == ClockKind::kReal && !until_sure) {
    limits.find.budget = kDefaultBudget;
  } else if (clock == ClockKind::kVirtual && !until_sure) {
    limits.find.samples_max = kVirtualSamples;
  }
  if (wall.empty()) return {};
  if (clock == ClockKind::kReal)
    return fail(ErrorKind::kUsage,
                fmt::format("--wall: {} is for --clock=virtual; on the real clock --budget is time "
                            "of this host",
                            wall),
                fmt::format("use --budget={}", wall));
  FEEDRATE_TRY(limits.wall, parse_duration(wall, "--wall"));
  if (limits.wall < std::chrono::seconds(1))
    return fail(ErrorKind::kUsage,
                fmt::format("--wall: {} is too short, at least 1s is needed", wall),
                "write it like 30s");
  return {};
}

Result<SearchLimits> FindLimits::resolve(ClockKind clock, ClientKind client,
                                         Workload& workload) const {
  SearchLimits limits;
  limits.clock = clock;
  if (!au.empty()) {
    FEEDRATE_TRY(workload.au_threshold, parse_fraction(au, "--au", 0.01, 1));
  }
  limits.find.au_threshold = workload.au_threshold;
  std::uint64_t most = limits.find.accelerators_max;
  if (!max.empty()) {
    FEEDRATE_TRY(most, parse_count(max, "--max", 1, 1'000'000));
  }
  limits.find.accelerators_max = static_cast<std::uint32_t>(most);
  limits.find.max_given = !max.empty();
  FEEDRATE_CHECK(resolve_budget(clock, limits));
  if (!at_least.empty()) {
    FEEDRATE_TRY(const std::uint64_t asked, parse_count(at_least, "--at-least", 1, most));
    limits.find.at_least = static_cast<std::uint32_t>(asked);
  }
  if (!inflight_max.empty()) {
    FEEDRATE_TRY(limits.find.inflight_max,
                 parse_count(inflight_max, "--max-inflight", 1, 1'000'000));
    limits.find.bound_inflight = true;
  }
  if (!rate_max.empty()) {
    FEEDRATE_TRY(const BytesPerSecond rate, parse_rate(rate_max, "--max-rate"));
    if (rate.value() < 1000)
      return fail(ErrorKind::kUsage, fmt::format("--max-rate: {} is too little", rate_max),
                  "write it like 500MB/s");
    limits.rate_max = rate.value();
  }
  std::uint64_t host = clock == ClockKind::kVirtual ? kVirtualMemory : host_memory();
  if (!memory.empty()) {
    FEEDRATE_TRY(host, parse_bytes(memory, "--memory"));
    if (host < (std::uint64_t{1} << 28U))
      return fail(ErrorKind::kUsage, fmt::format("--memory: {} is too little for a host", memory),
                  "use 256MiB or more");
  }
  limits.find.read_ahead_max = host / kReadAheadShare;
  if (both && (only_n || !at_least.empty()))
    return fail(
        ErrorKind::kUsage,
        fmt::format("--both: there is one search only with {}", only_n ? "--only-n" : "--at-least"),
        "leave one of the two out");
  limits.framework = !only_n && at_least.empty() && client == ClientKind::kNative;
  limits.framework_first = both;
  return limits;
}

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

SearchClock::SearchClock(const SearchLimits& limits, std::chrono::steady_clock::time_point begin)
    : limits_(limits), begin_(begin) {}

Result<> SearchClock::check_left(const std::string& listed) const {
  constexpr double kSpare = 4;  // The budget that is named leaves most of it to the search.
  const Duration spent = wall_since(begin_);
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

FindOptions SearchClock::with_clock(FindOptions options,
                                    std::chrono::steady_clock::time_point begin) const {
  if (limits_.clock == ClockKind::kReal) options.elapsed = [begin] { return wall_since(begin); };
  if (limits_.wall.count() > 0)
    options.out_of_time = [begin = begin_, wall = limits_.wall] {
      return wall_since(begin) >= wall;
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

FindOptions SearchClock::for_first() const {
  FindOptions options = limits_.find;
  options.budget -= kept_for_framework();
  return with_clock(options, begin_);
}

std::optional<FindOptions> SearchClock::for_framework(const FindResult& first) const {
  FindOptions options = limits_.find;
  const auto now = std::chrono::steady_clock::now();
  if (options.budget.count() == 0) return with_clock(options, now);
  if (kept_for_framework().count() == 0) return std::nullopt;
  const Duration spent =
      limits_.clock == ClockKind::kReal ? wall_since(begin_) : from_seconds(first.spent_seconds);
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

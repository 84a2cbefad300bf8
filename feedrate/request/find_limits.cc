#include "feedrate/request/find_limits.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include "feedrate/base/text.h"
#include "feedrate/options/option_rows.h"

namespace feedrate {
namespace {

constexpr Duration kDefaultBudget = std::chrono::seconds(60);
constexpr std::uint64_t kVirtualMemory = std::uint64_t{256} << 30U;
constexpr std::uint64_t kVirtualSamples = 10'000'000;

std::uint64_t host_memory() {
  struct sysinfo info{};
  sysinfo(&info);
  return std::uint64_t{info.totalram} * info.mem_unit;
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
  limits.find.read_ahead_max = host / SearchLimits::kReadAheadShare;
  if (both && (only_n || !at_least.empty()))
    return fail(
        ErrorKind::kUsage,
        fmt::format("--both: there is one search only with {}", only_n ? "--only-n" : "--at-least"),
        "leave one of the two out");
  limits.framework = !only_n && at_least.empty() && client == ClientKind::kNative;
  limits.framework_first = both;
  return limits;
}

}  // namespace feedrate

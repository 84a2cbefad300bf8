#include "feedrate/request/goodput_options.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/options/option_rows.h"

namespace feedrate {
namespace {

constexpr double kFailuresMax = 1e7;

}  // namespace

void GoodputOptions::declare(OptionTable& table) {
  constexpr std::string_view kGroup = "A run that fails";
  table.add(kGroup, {{rows::kMtbf, mtbf_}});
  table.add(kGroup, {{rows::kTime, time_}, {rows::kRestartTime, restart_time_}}, "",
            "--mtbf=50000h");
}

Result<> GoodputOptions::check(bool counts, bool persists, ClockKind clock) const {
  if (!wanted()) return {};
  if (time_.empty())
    return fail(ErrorKind::kUsage, "--time: a run that fails needs its length", "add --time=30d");
  if (counts)
    return fail(ErrorKind::kUsage, "--count: --time says how long a run that fails is",
                "leave --count out");
  if (!persists && clock == ClockKind::kReal)
    return fail(ErrorKind::kUsage,
                "--mtbf: storage that keeps nothing has nothing to restart from on the real clock",
                "add --clock=virtual, or write to a directory");
  return {};
}

Result<FailingRun> GoodputOptions::resolve(std::uint64_t ranks) const {
  FailingRun run;
  FEEDRATE_TRY(run.accelerator_mtbf, parse_duration(mtbf_, "--mtbf"));
  FEEDRATE_TRY(run.total, parse_duration(time_, "--time"));
  if (run.total <= Duration{})
    return fail(ErrorKind::kUsage, "--time: 0 is too short", "write it like 30d");
  run.restart = std::chrono::minutes(5);
  if (!restart_time_.empty()) {
    FEEDRATE_TRY(run.restart, parse_duration(restart_time_, "--restart-time"));
  }
  if (run.restart < std::chrono::milliseconds(1))
    return fail(
        ErrorKind::kUsage,
        fmt::format("--restart-time: {} is too short, at least 1ms is needed", restart_time_),
        "write it like 60s");
  run.mtbf = from_seconds(to_seconds(run.accelerator_mtbf) / static_cast<double>(ranks));
  if (run.mtbf <= Duration{} || to_seconds(run.total) / to_seconds(run.mtbf) > kFailuresMax)
    return fail(
        ErrorKind::kUsage,
        fmt::format("--mtbf: {} / {} accelerators in {} are more than {} failures", mtbf_,
                    format_count(static_cast<double>(ranks)), time_, format_count(kFailuresMax)),
        "use a longer --mtbf or a shorter --time");
  return run;
}

}  // namespace feedrate

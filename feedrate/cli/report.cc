#include "feedrate/cli/report.h"

#include <sys/resource.h>

#include <chrono>

namespace feedrate {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Cost cost_since(std::chrono::steady_clock::time_point begin) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return {wall, seconds_of(usage.ru_utime), seconds_of(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
}

}  // namespace

std::string_view build_name() {
  static constexpr std::string_view kName = "feedrate " FEEDRATE_VERSION " (" __VERSION__ ")";
  return kName;
}

void fill_envelope(const CommandContext& context, std::string_view verb, Envelope& report) {
  report.verb = verb;
  report.requested = context.requested;
  for (const auto& setting : context.settings) report.effective.insert(setting);
  report.host = collect_host_facts(build_name());
  // A simulation, a plan and the lists of what is built in are the same on every host.
  const bool depends = report.place.clock != "virtual" && verb != "plan" && verb != "workloads";
  if (depends) report.cost = cost_since(context.begin);
}

Result<> show_report(const Report& report, const ResultTarget& json) {
  return json.write_and_print(json.wanted() ? to_json(report) : "", to_text(report));
}

}  // namespace feedrate

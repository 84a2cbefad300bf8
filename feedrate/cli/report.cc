#include "feedrate/cli/report.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>

#include "feedrate/base/shown_text.h"
#include "feedrate/base/text.h"
#include "feedrate/experiment/build_name.h"

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

void tell_ignored(const CommandContext& context, const std::vector<std::string>& keys) {
  if (!keys.empty() && !context.quiet)
    std::fprintf(stderr, "ignored: %s\n", shown_text(join(keys, ", ")).c_str());
}

Result<Workload> resolve_workload(WorkloadOptions& options, const CommandContext& context) {
  std::vector<std::string> ignored;
  Result<Workload> workload = options.resolve(context.overrides, ignored);
  tell_ignored(context, ignored);
  return workload;
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

// Turns a plan into a plain value, with nothing left to work out.
#include <fmt/format.h>

#include "feedrate/base/units.h"
#include "feedrate/plan/plan.h"

namespace feedrate {
namespace {

std::string servers_by(const Sizing& sizing) {
  const StorageProfile& storage = sizing.storage;
  if (sizing.servers_bound_by == "slots")
    return fmt::format("of {} each ({})", storage.per_server.value.value(),
                       storage.per_server.source);
  const Sourced<BytesPerSecond>& rate = sizing.servers_bound_by == "their read bandwidth"
                                            ? storage.server_read
                                            : storage.server_write;
  return fmt::format("by their {} ({})", show(rate.value), rate.source);
}

// Returns what one directory costs, against many.
std::vector<std::string> directories(const StorageProfile& storage) {
  std::vector<std::string> lines;
  const Sourced<PerSecond>& creates =
      storage.creates.known() ? storage.creates : storage.system_creates;
  if (creates.known() && storage.one_directory_creates.known())
    lines.push_back(fmt::format(
        "in many directories {} {} files/s, in one {} ({})",
        storage.creates.known() ? "one creates" : "whole systems create",
        Measure(Count(creates.value.value())).brief(),
        Measure(Count(creates.value.value() * storage.one_directory_creates.value.value())).brief(),
        creates.source));
  if (storage.one_directory_opens.known())
    lines.push_back(fmt::format("in one directory it opens {} of the files that it opens in many",
                                Measure::fraction(storage.one_directory_opens.value).brief()));
  return lines;
}

PlannedStorage planned(const Sizing& sizing) {
  PlannedStorage result;
  result.name = sizing.storage.name;
  result.title = sizing.storage.title;
  result.unit = sizing.storage.unit;
  result.units = sizing.units.value();
  result.bound_by = sizing.bound_by;
  for (const PhaseUnits& phase : sizing.phases)
    if (phase.units > Count(0)) result.phases.push_back({phase.key, phase.units.value()});
  result.servers = sizing.servers.value();
  result.servers_bound_by = sizing.servers_bound_by;
  result.ports = sizing.ports.value();
  if (sizing.servers > Count(0)) {
    result.servers_by = servers_by(sizing);
    result.ports_per_server = whole(sizing.ports / sizing.servers).value();
  }
  for (const Binding& binding : sizing.bindings)
    result.bindings.push_back({binding.phase.empty() ? "all" : binding.phase, binding.resource,
                               binding.units.value(), binding.formula, binding.source});
  result.unknown = sizing.unknown;
  result.one_directory = sizing.one_directory;
  result.directories = directories(sizing.storage);
  if (sizing.requests) result.requests = sizing.requests->value();
  return result;
}

PlannedUse planned(const StoragePlan& plan) {
  PlannedUse use;
  use.figures = plan.figures;
  use.timing = plan.timing;
  for (const Sizing& sizing : plan.sizings) use.storages.push_back(planned(sizing));
  if (plan.others.empty()) return use;
  use.other_timing = plan.other_timing;
  use.other_timing_key = timing_key(plan.other_timing);
  for (const Sizing& sizing : plan.others) use.others.push_back(planned(sizing));
  return use;
}

}  // namespace

PlanResult plan_result(const std::vector<SweepRow>& rows, bool sweep) {
  PlanResult result;
  result.verb = "plan";
  result.sweep = sweep;
  for (const SweepRow& row : rows) {
    PlanPoint& point = result.points.emplace_back();
    point.accelerators = row.accelerators.value();
    point.jobs = row.plan.jobs;
    for (const StoragePlan& storage : row.plan.storage) point.uses.push_back(planned(storage));
  }
  if (rows.empty()) return result;
  const NetworkPort& port = rows.front().plan.port;
  result.port = {port.name,   port.title,         port.line.value(), port.usable.value.value(),
                 port.source, port.usable.source, port.note};
  return result;
}

}  // namespace feedrate

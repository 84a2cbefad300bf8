#include "feedrate/plan/sizing.h"

#include <fmt/format.h>

#include <algorithm>

namespace feedrate {
namespace {

std::string show(const Measure& value) { return value.brief(); }

template <class Q>
void bind(Sizing& sizing, std::string resource, Q demand, const Sourced<Q>& each) {
  if (demand <= Q(0)) return;
  if (!each.known()) {
    sizing.unknown.push_back(std::move(resource));
    return;
  }
  sizing.bindings.push_back({std::move(resource), whole(demand / each.value),
                             fmt::format("{} / {}", show(demand), show(each.value)), each.source});
}

// Opens and creates are slower in one directory than in many, where a source tells by how much.
Sourced<PerSecond> in_directories(const Sourced<PerSecond>& rate, const Sourced<Count>& share,
                                  bool one_directory) {
  if (!rate.known() || !one_directory || !share.known()) return rate;
  return {rate.value * share.value,
          fmt::format("{}; in one directory {} of it: {}", rate.source,
                      show(Measure::fraction(share.value)), share.source)};
}

}  // namespace

Sizing size_storage(const StorageDemand& demand, const StorageProfile& storage,
                    const NetworkPort& port) {
  Sizing sizing;
  sizing.storage = storage;
  bind(sizing, "read bandwidth", demand.read, storage.read);
  bind(sizing, "write bandwidth", demand.write, storage.write);
  bind(sizing, "read operations", demand.read_operations, storage.read_operations);
  bind(sizing, "write operations", demand.write_operations, storage.write_operations);
  bind(sizing, "file opens", demand.opens,
       in_directories(storage.opens, storage.one_directory_opens, demand.one_directory));
  bind(sizing, "file creates", demand.creates,
       in_directories(storage.creates, storage.one_directory_creates, demand.one_directory));
  bind(sizing, "capacity", demand.capacity, storage.capacity);
  for (const Binding& binding : sizing.bindings)
    if (binding.units > sizing.units) {
      sizing.units = binding.units;
      sizing.bound_by = binding.resource;
    }
  if (storage.per_server.known()) sizing.servers = whole(sizing.units / storage.per_server.value);
  sizing.ports = whole(std::max(demand.read, demand.write) / port.carries());
  if (storage.stream.known()) sizing.requests = whole(demand.read / storage.stream.value);
  return sizing;
}

}  // namespace feedrate

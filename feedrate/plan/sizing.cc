#include "feedrate/plan/sizing.h"

#include <fmt/format.h>

#include <algorithm>

namespace feedrate {
namespace {

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

// Bytes and operations: whichever takes more units, or both after each other.
void bind_transfers(Sizing& sizing, const std::string& what, BytesPerSecond bytes,
                    PerSecond operations, const Sourced<BytesPerSecond>& bandwidth,
                    const Sourced<PerSecond>& rate) {
  const bool sum = sizing.storage.one_at_a_time && bandwidth.known() && rate.known();
  if (!sum) {
    bind(sizing, what + " bandwidth", bytes, bandwidth);
    bind(sizing, what + " operations", operations, rate);
    return;
  }
  const Count units = bytes / bandwidth.value + operations / rate.value;
  if (units <= Count(0)) return;
  sizing.bindings.push_back({what + " bandwidth and operations, one at a time", whole(units),
                             fmt::format("{} / {} + {} / {}", show(bytes), show(bandwidth.value),
                                         show(operations), show(rate.value)),
                             bandwidth.source + "; " + rate.source});
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
  bind_transfers(sizing, "read", demand.read, demand.read_operations, storage.read,
                 storage.read_operations);
  bind_transfers(sizing, "write", demand.write, demand.write_operations, storage.write,
                 storage.write_operations);
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

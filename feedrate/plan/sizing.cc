#include "feedrate/plan/sizing.h"

#include <fmt/format.h>

#include <algorithm>

namespace feedrate {
namespace {

class Counting {
 public:
  Counting(Sizing& sizing, bool one_directory) : sizing_(sizing), one_directory_(one_directory) {}

  void add_phase(const StoragePhase& phase) {
    const StorageProfile& storage = sizing_.storage;
    phase_ = phase.key;
    burst_ = phase.burst;
    const std::size_t first = sizing_.bindings.size();
    bind_transfers("read", phase.read, phase.read_operations, storage.read,
                   storage.read_operations);
    bind_transfers("write", phase.write, phase.write_operations, storage.write,
                   storage.write_operations);
    bind("file opens", phase.opens, in_directories(storage.opens, storage.one_directory_opens));
    bind("file creates", phase.creates,
         in_directories(storage.creates, storage.one_directory_creates));
    Count units;
    for (std::size_t index = first; index < sizing_.bindings.size(); ++index)
      units = std::max(units, sizing_.bindings[index].units);
    sizing_.phases.push_back({phase.key, phase.name, units, phase.burst});
  }

  void add_capacity(Bytes capacity) {
    phase_.clear();
    burst_ = false;
    bind("capacity", capacity, sizing_.storage.capacity);
  }

 private:
  template <class Q>
  void bind(const std::string& resource, Q demand, const Sourced<Q>& each) {
    if (demand <= Q(0)) return;
    if (!each.known()) {
      if (std::ranges::find(sizing_.unknown, resource) == sizing_.unknown.end())
        sizing_.unknown.push_back(resource);
      return;
    }
    sizing_.bindings.push_back({phase_, resource, whole(demand / each.value),
                                fmt::format("{} / {}", show(demand), show(each.value)), each.source,
                                burst_});
  }

  // Binds by bytes and operations: whichever takes more units, or their sum where the storage does
  // one at a time.
  void bind_transfers(const std::string& what, BytesPerSecond bytes, PerSecond operations,
                      const Sourced<BytesPerSecond>& bandwidth, const Sourced<PerSecond>& rate) {
    const bool sum = sizing_.storage.one_at_a_time && bandwidth.known() && rate.known();
    if (!sum) {
      bind(what + " bandwidth", bytes, bandwidth);
      bind(what + " operations", operations, rate);
      return;
    }
    const Count units = bytes / bandwidth.value + operations / rate.value;
    if (units <= Count(0)) return;
    sizing_.bindings.push_back({phase_, what + " bandwidth and operations, one at a time",
                                whole(units),
                                fmt::format("{} / {} + {} / {}", show(bytes), show(bandwidth.value),
                                            show(operations), show(rate.value)),
                                bandwidth.source + "; " + rate.source, burst_});
  }

  // Opens and creates are slower in one directory than in many, where a source gives by how much.
  Sourced<PerSecond> in_directories(const Sourced<PerSecond>& rate,
                                    const Sourced<Count>& share) const {
    if (!rate.known() || !one_directory_ || !share.known()) return rate;
    return {rate.value * share.value,
            fmt::format("{}; in one directory {} of it: {}", rate.source,
                        show(Measure::fraction(share.value)), share.source)};
  }

  Sizing& sizing_;
  bool one_directory_;
  std::string phase_;
  bool burst_ = false;
};

void count_servers(Sizing& sizing, BytesPerSecond read, BytesPerSecond write) {
  const StorageProfile& storage = sizing.storage;
  const auto at_least = [&](Count servers, const char* why) {
    if (servers <= sizing.servers) return;
    sizing.servers = servers;
    sizing.servers_bound_by = why;
  };
  if (storage.per_server.known() && sizing.units > Count(0))
    at_least(whole(sizing.units / storage.per_server.value), "slots");
  if (storage.server_read.known())
    at_least(whole(read / storage.server_read.value), "their read bandwidth");
  if (storage.server_write.known())
    at_least(whole(write / storage.server_write.value), "their write bandwidth");
}

std::string directory_text(const StorageDemand& demand, const Sizing& sizing, Count in_many) {
  const StorageProfile& storage = sizing.storage;
  const auto units = [&](Count count) {
    return fmt::format("{} {}{}", show(count), storage.unit, count == Count(1) ? "" : "s");
  };
  // A limit in units is the strongest evidence, then a difference that was counted, and last what
  // whole systems were seen to do.
  if (storage.one_directory_units.known()) {
    const Count most = storage.one_directory_units.value;
    return sizing.units <= most
               ? fmt::format("in one directory: at most {}, which is enough", units(most))
               : fmt::format(
                     "in one directory: at most {}, {} of this, so spread the "
                     "files over {} or more ({})",
                     units(most), show(Measure::fraction(most / sizing.units)),
                     show(whole(sizing.units / most)), storage.one_directory_units.source);
  }
  if (sizing.units > in_many)
    return fmt::format("in one directory: {} instead of {}", units(sizing.units), units(in_many));
  const bool shares = storage.one_directory_opens.known() || storage.one_directory_creates.known();
  const bool counted = (storage.opens.known() && storage.one_directory_opens.known()) ||
                       (storage.creates.known() && storage.one_directory_creates.known());
  if (counted) return fmt::format("in one directory: the same, as {} decides", sizing.bound_by);
  PerSecond creates;
  for (const StoragePhase& phase : demand.phases) creates = std::max(creates, phase.creates);
  if (shares && storage.system_creates.known() && storage.one_directory_creates.known())
    return fmt::format(
        "in one directory: not counted, as no source gives what one {} opens or creates; whole "
        "systems create {} in one, this takes {}",
        storage.unit, show(storage.system_creates.value * storage.one_directory_creates.value),
        show(creates));
  return fmt::format(
      "in one directory: the same, as no source says that one directory is slower there{}",
      storage.opens.known() || storage.creates.known() ? "" : "; the file system on it may be");
}

}  // namespace

Sizing size_storage(const StorageDemand& demand, const StorageProfile& storage,
                    const NetworkPort& port) {
  Sizing sizing;
  sizing.storage = storage;
  Counting counting(sizing, demand.one_directory);
  for (const StoragePhase& phase : demand.phases) counting.add_phase(phase);
  counting.add_capacity(demand.capacity);
  for (const Binding& binding : sizing.bindings)
    if (!binding.burst && binding.units > sizing.units) {
      sizing.units = binding.units;
      sizing.bound_by = binding.phase.empty()
                            ? binding.resource
                            : fmt::format("{} of {}", binding.resource, binding.phase);
    }
  // The storage is counted a second time with many directories, to tell what one directory costs.
  if (demand.one_directory) {
    StorageDemand many = demand;
    many.one_directory = false;
    sizing.one_directory = directory_text(demand, sizing, size_storage(many, storage, port).units);
  }
  BytesPerSecond read, write;
  // A burst may take longer, so nothing is sized for it.
  for (const StoragePhase& phase : demand.phases) {
    if (phase.burst) continue;
    read = std::max(read, phase.read);
    write = std::max(write, phase.write);
  }
  count_servers(sizing, read, write);
  sizing.ports = whole(std::max(read, write) / port.carries());
  if (storage.stream.known()) sizing.requests = whole(read / storage.stream.value);
  return sizing;
}

}  // namespace feedrate

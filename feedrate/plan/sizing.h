// Counts how many units of a described storage carry a demand, and names the resource that binds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "feedrate/base/quantity.h"
#include "feedrate/plan/figure.h"
#include "feedrate/plan/storage_profile.h"

namespace feedrate {

// The demand of all jobs together on a storage at one time: training, a restart, loading models.
struct StoragePhase {
  std::string key = {};   // "training"
  std::string name = {};  // "training and checkpoints"
  BytesPerSecond read{}, write{};
  PerSecond read_operations{}, write_operations{};
  PerSecond opens{}, creates{};
  // Marks a burst that may take longer on a storage that is sized without it: it is counted, but
  // does not bind.
  bool burst = false;
  bool empty() const {
    return read + write <= BytesPerSecond(0) && opens + creates <= PerSecond(0) &&
           read_operations + write_operations <= PerSecond(0);
  }
};

// The demand of all phases, which follow each other; the capacity is for all of them.
struct StorageDemand {
  std::vector<StoragePhase> phases;
  Bytes capacity{};
  bool one_directory = false;  // all files lie in one
};

// One resource of a storage, and the units that it takes.
struct Binding {
  std::string phase;     // key of the phase; "" for the capacity
  std::string resource;  // "read bandwidth", "capacity", ...
  Count units;
  std::string formula, source;
  bool burst = false;
};

// The units that a phase takes by itself.
struct PhaseUnits {
  std::string key, name;
  Count units;  // 0: no figure to count by
  bool burst = false;
};

struct Sizing {
  StorageProfile storage;
  Count units;           // the largest of `bindings` without bursts; 0: no figure to count by
  std::string bound_by;  // its resource and phase: "read bandwidth of training"
  std::vector<PhaseUnits> phases;
  // Servers that hold the units; 0: no source gives how many one holds.
  Count servers;
  std::string servers_bound_by;   // "slots" or "their read bandwidth" or "... write ..."
  std::vector<Binding> bindings;  // the resources that the demand needs and the profile knows
  // The resources that the demand needs and no source gives for this storage.
  std::vector<std::string> unknown;
  Count ports;  // to carry the larger of reads and writes, bursts left out
  // The effect of all files in one directory, or why there is none; "" if not asked.
  std::string one_directory;
  std::optional<Count> requests;  // in flight at once, where one request has a limited speed
};
Sizing size_storage(const StorageDemand& demand, const StorageProfile& storage,
                    const NetworkPort& port);

}  // namespace feedrate

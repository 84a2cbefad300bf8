// How many units of a described storage carry a demand, and what binds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "feedrate/base/quantity.h"
#include "feedrate/plan/figure.h"
#include "feedrate/plan/storage_profile.h"

namespace feedrate {

// What all jobs together ask of one storage.
struct StorageDemand {
  BytesPerSecond read, write;
  PerSecond read_operations, write_operations;
  PerSecond opens, creates;
  Bytes capacity;
  bool one_directory = false;  // all files lie in one
};

// One resource of a storage and the units that it takes.
struct Binding {
  std::string resource;  // "read bandwidth", "capacity", ...
  Count units;
  std::string formula, source;
};

struct Sizing {
  StorageProfile storage;
  Count units;                       // the largest of `bindings`; 0: no figure to count by
  std::string bound_by;              // its resource
  Count servers;                     // that hold the units; 0: no source tells how many one holds
  std::vector<Binding> bindings;     // what the demand has and the profile knows
  std::vector<std::string> unknown;  // what the demand has and no source tells of this storage
  Count ports;                       // to carry the larger of reads and writes
  std::optional<Count> requests;     // in flight at once, where one request has a limited speed
};
Sizing size_storage(const StorageDemand& demand, const StorageProfile& storage,
                    const NetworkPort& port);

}  // namespace feedrate

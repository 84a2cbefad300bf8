// Finds, or makes, the data set that a run reads.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/request/run_options.h"

namespace feedrate {

struct FoundDataset {
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::string> warnings;
  bool just_written = false;
  // An index of the files was written, so that the next run need not look into them.
  bool index_made = false;
};

// What finding a data set asks of whoever waits for it.
struct DataHooks {
  std::stop_token stop;
  // Writes the data set, with so many files at once; it may be empty where none is made.
  std::function<Result<>(const Dataset&, unsigned jobs)> write;
};

// Whether the run would go on with this data set; it is asked before the data set is written.
using DatasetCheck = std::function<Result<>(const std::shared_ptr<const Dataset>&)>;

// Finds the data set by --data or by the manifest in the directory; where the storage reads no
// files it is only described. `make` says what to generate when the directory has no whole data
// set, provided that `check` agrees; with a null `make` that is an error.
Result<FoundDataset> find_dataset(const RunOptions& options, const Workload& workload,
                                  const DatasetOptions* make, const DataHooks& hooks,
                                  const DatasetCheck& check = {});

// Returns a value for --size, as its user would write it, with which a data set of the workload has
// `samples` samples.
std::string size_for_samples(const Workload& workload, std::uint64_t samples);

}  // namespace feedrate

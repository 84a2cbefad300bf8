// Finds, or makes, the data set that a run reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "feedrate/cli/run_options.h"

namespace feedrate {

struct FoundDataset {
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::string> warnings;
  bool just_written = false;
};

// By --data, by the manifest in the directory, or described only when the storage reads no files.
// `make` is what to generate when the directory has no whole data set; null: that is an error.
Result<FoundDataset> find_dataset(const RunOptions& options, const Workload& workload,
                                  const DatasetOptions* make, const CommandContext& context);

}  // namespace feedrate

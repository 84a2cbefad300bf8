// Finds, or makes, the data set that a run reads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "feedrate/cli/run_options.h"

namespace feedrate {

struct FoundDataset {
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::string> warnings;
  bool just_written = false;
  bool index_made =
      false;  // the next run finds the index of the files, and need not look into them
};

// By --data, by the manifest in the directory, or described only when the storage reads no files.
// Whether the run would go on with a data set, asked before that one is written.
using DatasetCheck = std::function<Result<>(const std::shared_ptr<const Dataset>&)>;

// `make` is what to generate when the directory has no whole data set, if `check` says so;
// null: that is an error.
Result<FoundDataset> find_dataset(const RunOptions& options, const Workload& workload,
                                  const DatasetOptions* make, const CommandContext& context,
                                  const DatasetCheck& check = {});

// A --size, as its user writes it, with which a data set of the workload has so many samples.
std::string size_for_samples(const Workload& workload, std::uint64_t samples);

}  // namespace feedrate

// What the words of `find` ask for: its searches, checked.
#pragma once

#include <memory>

#include "feedrate/find/searches.h"
#include "feedrate/request/find_limits.h"
#include "feedrate/request/run_options.h"

namespace feedrate {

// Fails for a word like "unet3d=8xh100", a job as plan takes it, and says how find takes it.
Result<> check_job_word(const RunOptions& options);

// The words of a search, which are the same whichever client it is for.
struct SearchWords {
  const RunOptions& options;
  const Workload& workload;
  const SearchLimits& limits;

  // Returns the search with this client. `there` says that the data set existed before, in a
  // directory where no larger one can be made. Errors are kUsage.
  Result<SearchSetup> resolve(std::shared_ptr<const Dataset> dataset, ClientKind client,
                              bool there) const;
};

}  // namespace feedrate

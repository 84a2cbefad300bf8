// Dropping files from this host's page cache as an experiment: what was dropped, and what stayed.
#pragma once

#include <stop_token>
#include <string>

#include "feedrate/base/error.h"
#include "feedrate/experiment/reported.h"
#include "feedrate/result/data_result.h"

namespace feedrate {

// One of the two is set.
struct DropSetup {
  std::string directory;  // A data set that feedrate wrote.
  std::string data;       // A file or a folder of the user's own.
};

// Fails where there is nothing that could be dropped. `ended` is an error where more than 1 %
// remained, where that is not known, or where it was stopped; the report then says how far it came.
// It blocks, and needs no privilege.
Result<Reported<DropResult>> drop_caches(const DropSetup& setup, const std::stop_token& stop);

}  // namespace feedrate

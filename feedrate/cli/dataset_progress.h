// Writes data sets, and tells of it.
#pragma once

#include "feedrate/experiment/datasets.h"
#include "feedrate/options/command.h"
#include "feedrate/request/data_request.h"

namespace feedrate {

// Writes the data set, or the part of it that is missing, with progress on stderr.
Result<GenerateSummary> generate_with_progress(const Dataset& dataset, unsigned jobs,
                                               const CommandContext& context,
                                               GenerateProgress& progress);

// Returns hooks with which a data set that is missing is written like that.
DataHooks writing_hooks(const CommandContext& context);

}  // namespace feedrate

// Data sets as an experiment: what is written and where, and the report that is made of it.
#pragma once

#include <memory>

#include "feedrate/dataset/generate.h"
#include "feedrate/experiment/training.h"
#include "feedrate/result/data_result.h"

namespace feedrate {

// Writes the data set, or the part of it that is missing, with one reactor a core. Errors are those
// of generate_dataset(); directories that it made are gone again after one if nothing is in them.
Result<GenerateSummary> write_dataset(const Dataset& dataset, unsigned jobs,
                                      GenerateProgress& progress, const RunHooks& hooks);

// Makes the report of a data set. `written` is what write_dataset() returned, or null where nothing
// was to be written. `progress` tells what was done before an error.
DatagenResult report_dataset(const Workload& workload, const Dataset& dataset,
                             const Result<GenerateSummary>* written,
                             const GenerateProgress& progress);

}  // namespace feedrate

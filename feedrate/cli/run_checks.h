// Options of train and find that would have no effect, as things are: each is an error that says
// why, since its user would take the result for one with it.
#pragma once

#include "feedrate/cli/run_options.h"

namespace feedrate {

struct FindLimits;

// By storage and clock.
Result<> check_effects(const RunOptions& options, ClockKind clock, bool no_files);
// Of a search, which decides by itself how long a trial is.
Result<> check_search_effects(const RunOptions& options, ClientKind client,
                              const FindLimits& limits);
// Of the step time, which --batch and --step-time may say in full.
Result<> check_timing_effect(const RunOptions& options);
// Of what is kept of the user's own files.
Result<> check_index_effect(const RunOptions& options, const Dataset& found);
// By how the files are read.
Result<> check_cache_effect(const RunOptions& options, IoMode io);
// By the order of the reads, of what --set said.
Result<> check_order_effects(const WorkloadOptions& options, const Workload& workload,
                             AccessOrder order);
// What says how a data set is made, where none is: `there` is the one that is read instead, or
// null where one is only described.
Result<> check_dataset_effects(const DatasetOptions& make, const Dataset* there);

}  // namespace feedrate

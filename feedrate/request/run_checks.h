// Finds options of train and find that would have no effect as things are. Each is an error that
// says why, since its user would otherwise take the result for one with it.
#pragma once

#include "feedrate/request/run_options.h"

namespace feedrate {

struct FindLimits;

// Checks options whose effect depends on the storage and the clock.
Result<> check_effects(const RunOptions& options, ClockKind clock, bool no_files);
// Checks the options of a search, which decides by itself how long a trial is.
Result<> check_search_effects(const RunOptions& options, ClientKind client,
                              const FindLimits& limits);
// Checks the options of the step time, which --batch and --step-time may give in full.
Result<> check_timing_effect(const RunOptions& options);
// Checks the options of the index that is kept of the user's own files.
Result<> check_index_effect(const RunOptions& options, const Dataset& found);
// Checks --cache, which has an effect only where reads go through the page cache.
Result<> check_cache_effect(const RunOptions& options, IoMode io);
// Checks --set shuffle_buffer_samples, which has an effect only in sequential order.
Result<> check_order_effects(const WorkloadOptions& options, const Workload& workload,
                             AccessOrder order);
// Checks the options that say how a data set is made, where none is made. `there` is the data set
// that is read instead, or null where it is only described.
Result<> check_dataset_effects(const DatasetOptions& make, const Dataset* there);

}  // namespace feedrate

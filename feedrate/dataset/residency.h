// The part of a data set that this host's page cache holds, and dropping it. The calls block; they
// need no privilege.
#pragma once

#include <stop_token>

#include "feedrate/dataset/dataset.h"
#include "feedrate/host/page_cache.h"

namespace feedrate {

// Returns the full paths of everything that a run reads: the files of samples, side files, and the
// label manifest. `dataset` must outlive the list.
FileList files_of(const Dataset& dataset);

ResidencySummary dataset_residency(const Dataset& dataset,
                                   std::uint64_t files_max = kResidencySampleFiles);

// Drops all files of the data set from the page cache, so that the next read comes from storage.
DropSummary drop_page_cache(const Dataset& dataset, const std::stop_token& stop = {});

}  // namespace feedrate

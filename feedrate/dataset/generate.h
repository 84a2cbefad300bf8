// Writes a planned data set.
//
// Each file is written to NAME.part, synced and renamed, so a file with its final name is whole. An
// interrupted generation goes on where it was: files that are there with the right size are kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>

#include "feedrate/dataset/dataset.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

// The progress, which another thread may read while generation runs.
struct GenerateProgress {
  std::atomic<std::uint64_t> bytes_total = 0;  // to write in this call
  std::atomic<std::uint64_t> bytes_written = 0;
  std::atomic<std::uint64_t> files_kept = 0;  // found whole from an earlier call
};

struct GenerateOptions {
  unsigned jobs = 0;  // files written at once over all reactors; 0: 4 per reactor
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
};

struct GenerateSummary {
  std::uint64_t files_written = 0, files_kept = 0, bytes_written = 0;
  Duration elapsed{};
  unsigned jobs = 0;  // The files that were written at once.
};

// Checks whether a directory may take a data set, as generate_dataset() does, but writes nothing.
Result<> check_takes_dataset(const Dataset& dataset);

// Refuses (kUsage) a directory that is not empty and has no manifest of ours, or whose manifest
// says something else. Returns kNoSpace, before anything is written, when the file system has less
// room than needed; when it fills up all the same, the files that are there stay, and a later call
// goes on. Returns kCancelled when stopped. The group runs once.
Result<GenerateSummary> generate_dataset(ReactorGroup& group, const StorageFactory& storage,
                                         const Dataset& dataset, const GenerateOptions& options,
                                         GenerateProgress& progress, const std::stop_token& stop);

}  // namespace feedrate

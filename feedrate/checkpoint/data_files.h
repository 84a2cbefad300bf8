// Lets a job checkpoint a user's own files: those of a directory, whatever is in them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/checkpoint/layout.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

// Returns all files below `directory` as "files/PATH", each as one tensor of bytes that is named
// PATH. They are dealt out over `ranks`, the largest first, each to the rank with the fewest bytes.
// Fails with kUsage when there is none.
Task<Result<std::vector<RankFiles>>> plan_data_files(Storage& storage, const std::string& directory,
                                                     std::uint64_t ranks);

}  // namespace feedrate

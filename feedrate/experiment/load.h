// Loading a model's weights as an experiment, and the report of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "feedrate/experiment/transfer.h"
#include "feedrate/host/proc_files.h"
#include "feedrate/result/load_result.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {

enum class LoadSource : std::uint8_t {
  kDescribed,  // The files that the model would be written to, on storage that moves no bytes.
  kOurs,       // A checkpoint of ours: each rank of a replica reads what it needs of it.
  kForeign,    // A model's files in a directory: each replica reads all of them.
};
// Says which of them a directory of this place is, by whether we marked it.
LoadSource find_load_source(const StoragePlace& place, const std::string& directory);

struct LoadSetup : TransferSetup {
  LoadSource source = LoadSource::kDescribed;
  std::string directory;  // As the user wrote it.
  ModelShape model;
  std::uint64_t replicas = 1;
  std::uint64_t tensor = 1;           // The ranks of a replica, each with a part of every tensor.
  double weight_bytes = 2;            // Of described files: 1, 2 or 4.
  std::optional<std::uint64_t> step;  // Of ours: only this one is tried when it is set.
  HostRoots host;                     // Whose counters tell what came from storage.
};

// Does the work of `load`. Fails with kUsage where the checkpoint is of another model or there are
// no files of one, and as load_files() and restore_checkpoint() do.
Reported<LoadResult> load(const LoadSetup& setup, const RunHooks& hooks);

}  // namespace feedrate

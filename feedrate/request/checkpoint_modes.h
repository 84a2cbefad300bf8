// The options of `checkpoint` and `train` that say how a checkpoint is taken.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/experiment/world.h"
#include "feedrate/options/option_table.h"

namespace feedrate {

struct CheckpointModeOptions {
  bool asynchronous = false, incremental = false;
  std::string local, local_storage, snapshot_bandwidth, write_limit, increments;
  std::vector<std::string> rank_bandwidths;

  // The names of the options begin with "--" and `prefix`, which is "" or "checkpoint-". `beside`
  // is the option without which they have no effect; "" means that they need none.
  void declare(OptionTable& table, std::string_view prefix, std::string_view beside);
  // Sets the modes of `job`, whose ranks must be known by now, unless it writes a user's files.
  // Fails with kUsage for options that contradict each other. `moves_data` says whether the storage
  // carries data.
  Result<> resolve(bool moves_data, CheckpointWriteJob& job) const;
  // Returns the place of the node-local level; none where there is one level only. `wanted` is what
  // --io says.
  Result<std::optional<StoragePlace>> local_place(bool moves_data, IoMode wanted) const;

 private:
  std::string flag(std::string_view name) const { return "--" + prefix_ + std::string(name); }
  Result<> resolve_rank_bandwidths(CheckpointWriteJob& job) const;

  std::string prefix_;
};

// Returns a text like "written 1.2 GiB of 3 GiB"; "" before the first byte.
std::string checkpoint_progress_text(const char* what, const CheckpointProgress& progress);

}  // namespace feedrate

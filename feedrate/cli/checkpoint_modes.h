// How a checkpoint is taken: options of `checkpoint` and `train`.
#pragma once

#include <string>
#include <vector>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/cli/option_table.h"

namespace feedrate {

struct CheckpointModeOptions {
  bool asynchronous = false, incremental = false;
  std::string local, local_storage, snapshot_bandwidth, write_limit, increments;
  std::vector<std::string> rank_bandwidths;

  // Names begin with "--" and `prefix`: "" or "checkpoint-". `beside`: without which they have no
  // effect, "" for nothing.
  void declare(OptionTable& table, std::string_view prefix, std::string_view beside);
  // Sets the modes of `job`, whose ranks are known (a user's files: are not); kUsage for what does
  // not go together. `moves_data`: whether the storage does.
  Result<> resolve(bool moves_data, CheckpointWriteJob& job) const;
  // The storage of the node-local level; empty for one level. `seed` is that of the shared level.
  Result<StorageFactory> local_factory(bool moves_data, IoMode wanted, std::uint64_t seed) const;

 private:
  std::string flag(std::string_view name) const { return "--" + prefix_ + std::string(name); }
  Result<> resolve_rank_bandwidths(CheckpointWriteJob& job) const;

  std::string prefix_;
};

// "written 1.2 GiB of 3 GiB"; "" before the first byte.
std::string checkpoint_progress_text(const char* what, const CheckpointProgress& progress);

}  // namespace feedrate

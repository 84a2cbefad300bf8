// Makes an incremental checkpoint whole by itself, from what it builds upon, so that older ones can
// go. No job is needed for it: the bytes come from storage and are checked on their way.
//
// It keeps its step and its place. Its files are written beside what is there and synced, then its
// manifest is replaced by one rename, and only then its changed blocks go: a crash at any moment
// leaves it as it was or as it shall be.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/checkpoint/writer.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

struct CompactJob {
  std::string directory;
  std::optional<std::uint64_t> step;  // The newest when it is not set.
  // Afterwards only so many of the newest ones and what those build upon are kept; 0 keeps all.
  std::uint64_t keep = 0;
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;
  std::uint64_t at_once = 4;  // The reads and writes of one rank that are in flight at once.
};

struct CompactSummary {
  std::uint64_t step = 0, bytes = 0;
  std::uint64_t steps_read = 1;  // 1 means that it was whole already and nothing was written.
  Duration elapsed{};
  std::vector<std::uint64_t> removed;
};

// Fails with kNotFound when there is no such checkpoint, and with kCorrupt when what it builds upon
// is damaged; it then stays as it is. This is the one run that the group can make.
Result<CompactSummary> compact_checkpoint(ReactorGroup& group, const StorageFactory& storage,
                                          const CompactJob& job, CheckpointProgress& progress,
                                          const std::stop_token& stop);

}  // namespace feedrate

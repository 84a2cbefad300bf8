// Makes setups for tests that move checkpoints and models: real ones in a temporary directory, and
// described ones on the virtual clock.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "feedrate/checkpoint/checkpoint_testing.h"
#include "feedrate/engine/engine_testing.h"
#include "feedrate/experiment/checkpoints.h"
#include "feedrate/host/byte_origin.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {

// Files in a directory, through the page cache, since that works everywhere.
inline TransferSetup real_transfer(const std::string& directory) {
  TransferSetup setup;
  setup.world = {ClockKind::kReal, IoEngine::kAuto, 2};
  setup.place = {.spec = local_files(), .io = IoMode::kBuffered, .directory = directory};
  setup.block_bytes = 65536;
  return setup;
}

inline TransferSetup described_transfer(const std::string& storage) {
  TransferSetup setup;
  setup.world.clock = ClockKind::kVirtual;
  setup.place = {.spec = parse_storage(storage).value(), .directory = "."};
  setup.block_bytes = 65536;
  return setup;
}

// Checkpoints of a tiny model on four ranks.
inline CheckpointSetup tiny_checkpoints(const TransferSetup& transfer,
                                        const std::string& directory) {
  CheckpointSetup setup;
  static_cast<TransferSetup&>(setup) = transfer;
  setup.layout = make_checkpoint_layout("raw").value();
  setup.model = "tiny";
  CheckpointWriteJob& job = setup.job;
  job.layout = setup.layout.get();
  job.directory = directory;
  job.block_bytes = setup.block_bytes;
  job.head.model = "tiny";
  job.head.layout = "raw";
  job.head.step = 1;
  job.head.parallelism = {.tensor = 2, .pipeline = 1, .data = 2, .zero_stage = 1};
  job.head.content.block_bytes = 4096;
  std::vector<RankGroups> groups;
  for (std::uint64_t rank = 0; rank < 4; ++rank)
    groups.push_back({rank, checkpoint_tensors(tiny_model(), job.head.parallelism, {},
                                               place_of_rank(job.head.parallelism, rank))});
  job.ranks = setup.layout->place(groups);
  return setup;
}

// A directory of checkpoints, "c" in a temporary one.
class TransferTest : public testing::Test {
 protected:
  TransferSetup here() const { return real_transfer(temporary_.path()); }
  CheckpointSetup checkpoints() const { return tiny_checkpoints(here(), directory_); }
  void write(const CheckpointSetup& setup) const {
    const Reported<CheckpointResult> done = checkpoint(setup, {});
    ASSERT_TRUE(done.ended) << done.ended.error().message();
  }
  void damage(std::uint64_t step) const {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_ + "/" + step_folder(step)))
      if (entry.path().extension() == ".bin") std::filesystem::resize_file(entry.path(), 10);
  }
  // Whether the temporary directory is in memory, which hides what is said of the page cache.
  bool in_memory() const {
    return find_byte_origin(temporary_.path()).from() == BytesFrom::kMemory;
  }

  const TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path("c");
};

// Hooks whose stop was asked for before anything began.
inline RunHooks stopped_hooks() {
  std::stop_source stop;
  stop.request_stop();
  RunHooks hooks;
  hooks.stop = stop.get_token();
  return hooks;
}

inline constexpr std::string_view kThroughCache =
    "reads go through the page cache: what this host's memory holds did not come from storage";

}  // namespace feedrate

// Moving the bytes of checkpoints and models: what the verbs that do so decide alike, the world in
// which they do it, and what their reports say of both.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "feedrate/checkpoint/restore.h"
#include "feedrate/experiment/reported.h"
#include "feedrate/experiment/training.h"
#include "feedrate/experiment/world.h"
#include "feedrate/result/checkpoint_result.h"

namespace feedrate {

struct TransferSetup {
  WorldSpec world;
  StoragePlace place;
  std::uint64_t block_bytes = std::uint64_t{4} << 20U;  // One read or write.
  std::uint64_t at_once = 4;                            // Of one rank, in flight.
};

// What a transfer runs in. It makes one run, and is destroyed after it.
class TransferWorld {
 public:
  // `seed` is for what a described storage draws. What `hooks` point to must outlive it.
  static Result<TransferWorld> make(const TransferSetup& setup, const RunHooks& hooks,
                                    std::uint64_t seed = 1);

  ReactorGroup& group() { return world_.group(); }
  const StorageFactory& storage() const { return storage_; }
  CheckpointProgress& progress() { return own_progress_ ? *own_progress_ : *hooks_.moved; }
  const std::stop_token& stop() const { return hooks_.stop; }

 private:
  TransferWorld(World world, const StoragePlace& place, const RunHooks& hooks, std::uint64_t seed);

  World world_;
  RunHooks hooks_;
  StorageFactory storage_;
  std::unique_ptr<CheckpointProgress> own_progress_;  // Where nobody hooked in one.
  std::shared_ptr<void> watching_;                    // Goes before the world that it watches.
};

// Puts the place and the settings of the setup into the report. `directory` is the user's, who may
// have named one that does not exist yet. It warns where that is in this host's memory and, with
// `reads`, where reads go through the page cache.
void describe_transfer(const TransferSetup& setup, const std::string& directory, bool reads,
                       Envelope& report);

// Adds to the report what the reactors that were made say.
void describe_group(const ReactorGroup& group, Envelope& report);

// Puts the ranks, and how they are dealt out, among the settings.
void describe_parallelism(const Parallelism& used, Envelope& report);

// The times of ranks, and the checkpoints that were left out, as reports have them.
std::vector<RankTimeResult> rank_times(const std::vector<RankTime>& times);
std::vector<std::string> skipped_texts(const std::vector<SkippedCheckpoint>& skipped);

}  // namespace feedrate

#include "feedrate/experiment/transfer.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/host/byte_origin.h"

namespace feedrate {

Result<TransferWorld> TransferWorld::make(const TransferSetup& setup, const RunHooks& hooks,
                                          std::uint64_t seed) {
  FEEDRATE_TRY(World world, World::make(setup.world));
  return TransferWorld(std::move(world), setup.place, hooks, seed);
}

TransferWorld::TransferWorld(World world, const StoragePlace& place, const RunHooks& hooks,
                             std::uint64_t seed)
    : world_(std::move(world)), hooks_(hooks), storage_(world_.storage(place, seed)) {
  if (hooks.moved == nullptr) own_progress_ = std::make_unique<CheckpointProgress>();
  if (hooks.watch) watching_ = hooks.watch(world_.group());
}

void describe_transfer(const TransferSetup& setup, const std::string& directory, bool reads,
                       Envelope& report) {
  const std::string clock(to_string(setup.world.clock));
  report.place = {directory, setup.place.spec.word, setup.place.io_word(), clock};
  report.effective["storage"] = setup.place.spec.word;
  report.effective["clock"] = clock;
  report.effective["threads"] = std::to_string(setup.world.threads);
  report.effective["block"] = format_bytes(setup.block_bytes);
  report.effective["at-once"] = std::to_string(setup.at_once);
  if (!setup.place.carries_data()) return;
  report.effective["io"] = setup.place.io_word();
  const ByteOrigin origin = find_byte_origin(setup.place.directory);
  if (origin.from() == BytesFrom::kMemory)
    report.warnings.push_back(fmt::format(
        "{} is in this host's memory ({}): how fast that is says nothing of storage; name a "
        "directory on the storage that is meant",
        quote_path(directory), fmt::join(origin.memory, ", ")));
  else if (reads && setup.place.io == IoMode::kBuffered)
    report.warnings.emplace_back(
        "reads go through the page cache: what this host's memory holds did not come from storage");
}

void describe_group(const ReactorGroup& group, Envelope& report) {
  // On the virtual clock the kernel is asked for nothing, so that no engine holds.
  if (!group.is_virtual()) report.effective["io-engine"] = to_string(group.engine());
  report.warnings.insert(report.warnings.end(), group.warnings().begin(), group.warnings().end());
}

void describe_parallelism(const Parallelism& used, Envelope& report) {
  report.effective["ranks"] = std::to_string(used.ranks());
  report.effective["tensor-parallel"] = std::to_string(used.tensor);
  report.effective["pipeline-parallel"] = std::to_string(used.pipeline);
  report.effective["data-parallel"] = std::to_string(used.data);
  report.effective["zero"] = std::to_string(used.zero_stage);
}

std::vector<RankTimeResult> rank_times(const std::vector<RankTime>& times) {
  std::vector<RankTimeResult> result;
  for (const RankTime& time : times)
    result.push_back({time.rank, time.bytes, to_seconds(time.elapsed)});
  return result;
}

std::vector<std::string> skipped_texts(const std::vector<SkippedCheckpoint>& skipped) {
  std::vector<std::string> texts;
  for (const SkippedCheckpoint& each : skipped)
    texts.push_back(fmt::format("step {}: {}", each.step, each.reason));
  return texts;
}

}  // namespace feedrate

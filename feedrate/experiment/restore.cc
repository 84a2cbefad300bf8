#include "feedrate/experiment/restore.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

CheckpointResult begin_report(const RestoreSetup& setup) {
  CheckpointResult result;
  result.verb = "restore";
  describe_transfer(setup, setup.job.directory, true, result);
  result.effective["no-verify"] = setup.job.verify ? "no" : "yes";
  result.block_bytes = setup.block_bytes;
  result.at_once = setup.at_once;
  result.threads = setup.world.threads;
  result.kept_on = setup.place.spec.facts.persists ? quote_path(setup.job.directory) : "";
  return result;
}

void fill(const CheckpointRestoreSummary& summary, CheckpointResult& result) {
  const CheckpointManifest& manifest = summary.manifest;
  result.model = manifest.model;
  result.title = fmt::format("step {}", manifest.step);
  result.layout = manifest.layout;
  result.tensor = manifest.parallelism.tensor;
  result.pipeline = manifest.parallelism.pipeline;
  result.data = manifest.parallelism.data;
  result.zero_stage = manifest.parallelism.zero_stage;
  result.effective["ranks"] = std::to_string(summary.topology.ranks());
  // A user's own files have no tensors that are spread over ranks.
  if (manifest.emulated) describe_parallelism(summary.topology, result);
  result.scale = manifest.scale;
  result.ranks_written = manifest.ranks.size();
  for (const RankRecord& rank : manifest.ranks) result.files += rank.files.size();
  result.incremental = manifest.parent.has_value();
  result.steps_read = summary.steps_read;
  result.kept_on = quote_path(summary.directory);
  result.effective["step"] = std::to_string(manifest.step);
  if (summary.other_topology) {
    const Parallelism& by = summary.topology;
    result.read_by = fmt::format("tensor {} x pipeline {} x data {} = {} ranks, ZeRO {}", by.tensor,
                                 by.pipeline, by.data, by.ranks(), by.zero_stage);
    result.needed_bytes = summary.needed_bytes;
    result.effective["model"] = manifest.model;
  }
  CheckpointPass pass;
  pass.step = manifest.step;
  pass.bytes = pass.stored_bytes = summary.bytes;
  pass.seconds = to_seconds(summary.elapsed);
  pass.ranks = rank_times(summary.ranks);
  pass.summarise();
  result.passes.push_back(std::move(pass));
  result.read_latency = summarise_latency(summary.read_latency);
  result.skipped = skipped_texts(summary.skipped);
  // Of replicas that are alike only one has written, and a restart reads for all of them.
  const auto idle = std::ranges::count(summary.ranks, 0U, &RankTime::bytes);
  const std::uint64_t all = summary.topology.ranks();
  if (!summary.other_topology && manifest.emulated && idle > 0 && all > 1)
    result.warnings.push_back(fmt::format(
        "{} of {} wrote nothing and so read nothing here; a restart reads for every rank: "
        "--ranks={}",
        idle, format_counted(all, "rank"), all));
}

}  // namespace

Reported<CheckpointResult> restore(const RestoreSetup& setup, const RunHooks& hooks) {
  CheckpointResult result = begin_report(setup);
  Result<TransferWorld> world = TransferWorld::make(setup, hooks);
  if (!world) return {std::move(result), fail(world.error())};
  describe_group(world->group(), result);
  CheckpointRestoreJob job = setup.job;
  job.block_bytes = setup.block_bytes;
  job.reads_at_once = setup.at_once;
  const Result<CheckpointRestoreSummary> summary =
      restore_checkpoint(world->group(), world->storage(), job, world->progress(), world->stop());
  if (!summary) return {std::move(result), fail(summary.error())};
  fill(*summary, result);
  result.verified = job.verify;
  return {std::move(result), {}, true};
}

}  // namespace feedrate

#include "feedrate/experiment/compact.h"

#include "feedrate/base/units.h"

namespace feedrate {
Reported<CompactResult> compact(const CompactSetup& setup, const RunHooks& hooks) {
  CompactResult result;
  result.verb = "compact";
  // What the cache serves takes nothing from the result, which is a checkpoint and no measurement.
  describe_transfer(setup, setup.job.directory, false, result);
  if (setup.job.keep > 0) result.effective["keep"] = std::to_string(setup.job.keep);
  // Until it is known: the step that was asked for, of which nothing was read.
  result.step = setup.job.step.value_or(0);
  result.steps_read = 0;
  Result<TransferWorld> world = TransferWorld::make(setup, hooks);
  if (!world) return {std::move(result), fail(world.error())};
  describe_group(world->group(), result);
  CompactJob job = setup.job;
  job.block_bytes = setup.block_bytes;
  job.at_once = setup.at_once;
  const Result<CompactSummary> summary =
      compact_checkpoint(world->group(), world->storage(), job, world->progress(), world->stop());
  if (!summary) return {std::move(result), fail(summary.error())};
  result.step = summary->step;
  result.bytes = summary->bytes;
  result.steps_read = summary->steps_read;
  result.seconds = to_seconds(summary->elapsed);
  result.removed = summary->removed;
  result.effective["step"] = std::to_string(result.step);
  return {std::move(result), {}, true};
}

}  // namespace feedrate

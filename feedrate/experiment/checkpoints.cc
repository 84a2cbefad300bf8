#include "feedrate/experiment/checkpoints.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

CheckpointPass pass_of(const WrittenCheckpoint& written) {
  CheckpointPass pass;
  pass.step = written.step;
  pass.bytes = written.bytes;
  pass.stored_bytes = written.stored_bytes;
  pass.parent = written.parent;
  pass.waited_seconds = to_seconds(written.waited);
  pass.blocked_seconds = to_seconds(written.blocked);
  pass.persisted_seconds = to_seconds(written.persisted);
  pass.restorable_seconds = to_seconds(written.restorable);
  pass.shared_seconds = to_seconds(written.shared);
  pass.seconds = to_seconds(written.elapsed);
  pass.publish_seconds = to_seconds(written.publish);
  pass.ranks = rank_times(written.ranks);
  pass.summarise();
  return pass;
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

// Puts what is written, and how, among the settings. One that changes nothing is left out.
void describe_job(const CheckpointSetup& setup, CheckpointResult& result) {
  const CheckpointWriteJob& job = setup.job;
  const CheckpointManifest& head = job.head;
  std::map<std::string, std::string>& used = result.effective;
  const bool kept = setup.place.carries_data(), incremental = head.sum_block_bytes > 0;
  // A job without an end of its own has no number of them.
  if (!job.train_first) used["count"] = std::to_string(job.count);
  if (job.between > Duration{}) used["every"] = format_duration(job.between);
  used["async"] = yes_no(job.asynchronous);
  used["incremental"] = yes_no(incremental);
  if (incremental) used["increments"] = std::to_string(job.increments_max);
  if (kept && job.keep > 0) used["keep"] = std::to_string(job.keep);
  // Steps are the names of what is kept or built upon.
  if (kept || incremental) used["step-stride"] = std::to_string(job.step_stride);
  if (job.snapshot_bytes_per_second > 0)
    used["snapshot-bandwidth"] = format_rate(job.snapshot_bytes_per_second);
  if (job.write_bytes_per_second > 0) used["write-limit"] = format_rate(job.write_bytes_per_second);
  if (!job.local.empty()) used["local-storage"] = setup.local_storage;
  used["ranks"] = std::to_string(head.parallelism.ranks());
  if (!job.data.empty()) return;  // A user's own files have no tensors and no content of ours.
  describe_parallelism(head.parallelism, result);
  used["layout"] = result.layout;
  used["weight-bytes"] = fmt::format("{}", head.weight_bytes);
  used["bytes-per-parameter"] = fmt::format("{}", head.weight_bytes + head.optimizer_bytes);
  used["weights-only"] = yes_no(head.optimizer_bytes == 0);
  used["scale"] = fmt::format("{}", head.scale);
  used["subset"] = std::to_string(job.ranks.size());
  if (incremental || (kept && job.count > 1))
    used["changed"] = fmt::format("{}", head.content.changed);
  if (kept || incremental || setup.place.spec.facts.described)
    used["seed"] = std::to_string(head.content.seed);
}

}  // namespace

void place_tensors(const ModelShape& model, std::uint64_t ranks, CheckpointWriteJob& job) {
  const Parallelism& parallel = job.head.parallelism;
  const Precision precision{Bytes(job.head.weight_bytes), Bytes(job.head.optimizer_bytes)};
  std::vector<RankGroups> groups;
  for (std::uint64_t rank = 0; rank < ranks; ++rank)
    groups.push_back(
        {rank, checkpoint_tensors(model, parallel, precision, place_of_rank(parallel, rank))});
  job.ranks = job.layout->place(groups);
}

Result<CheckpointSetup> default_checkpoint_setup(const ModelShape& model,
                                                 const Parallelism& parallelism,
                                                 std::string_view layout,
                                                 const std::string& directory) {
  CheckpointSetup setup;
  setup.place = {.spec = costs_nothing(), .directory = directory};
  FEEDRATE_TRY(setup.layout, make_checkpoint_layout(std::string(layout)));
  setup.model = model.name;
  setup.title = model.title;
  CheckpointWriteJob& job = setup.job;
  job.layout = setup.layout.get();
  job.directory = directory;
  job.head.layout = layout;
  job.head.model = model.name;
  job.head.step = 1;
  job.head.parallelism = parallelism;
  const Precision precision = published_precision(model);
  job.head.weight_bytes = precision.weights.value();
  job.head.optimizer_bytes = precision.optimizer.value();
  place_tensors(model, parallelism.ranks(), job);
  return setup;
}

CheckpointResult report_checkpoints(const CheckpointSetup& setup,
                                    const CheckpointWriteSummary& summary) {
  const CheckpointWriteJob& job = setup.job;
  CheckpointResult result;
  result.verb = "checkpoint";
  result.model = setup.model;
  result.title = setup.title;
  result.layout = job.data.empty() ? job.head.layout : "as they are";
  describe_transfer(setup, job.directory, false, result);
  describe_job(setup, result);
  result.block_bytes = setup.block_bytes;
  result.at_once = setup.at_once;
  result.threads = setup.world.threads;
  result.kept_on = setup.place.spec.facts.persists ? quote_path(job.directory) : "";
  result.seeds["content"] = job.head.content.seed;
  const Parallelism& parallel = job.head.parallelism;
  result.tensor = parallel.tensor;
  result.pipeline = parallel.pipeline;
  result.data = parallel.data;
  result.zero_stage = parallel.zero_stage;
  result.ranks_written = job.data.empty() ? job.ranks.size() : job.data_ranks;
  result.scale = job.head.scale;
  result.files = summary.files;
  result.kept = job.keep;
  result.asynchronous = job.asynchronous;
  result.incremental = job.head.sum_block_bytes > 0;
  result.local = job.local;
  result.snapshot_memory_bytes = summary.snapshot_bytes;
  result.write_limit_bytes_per_second = job.write_bytes_per_second;
  for (const WrittenCheckpoint& written : summary.written)
    result.passes.push_back(pass_of(written));
  result.write_latency = summarise_latency(summary.write_latency);
  result.sync_latency = summarise_latency(summary.sync_latency);
  result.generation_bytes_per_second = summary.generation_bytes_per_second;
  return result;
}

Reported<CheckpointResult> write_and_report(const CheckpointSetup& setup, ReactorGroup& group,
                                            const StorageFactory& storage,
                                            CheckpointProgress& progress,
                                            const std::stop_token& stop,
                                            CheckpointWriteSummary& summary) {
  Result<CheckpointWriteSummary> written =
      write_checkpoints(group, storage, setup.local, setup.job, progress, stop, &summary);
  if (written) summary = std::move(*written);
  CheckpointResult result = report_checkpoints(setup, summary);
  describe_group(group, result);
  const bool figures = !result.passes.empty();
  return {std::move(result), written ? Result<>() : fail(written.error()), figures};
}

Reported<CheckpointResult> checkpoint(const CheckpointSetup& setup, const RunHooks& hooks) {
  Result<TransferWorld> world = TransferWorld::make(setup, hooks, setup.job.head.content.seed);
  if (!world) return {report_checkpoints(setup, {}), fail(world.error())};
  CheckpointWriteSummary summary;
  return write_and_report(setup, world->group(), world->storage(), world->progress(), world->stop(),
                          summary);
}

}  // namespace feedrate

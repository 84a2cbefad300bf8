#include "feedrate/experiment/checkpoints.h"

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
  for (const RankTime& time : written.ranks)
    pass.ranks.push_back({time.rank, time.bytes, to_seconds(time.elapsed)});
  pass.summarise();
  return pass;
}

}  // namespace

CheckpointResult report_checkpoints(const CheckpointSetup& setup,
                                    const CheckpointWriteSummary& summary) {
  const CheckpointWriteJob& job = setup.job;
  CheckpointResult result = setup.begun;
  result.verb = "checkpoint";
  result.model = setup.model;
  result.title = setup.title;
  result.layout = job.data.empty() ? job.head.layout : "as they are";
  result.effective["layout"] = result.layout;
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

}  // namespace feedrate

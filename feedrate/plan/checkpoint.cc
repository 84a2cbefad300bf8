#include "feedrate/plan/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

namespace feedrate {
namespace {

constexpr const char* kFailureSource =
    "50,000 h an accelerator: MLPerf Storage v2.0 release; Llama 3 on 16,384 H100 had 50,677 h";
constexpr const char* kSnapshotSource =
    "26.4 GiB/s measured over PCIe Gen4 x16 (gds-report.pages.dev/theory)";
constexpr const char* kYoungSource = "Young, CACM 1974: sqrt(2 x MTBF x cost)";

std::string percent(Count value) { return show(Measure::fraction(value)); }

// Every data-parallel rank reads what it holds: weights that only the first one wrote are read by
// all of them.
Bytes restart_bytes(const CheckpointJob& job, const CheckpointSize& size) {
  const Count replicas = count_of(job.parallelism.data);
  const bool weights_sharded = job.parallelism.zero_stage >= 3;
  const bool optimizer_sharded = job.parallelism.zero_stage >= 1;
  return size.weights * (weights_sharded ? Count(1) : replicas) +
         size.optimizer * (optimizer_sharded ? Count(1) : replicas);
}

void add_size(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  const ModelShape& model = job.model;
  const Parallelism& parallel = job.parallelism;
  section.add(
      "parameters", "parameters", model.parameters(),
      model.is_transformer()
          ? fmt::format("layers x layer + embeddings + norm = {} x {} + {} x {} + {}", model.layers,
                        show(model.layer_parameters()), model.output_embedding ? 2 : 1,
                        show(model.embedding_parameters()), model.hidden)
          : "given",
      model.source);
  section.add("size", "checkpoint", need.size.sum(),
              fmt::format("parameters x ({} weights + {} optimizer){}", show(job.precision.weights),
                          show(job.precision.optimizer),
                          parallel.zero_stage > 0 ? " + 60 B x hidden a rank; norms once a tensor "
                                                    "rank"
                                                  : ""),
              "Adam in mixed precision, argonne-lcf/dlio_benchmark base_checkpointing.py");
  section.add("weights", "of which weights", need.size.weights,
              fmt::format("parameters x {}", show(job.precision.weights)));
  section.add("optimizer", "of which optimizer", need.size.optimizer,
              fmt::format("parameters x {}", show(job.precision.optimizer)));
  section.add("ranks", "ranks", need.size.ranks,
              fmt::format("tensor x pipeline x data = {} x {} x {}, ZeRO {}", parallel.tensor,
                          parallel.pipeline, parallel.data, parallel.zero_stage),
              model.parallelism_source);
  section.add(
      "largest_rank", "largest rank writes", need.size.largest_rank,
      "its layers, embeddings and part of the optimizer; it needs its share of the bandwidth");
  section.add("smallest_rank", "smallest rank writes", need.size.smallest_rank, "the same");
  section.add("files", "files", need.size.files,
              parallel.zero_stage >= 3 ? "weights and optimizer, one each a rank"
                                       : "weights: one a layer and tensor rank; optimizer: one a "
                                         "rank that writes it");
  section.add("state", "model state on an accelerator while it trains", need.state_per_accelerator,
              "weights, gradients and optimizer of one rank, in what ZeRO shards divided by data; "
              "activations come on top");
  if (job.accelerator_memory > Bytes(0) && need.state_per_accelerator > job.accelerator_memory)
    section.remarks.push_back(fmt::format(
        "the model state does not fit an accelerator of {}: it takes tensor x pipeline x data of "
        "at least {} with ZeRO 3",
        show(job.accelerator_memory),
        show(whole(model.parameters() *
                   (job.precision.optimizer + Count(2) * job.precision.weights) /
                   job.accelerator_memory))));
}

void add_times(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  section.add(
      "write_bandwidth", "write bandwidth within the stall budget", need.write,
      fmt::format("size / budget = {} / {}", show(need.size.sum()), show(job.stall_budget)));
  section.add("rank_write_bandwidth", "of which the largest rank alone", need.rank_write,
              fmt::format("{} / {}", show(need.size.largest_rank), show(job.stall_budget)));
  section.add("write_time", "time to write one", need.write_time,
              job.available_write > BytesPerSecond(0)
                  ? fmt::format("size / available = {} / {}", show(need.size.sum()),
                                show(job.available_write))
                  : "the stall budget");
  section.add(
      "mtbf", "time between failures of the job", need.mean_time_between_failures,
      fmt::format("of one / accelerators = {} / {}", show(job.failure_time), show(need.size.ranks)),
      kFailureSource);
  section.add("interval", "interval, synchronous", need.synchronous.interval,
              fmt::format("sqrt(2 x {} x {})", show(need.mean_time_between_failures),
                          show(need.synchronous.blocked)),
              kYoungSource);
  section.add("overhead", "overhead, synchronous", Measure::fraction(need.synchronous.overhead),
              fmt::format("write / interval + interval / (2 x MTBF) = {} / {} + {} / (2 x {})",
                          show(need.synchronous.blocked), show(need.synchronous.interval),
                          show(need.synchronous.interval), show(need.mean_time_between_failures)),
              kYoungSource);
  section.add("snapshot", "blocked by one, asynchronous", need.asynchronous.blocked,
              fmt::format("largest rank / its link to host memory = {} / {}",
                          show(need.size.largest_rank), show(job.snapshot)),
              kSnapshotSource);
  section.add("interval_async", "interval, asynchronous", need.asynchronous.interval,
              fmt::format("max(sqrt(2 x {} x {}), write {})", show(need.mean_time_between_failures),
                          show(need.asynchronous.blocked), show(need.write_time)),
              kYoungSource);
  section.add("overhead_async", "overhead, asynchronous",
              Measure::fraction(need.asynchronous.overhead),
              fmt::format("blocked / interval + (interval / 2 + write) / MTBF = {} / {} + ({} / 2 "
                          "+ {}) / {}",
                          show(need.asynchronous.blocked), show(need.asynchronous.interval),
                          show(need.asynchronous.interval), show(need.write_time),
                          show(need.mean_time_between_failures)),
              kYoungSource);
  if (need.synchronous.blocked > need.mean_time_between_failures * Count(0.1))
    section.remarks.push_back(
        "a checkpoint takes more than a tenth of the time between failures: the interval is a "
        "first-order figure and too short here; write faster, or asynchronously");
}

void add_rest(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  section.add("goodput", "goodput, synchronous, restarts included", Measure::fraction(need.goodput),
              fmt::format("1 - overhead - restart / MTBF = 1 - {} - {} / {}",
                          percent(need.synchronous.overhead), show(need.restart_time),
                          show(need.mean_time_between_failures)));
  section.add("incremental", "incremental checkpoint", need.incremental,
              fmt::format("size x changed = {} x {}", show(need.size.sum()), percent(job.changed)));
  section.add("restart_read", "read by all ranks at a restart", need.restart_read,
              job.parallelism.zero_stage >= 3
                  ? "every rank reads its part"
                  : "every data-parallel rank reads the weights; the optimizer once with ZeRO");
  section.add("restart_bandwidth", "read bandwidth to restart within the stall budget",
              need.restart_read / job.stall_budget,
              fmt::format("{} / {}", show(need.restart_read), show(job.stall_budget)));
  section.add("capacity", "storage for the kept ones and the one being written", need.capacity,
              fmt::format("({} + 1) x {}", show(job.kept), show(need.size.sum())));
  section.add("final_model", "final model, written", need.final_model,
              fmt::format("parameters x {}", show(job.precision.weights)));
  section.add("load", "final model, loaded by all replicas", need.load,
              fmt::format("replicas x model = {} x {}", show(job.loads), show(need.final_model)));
  section.add("load_bandwidth", "read bandwidth for that", need.load / job.load_budget,
              fmt::format("{} / {}", show(need.load), show(job.load_budget)));
  if (job.accelerator_cost > MoneyPerSecond(0)) {
    const MoneyPerSecond all = job.accelerator_cost * need.size.ranks;
    section.add("cost_lost", "cost of what checkpoints and failures take, synchronous",
                all * (Count(1) - need.goodput),
                fmt::format("{} x (1 - {})", show(all), percent(need.goodput)));
  }
}

}  // namespace

Seconds young_interval(Seconds mean_time_between_failures, Seconds cost) {
  return root(Count(2) * mean_time_between_failures * cost);
}

CheckpointNeed checkpoint_need(const CheckpointJob& job) {
  CheckpointNeed need;
  need.size = checkpoint_size(job.model, job.parallelism, job.precision);
  need.write = need.size.sum() / job.stall_budget;
  need.rank_write = need.size.largest_rank / job.stall_budget;
  need.write_time = job.available_write > BytesPerSecond(0) ? need.size.sum() / job.available_write
                                                            : job.stall_budget;
  need.mean_time_between_failures = job.failure_time / need.size.ranks;
  const Seconds mtbf = need.mean_time_between_failures;
  need.synchronous.blocked = need.write_time;
  need.synchronous.interval = young_interval(mtbf, need.write_time);
  need.synchronous.overhead = need.synchronous.blocked / need.synchronous.interval +
                              need.synchronous.interval / (Count(2) * mtbf);
  need.asynchronous.blocked = need.size.largest_rank / job.snapshot;
  need.asynchronous.interval =
      std::max(young_interval(mtbf, need.asynchronous.blocked), need.write_time);
  need.asynchronous.overhead = need.asynchronous.blocked / need.asynchronous.interval +
                               (need.asynchronous.interval / Count(2) + need.write_time) / mtbf;
  need.incremental = need.size.sum() * job.changed;
  need.restart_read = restart_bytes(job, need.size);
  need.restart_time =
      job.restart + (job.available_read > BytesPerSecond(0) ? need.restart_read / job.available_read
                                                            : job.stall_budget);
  need.goodput =
      std::max(Count(0), Count(1) - need.synchronous.overhead - need.restart_time / mtbf);
  need.capacity = (job.kept + Count(1)) * need.size.sum();
  need.final_model = job.model.parameters() * job.precision.weights;
  need.load = job.loads * need.final_model;
  const Count replicas = count_of(job.parallelism.data);
  const Count held =
      job.model.parameters() / count_of(job.parallelism.tensor * job.parallelism.pipeline);
  const auto sharded = [&](std::uint32_t stage) {
    return job.parallelism.zero_stage >= stage ? replicas : Count(1);
  };
  need.state_per_accelerator =
      held * (job.precision.optimizer / sharded(1) + job.precision.weights / sharded(2) +
              job.precision.weights / sharded(3));
  return need;
}

Section checkpoint_section(const CheckpointJob& job, const CheckpointNeed& need) {
  Section section;
  section.key = "checkpoint";
  section.title = fmt::format("Checkpoints: {}, {}", job.model.name, job.model.title);
  add_size(job, need, section);
  add_times(job, need, section);
  add_rest(job, need, section);
  for (const std::string& note : job.model.notes) section.remarks.push_back(note);
  return section;
}

}  // namespace feedrate

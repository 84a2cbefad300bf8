#include "feedrate/plan/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/workload/checkpoint_interval.h"

namespace feedrate {
namespace {

constexpr const char* kDalySource = "Daly, FGCS 22 (2006) 303-312; Young, CACM 17 (1974)";

std::string percent(Count value) { return show(Measure::fraction(value)); }

// Returns the bytes of rows of tables that lie on one data-parallel rank only, although ZeRO does
// not shard them.
Bytes read_once(const CheckpointJob& job) {
  const Count tables = job.model.row_wise_parameters();
  return tables * ((job.parallelism.zero_stage >= 3 ? Bytes(0) : job.precision.weights) +
                   (job.parallelism.zero_stage >= 1 ? Bytes(0) : job.precision.optimizer));
}

// Every data-parallel rank reads what it holds, so weights that only the first one wrote are read
// by all of them.
Bytes restart_bytes(const CheckpointJob& job, const CheckpointSize& size) {
  const Count replicas = count_of(job.parallelism.data);
  const bool weights_sharded = job.parallelism.zero_stage >= 3;
  const bool optimizer_sharded = job.parallelism.zero_stage >= 1;
  const Bytes all = size.weights * (weights_sharded ? Count(1) : replicas) +
                    size.optimizer * (optimizer_sharded ? Count(1) : replicas);
  return all - read_once(job) * (replicas - Count(1));
}

std::string parts(const RankShard& shard) {
  return fmt::format("weights + optimizer = {} + {}", show(shard.weights), show(shard.optimizer));
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
      : model.tensors.empty() ? "given"
                              : fmt::format("the sum of {} tensors", model.tensors.size()),
      model.source);
  section.add("size", "checkpoint", need.size.sum(),
              fmt::format("weights + optimizer = {} + {}", show(need.size.weights),
                          show(need.size.optimizer)));
  section.add("weights", "of which weights", need.size.weights,
              fmt::format("parameters x {} = {} x {}{}", show(job.precision.weights),
                          show(model.parameters()), show(job.precision.weights),
                          model.is_transformer() && parallel.tensor > 1
                              ? fmt::format("; norms {} times", parallel.tensor)
                              : ""),
              job.precision_source);
  // With ZeRO each rank also has five vectors of `hidden` with the optimizer's values
  // (checkpoint_shards.h).
  section.add("optimizer", "of which optimizer", need.size.optimizer,
              fmt::format("parameters x {} = {} x {}{}", show(job.precision.optimizer),
                          show(model.parameters()), show(job.precision.optimizer),
                          parallel.zero_stage > 0 && model.hidden > 0
                              ? fmt::format(" + ranks x 5 x {} x hidden = {} x 5 x {} x {}",
                                            show(job.precision.optimizer), show(need.size.ranks),
                                            show(job.precision.optimizer), model.hidden)
                              : ""),
              job.precision_source);
  section.add("ranks", "ranks", need.size.ranks,
              fmt::format("tensor x pipeline x data = {} x {} x {}, ZeRO {}", parallel.tensor,
                          parallel.pipeline, parallel.data, parallel.zero_stage),
              model.parallelism_source);
  section.add("largest_rank", "largest rank writes", need.size.largest.sum(),
              parts(need.size.largest));
  section.add("smallest_rank", "smallest rank writes", need.size.smallest.sum(),
              parts(need.size.smallest));
  section.add("files", "files", need.size.files(),
              fmt::format("{} = {} + {}",
                          parallel.zero_stage >= 3 ? "weights, one a rank + optimizer, one a rank"
                          : !model.is_transformer()
                              ? "weights, one a rank that writes them + optimizer, the same"
                              : "weights, one a layer and tensor rank + optimizer, one a rank "
                                "that writes it",
                          show(need.size.weight_files), show(need.size.optimizer_files)));
}

void add_state(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  const Parallelism& parallel = job.parallelism;
  const Count share = count_of(parallel.tensor * parallel.pipeline);
  const Count tables = job.model.row_wise_parameters();
  // ZeRO divides the optimizer from stage 1 on, the gradients from 2 and the weights from 3
  // (Rajbhandari et al., SC20).
  const auto divided = [&](std::uint32_t stage) {
    return parallel.zero_stage >= stage ? fmt::format(" / {}", parallel.data) : std::string();
  };
  section.add(
      "state", "model state on an accelerator while it trains", need.state_per_accelerator,
      fmt::format("parameters / (tensor x pipeline) x (optimizer{} + gradients{} + "
                  "weights{}) = {} / {} x ({}{} + {}{} + {}{}){}; activations come on top",
                  parallel.zero_stage >= 1 ? " / data" : "",
                  parallel.zero_stage >= 2 ? " / data" : "",
                  parallel.zero_stage >= 3 ? " / data" : "", show(job.model.parameters()),
                  show(share), show(job.precision.optimizer), divided(1),
                  show(job.precision.weights), divided(2), show(job.precision.weights), divided(3),
                  tables > Count(0)
                      ? fmt::format("; the rows of tables ({}) / data everywhere", show(tables))
                      : ""),
      job.precision_source);
  if (job.accelerator_memory > Bytes(0) && !job.memory_source.empty())
    section.add("memory_left", "memory of an accelerator beside its model state",
                std::max(Bytes(0), job.accelerator_memory - need.state_per_accelerator),
                fmt::format("memory - model state = {} - {}, for activations",
                            show(job.accelerator_memory), show(need.state_per_accelerator)),
                job.memory_source);
  if (job.accelerator_memory > Bytes(0) && need.state_per_accelerator > job.accelerator_memory)
    section.remarks.push_back(fmt::format(
        "the model state does not fit an accelerator of {}: it takes tensor x pipeline x data of "
        "at least {} with ZeRO 3",
        show(job.accelerator_memory),
        show(whole(job.model.parameters() *
                   (job.precision.optimizer + Count(2) * job.precision.weights) /
                   job.accelerator_memory))));
}

void add_write(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  const std::string budget = job.stall_budget.source();
  section.add(
      "write_bandwidth", "write bandwidth within the stall budget", need.write,
      fmt::format("size / budget = {} / {}", show(need.size.sum()), show(job.stall_budget.value)),
      budget);
  section.add("rank_write_bandwidth", "of which the largest rank alone", need.rank_write,
              fmt::format("largest rank / budget = {} / {}", show(need.size.largest.sum()),
                          show(job.stall_budget.value)),
              budget);
  const bool available = job.available_write > BytesPerSecond(0);
  section.add("write_time", "time to write one", need.write_time,
              available ? fmt::format("size / available = {} / {}", show(need.size.sum()),
                                      show(job.available_write))
                        : "the stall budget",
              available ? "--write-bandwidth" : budget);
  section.add(
      "incremental", "incremental checkpoint", need.incremental,
      fmt::format("size x changed = {} x {}", show(need.size.sum()), percent(job.changed.value)),
      job.changed.source());
  section.add("incremental_bandwidth", "write bandwidth for that within the stall budget",
              need.incremental_write,
              fmt::format("{} / {}", show(need.incremental), show(job.stall_budget.value)), budget);
}

std::string interval_formula(Seconds mtbf, Seconds cost) {
  if (cost >= Count(2) * mtbf) return "MTBF: a checkpoint takes twice that or more";
  return fmt::format(
      "sqrt(2 M C) x (1 + sqrt(C / 2M) / 3 + C / 18 M) - C with M = {}, C = {}; Young's sqrt(2 M "
      "C) = {}",
      show(mtbf), show(cost), show(root(Count(2) * mtbf * cost)));
}

// Adds one of the ways to checkpoint; `key` is "" or "_async".
void add_pace(const CheckpointNeed& need, const CheckpointPace& pace, const std::string& key,
              const std::string& name, Seconds lost, const std::string& lost_formula,
              Section& section) {
  const Seconds mtbf = need.mean_time_between_failures;
  section.add("overhead" + key, "overhead, " + name, Measure::fraction(pace.overhead),
              fmt::format("blocked and done again: 1 - T / (M (e^((T + C)/M) - 1)) with T = {}, C "
                          "= {}, M = {}{}",
                          show(pace.interval), show(pace.blocked), show(mtbf),
                          key.empty() ? "" : "; written late: see goodput"),
              kDalySource);
  section.add("goodput" + key, "goodput, " + name + ", restarts included",
              Measure::fraction(pace.goodput),
              fmt::format("(1 - overhead) / e^(R/M) = (1 - {}) / e^({} / {}); R = {} = {}",
                          percent(pace.overhead), show(lost), show(mtbf), lost_formula, show(lost)),
              kDalySource);
}

void add_times(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  const Seconds mtbf = need.mean_time_between_failures;
  section.add("mtbf", "time between failures of the job", mtbf,
              fmt::format("of one / accelerators = {} / {}", show(job.failure_time.value),
                          show(need.size.ranks)),
              job.failure_time.source());
  section.add("interval", "training between two, synchronous", need.synchronous.interval,
              interval_formula(mtbf, need.synchronous.blocked), kDalySource);
  add_pace(need, need.synchronous, "", "synchronous", need.restart_time, "restart + read", section);
  section.add("snapshot", "blocked by one, asynchronous", need.asynchronous.blocked,
              fmt::format("largest rank / its link to host memory = {} / {}",
                          show(need.size.largest.sum()), show(job.snapshot.value)),
              job.snapshot.source());
  // An asynchronous checkpoint must be written before the next one begins, so its write time bounds
  // the interval from below.
  section.add("interval_async", "training between two, asynchronous", need.asynchronous.interval,
              fmt::format("max(write time {}, {})", show(need.write_time),
                          interval_formula(mtbf, need.asynchronous.blocked)),
              kDalySource);
  add_pace(need, need.asynchronous, "_async", "asynchronous", need.restart_time + need.write_time,
           "restart + read + write, as what is not yet written is lost, too", section);
  section.add("write_bandwidth_async", "write bandwidth, asynchronous", need.write_behind,
              fmt::format("size / interval = {} / {}: done before the next one begins",
                          show(need.size.sum()), show(need.asynchronous.interval)));
  section.add("incremental_interval", "training between two, synchronous and incremental",
              need.incremental_interval,
              interval_formula(mtbf, need.write_time * job.changed.value), kDalySource);
  const bool async_better = need.asynchronous.goodput > need.synchronous.goodput;
  // A job without progress needs another remedy than one that writes slowly, so only the first
  // remark that applies is given.
  if (need.synchronous.goodput < Count(0.01) && need.asynchronous.goodput < Count(0.01))
    section.remarks.push_back(
        "the job makes no progress: failures come faster than it can save and restart; use fewer "
        "accelerators, or write, read and restart faster");
  else if (need.synchronous.blocked > mtbf * Count(0.1))
    section.remarks.push_back(fmt::format(
        "a checkpoint takes more than a tenth of the time between failures: write faster{}",
        async_better ? ", or asynchronously" : "; asynchronous ones would not help"));
}

void add_rest(const CheckpointJob& job, const CheckpointNeed& need, Section& section) {
  const Parallelism& parallel = job.parallelism;
  // From this stage of ZeRO on each rank reads its own part; before it, all data-parallel ranks
  // read the same bytes.
  const auto copies = [&](std::uint32_t stage) {
    return parallel.zero_stage >= stage ? 1 : parallel.data;
  };
  const Bytes once = read_once(job);
  section.add("restart_read", "read by all ranks at a restart", need.restart_read,
              fmt::format("readers of each x (weights, optimizer) = {} x {} + {} x {}{}", copies(3),
                          show(need.size.weights), copies(1), show(need.size.optimizer),
                          once > Bytes(0) && parallel.data > 1
                              ? fmt::format(" - {} x {} of tables, whose rows one reads",
                                            parallel.data - 1, show(once))
                              : ""));
  section.add("restart_bandwidth", "read bandwidth to restart within the stall budget",
              need.restart_read / job.stall_budget.value,
              fmt::format("restart read / budget = {} / {}", show(need.restart_read),
                          show(job.stall_budget.value)),
              job.stall_budget.source());
  section.add(
      "capacity", "storage for the kept ones and the one being written", need.capacity,
      fmt::format("(kept + 1) x size = ({} + 1) x {}", show(job.kept.value), show(need.size.sum())),
      job.kept.source());
  section.add("final_model", "final model, written", need.final_model,
              fmt::format("parameters x {} = {} x {}", show(job.precision.weights),
                          show(job.model.parameters()), show(job.precision.weights)),
              job.precision_source);
  section.add(
      "load", "final model, loaded by all replicas", need.load,
      fmt::format("replicas x model = {} x {}", show(job.loads.value), show(need.final_model)),
      job.loads.source());
  section.add("load_bandwidth", "read bandwidth for that", need.load / job.load_budget.value,
              fmt::format("load / time = {} / {}", show(need.load), show(job.load_budget.value)),
              job.load_budget.source());
  if (job.accelerator_cost > MoneyPerSecond(0)) {
    const MoneyPerSecond all = job.accelerator_cost * need.size.ranks;
    section.add("cost_lost", "cost of what checkpoints and failures take, synchronous",
                all * (Count(1) - need.synchronous.goodput),
                fmt::format("accelerators x cost x (1 - goodput) = {} x {} x (1 - {})",
                            show(need.size.ranks), show(job.accelerator_cost),
                            percent(need.synchronous.goodput)),
                "--accelerator-cost");
  }
}

// `late` is the time from the end of a blocking part until the checkpoint is durable.
CheckpointPace pace(Seconds mtbf, Seconds blocked, Seconds interval, Seconds restart,
                    Seconds late) {
  return {blocked, interval, Count(1) - daly_goodput(mtbf, interval, blocked, Seconds(0)),
          daly_goodput(mtbf, interval, blocked, restart + late)};
}

Bytes state_per_accelerator(const CheckpointJob& job) {
  const Parallelism& parallel = job.parallelism;
  const Count share = count_of(parallel.tensor * parallel.pipeline), data = count_of(parallel.data);
  const Count tables = job.model.row_wise_parameters() / share;
  const Count rest = job.model.parameters() / share - tables;
  const auto held = [&](std::uint32_t stage) {
    return tables / data + rest / (parallel.zero_stage >= stage ? data : Count(1));
  };
  return held(1) * job.precision.optimizer + (held(2) + held(3)) * job.precision.weights;
}

}  // namespace

CheckpointNeed checkpoint_need(const CheckpointJob& job) {
  CheckpointNeed need;
  const Seconds budget = job.stall_budget.value;
  need.size = checkpoint_size(job.model, job.parallelism, job.precision);
  need.write = need.size.sum() / budget;
  need.rank_write = need.size.largest.sum() / budget;
  need.write_time =
      job.available_write > BytesPerSecond(0) ? need.size.sum() / job.available_write : budget;
  const Seconds mtbf = need.mean_time_between_failures = job.failure_time.value / need.size.ranks;
  need.restart_read = restart_bytes(job, need.size);
  // Without a given bandwidth, the read may take as long as a stall.
  need.restart_time =
      job.restart.value +
      (job.available_read > BytesPerSecond(0) ? need.restart_read / job.available_read : budget);
  need.synchronous = pace(mtbf, need.write_time, daly_interval(mtbf, need.write_time),
                          need.restart_time, Seconds(0));
  const Seconds snapshot = need.size.largest.sum() / job.snapshot.value;
  // One must be written before the next begins, and what is not yet written is lost at a failure.
  need.asynchronous = pace(mtbf, snapshot, std::max(daly_interval(mtbf, snapshot), need.write_time),
                           need.restart_time, need.write_time);
  need.write_behind = need.size.sum() / need.asynchronous.interval;
  need.incremental = need.size.sum() * job.changed.value;
  need.incremental_write = need.incremental / budget;
  need.incremental_interval = daly_interval(mtbf, need.write_time * job.changed.value);
  need.capacity = (job.kept.value + Count(1)) * need.size.sum();
  need.final_model = job.model.parameters() * job.precision.weights;
  need.load = job.loads.value * need.final_model;
  need.state_per_accelerator = state_per_accelerator(job);
  return need;
}

Section checkpoint_section(const CheckpointJob& job, const CheckpointNeed& need) {
  Section section;
  section.key = "checkpoint";
  section.title = fmt::format("Checkpoints: {}, {}", job.model.name, job.model.title);
  add_size(job, need, section);
  add_state(job, need, section);
  add_write(job, need, section);
  add_times(job, need, section);
  add_rest(job, need, section);
  for (const std::string& note : job.model.notes) section.remarks.push_back(note);
  return section;
}

}  // namespace feedrate

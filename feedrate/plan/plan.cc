#include "feedrate/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace feedrate {
namespace {

// The phases of training and checkpoints: the reads and writes of all jobs at once, and those that
// come alone.
struct TrainPhases {
  StoragePhase training{.key = "training", .name = "training and checkpoints, mean"};
  StoragePhase restart{.key = "restart", .name = "restart of all ranks, within the stall budget"};
  StoragePhase load{.key = "load", .name = "final models loaded by all replicas"};
  StoragePhase burst{
      .key = "burst", .name = "burst: all prefetch windows refilled in a step", .burst = true};
  Bytes capacity;
};

struct ServePhases {
  StoragePhase offline{.key = "offline", .name = "offline: packed input and its log"};
  StoragePhase server{.key = "server", .name = "server queries: their log"};
  StoragePhase load{.key = "load", .name = "models loaded by all replicas"};
  Bytes capacity;
};

// Adds what training shares with the network and the model.
void add_bounds(const PlannedJob& job, const TrainingDemand& demand, const NetworkPort& port,
                const std::optional<CheckpointNeed>& checkpoint, Section& section) {
  section.add("host_ports", fmt::format("network ports of one host, {}", port.title),
              whole(demand.per_host / port.carries()),
              fmt::format("{} / ({} x {} usable)", show(demand.per_host), show(port.line),
                          show(Measure::fraction(port.usable.value))),
              port.source + "; usable: " + port.usable.source);
  if (const auto other = with_other_timing(*job.training)) {
    const BytesPerSecond rate = training_demand(*other).per_host;
    section.add("host_ports_" + timing_key(other->timing.set),
                fmt::format("network ports of one host, at {} timing", other->timing.set),
                whole(rate / port.carries()),
                fmt::format("{} / ({} x {} usable)", show(rate), show(port.line),
                            show(Measure::fraction(port.usable.value))),
                other->timing.source + "; " + port.source + "; usable: " + port.usable.source);
  }
  const Bytes state = checkpoint ? checkpoint->state_per_accelerator : Bytes(0);
  const std::string fits = fits_accelerators(*job.training, demand, state);
  if (!fits.empty()) section.remarks.push_back(fits);
  const Bytes memory = job.training->accelerator_memory;
  if (!checkpoint || memory <= Bytes(0)) return;
  const Bytes left = std::max(Bytes(0), memory - state);
  section.add("batch_bound", "samples that fit an accelerator beside its model",
              Count(std::floor((left / demand.sample).value())),
              fmt::format("(memory - model state) / sample = ({} - {}) / {}; activations take most "
                          "of it",
                          show(memory), show(state), show(demand.sample)),
              job.training->memory_source);
}

void plan_training(const PlannedJob& job, const std::optional<CheckpointNeed>& checkpoint,
                   const PlanRequest& request, TrainPhases& phases, JobPlan& plan) {
  const TrainingDemand demand = training_demand(*job.training);
  plan.sections.push_back(training_section(*job.training, demand));
  add_bounds(job, demand, request.port, checkpoint, plan.sections.back());
  const bool changed = !job.training->dataset_source.empty();
  for (const std::string& note : job.training->workload.notes)
    plan.sections.back().remarks.push_back((changed ? "of the published workload: " : "") + note);
  phases.training.read += demand.mean;
  phases.training.read_operations += demand.operations;
  phases.training.opens += demand.opens;
  const Count burst = demand.peak / demand.mean;
  phases.burst.read += demand.peak;
  phases.burst.read_operations += demand.operations * burst;
  phases.burst.opens += demand.opens * burst;
  phases.capacity += demand.stored;
}

void plan_checkpoint(const CheckpointJob& job, const CheckpointNeed& need, Bytes transfer,
                     TrainPhases& phases, JobPlan& plan) {
  plan.sections.push_back(checkpoint_section(job, need));
  phases.training.write += need.write;
  phases.training.write_operations += need.write / transfer;
  phases.training.creates += need.size.files() / job.stall_budget.value;
  const BytesPerSecond restart = need.restart_read / job.stall_budget.value;
  phases.restart.read += restart;
  phases.restart.read_operations += restart / transfer;
  const BytesPerSecond load = need.load / job.load_budget.value;
  phases.load.read += load;
  phases.load.read_operations += load / transfer;
  phases.capacity += need.capacity;
}

void plan_inference(const InferenceJob& job, const PlanRequest& request, ServePhases& phases,
                    JobPlan& plan) {
  const InferenceNeed need = inference_need(job);
  plan.sections.push_back(inference_section(job, need));
  phases.offline.read += need.offline.input;
  phases.offline.read_operations += need.offline.input / request.transfer;
  phases.offline.write += need.offline.log;
  phases.offline.write_operations += need.offline.log_appends;
  phases.server.write += need.server.log;
  phases.server.write_operations += need.server.log_appends;
  phases.load.read += need.load_rate;
  phases.load.read_operations += need.load_rate / request.transfer;
  phases.capacity += need.log_day * request.log_days.value + job.shape.model;
}

JobPlan plan_job(const PlannedJob& job, TrainPhases& train, ServePhases& serve,
                 const PlanRequest& request) {
  JobPlan plan;
  plan.name = job.name;
  plan.title = job.title;
  plan.remarks = job.remarks;
  std::optional<CheckpointNeed> checkpoint;
  if (job.checkpoint) checkpoint = checkpoint_need(*job.checkpoint);
  if (job.training) plan_training(job, checkpoint, request, train, plan);
  if (checkpoint) {
    const Count batch = job.training ? training_demand(*job.training).reader_batch : Count(0);
    Section network = network_section(job.checkpoint->model, job.checkpoint->parallelism, batch);
    if (!network.figures.empty()) plan.sections.push_back(std::move(network));
    plan_checkpoint(*job.checkpoint, *checkpoint, request.transfer, train, plan);
  }
  if (job.inference) plan_inference(*job.inference, request, serve, plan);
  return plan;
}

void add_phase(const StoragePhase& phase, Bytes transfer, StoragePlan& plan) {
  if (phase.empty()) return;
  plan.demand.phases.push_back(phase);
  const auto add = [&](const char* figure, const char* label, const Measure& value,
                       const std::string& formula) {
    if (value.value() > 0)
      plan.figures.add(fmt::format("{}_{}", phase.key, figure),
                       fmt::format("{}: {}", phase.key, label), value, formula);
  };
  const bool trains = phase.key == "training" || phase.key == "burst";
  const std::string sum = "of all jobs, " + phase.name;
  const auto packed = [&](BytesPerSecond rate) {
    return fmt::format("bandwidth / transfer = {} / {}", show(rate), show(transfer));
  };
  add("read", "read bandwidth", phase.read, sum);
  add("write", "write bandwidth", phase.write, sum);
  // Operations of training depend on its files; everything else comes in transfers of one size.
  add("read_operations", "read operations", phase.read_operations,
      trains ? sum : packed(phase.read));
  add("write_operations", "write operations", phase.write_operations,
      trains ? packed(phase.write) : "log appends of all jobs");
  add("opens", "file opens", phase.opens, sum);
  add("creates", "file creates", phase.creates, "checkpoint files / stall budget, all jobs");
}

StoragePlan plan_storage(std::string key, std::string title, StorageDemand demand,
                         const std::vector<StoragePhase>& phases, const std::string& capacity,
                         const PlanRequest& request) {
  StoragePlan plan;
  plan.demand = std::move(demand);
  plan.figures.key = std::move(key);
  plan.figures.title = std::move(title);
  for (const StoragePhase& phase : phases) add_phase(phase, request.transfer, plan);
  plan.figures.add("capacity", "capacity", plan.demand.capacity, capacity);
  for (const StorageProfile& storage : request.storages)
    plan.sizings.push_back(size_storage(plan.demand, storage, request.port));
  return plan;
}

std::vector<StoragePhase> phases_of(const TrainPhases& train) {
  return {train.training, train.restart, train.load, train.burst};
}

// Returns the sets of step times that the jobs use, each once.
std::string timing_sets(const std::vector<PlannedJob>& jobs) {
  std::string sets;
  for (const PlannedJob& job : jobs) {
    if (!job.training || sets.contains(job.training->timing.set)) continue;
    sets += (sets.empty() ? "" : " and ") + job.training->timing.set;
  }
  return sets;
}

// Counts the units a second time, with the step times of the other set.
void compare_timings(const PlanRequest& request, StoragePlan& plan) {
  plan.timing = timing_sets(request.jobs);
  PlanRequest other = request;
  std::vector<PlannedJob> changed;
  for (PlannedJob& job : other.jobs) {
    if (!job.training) continue;
    if (auto timed = with_other_timing(*job.training)) {
      job.training = std::move(*timed);
      changed.push_back(job);
    } else {
      plan.figures.remarks.push_back(
          fmt::format("{} has step times of one set alone for {}, {}: both counts of units take "
                      "those",
                      job.name, job.training->timing.accelerator, job.training->timing.set));
    }
  }
  // Where no job has another set there is nothing to compare, and the remarks above would say
  // nothing.
  if (changed.empty()) {
    plan.figures.remarks.clear();
    return;
  }
  plan.other_timing = timing_sets(changed);
  TrainPhases train;
  ServePhases serve;
  for (const PlannedJob& job : other.jobs) plan_job(job, train, serve, other);
  // The capacity is kept, since it does not depend on step times.
  StorageDemand demand{{}, plan.demand.capacity, plan.demand.one_directory};
  for (const StoragePhase& phase : phases_of(train))
    if (!phase.empty()) demand.phases.push_back(phase);
  for (const StorageProfile& storage : request.storages)
    plan.others.push_back(size_storage(demand, storage, request.port));
}

}  // namespace

Plan make_plan(const PlanRequest& request) {
  Plan plan;
  plan.port = request.port;
  TrainPhases train;
  ServePhases serve;
  for (const PlannedJob& job : request.jobs)
    plan.jobs.push_back(plan_job(job, train, serve, request));
  const std::string all = request.jobs.size() > 1
                              ? " of all " + show(Count(static_cast<double>(request.jobs.size())))
                              : "";
  const auto demand = [&](Bytes capacity) {
    return StorageDemand{{}, capacity, request.one_directory};
  };
  if (train.capacity > Bytes(0)) {
    plan.storage.push_back(plan_storage(
        "train", "Storage for training and checkpoints" + all, demand(train.capacity),
        phases_of(train), "data sets, kept checkpoints and one being written", request));
    compare_timings(request, plan.storage.back());
  }
  if (serve.capacity > Bytes(0))
    plan.storage.push_back(
        plan_storage("serve", "Storage for inference" + all, demand(serve.capacity),
                     {serve.offline, serve.server, serve.load},
                     fmt::format("logs of {} days and models; {}", show(request.log_days.value),
                                 request.log_days.source()),
                     request));
  return plan;
}

}  // namespace feedrate

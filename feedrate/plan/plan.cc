#include "feedrate/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace feedrate {
namespace {

// What training shares with the network and the model.
void add_bounds(const PlannedJob& job, const TrainingDemand& demand, const NetworkPort& port,
                const std::optional<CheckpointNeed>& checkpoint, Section& section) {
  section.add("host_ports", fmt::format("network ports of one host, {}", port.title),
              whole(demand.per_host / port.carries()),
              fmt::format("{} / ({} x {} usable)", show(demand.per_host), show(port.line),
                          show(Measure::fraction(port.usable.value))),
              port.source + "; usable: " + port.usable.source);
  const Bytes memory = job.training->accelerator_memory;
  if (!checkpoint || memory <= Bytes(0)) return;
  const Bytes state = checkpoint->state_per_accelerator;
  const Bytes left = std::max(Bytes(0), memory - state);
  section.add("batch_bound", "samples that fit an accelerator beside its model",
              Count(std::floor((left / demand.sample).value())),
              fmt::format("(memory - model state) / sample = ({} - {}) / {}; activations take most "
                          "of it",
                          show(memory), show(state), show(demand.sample)),
              job.training->memory_source);
}

JobPlan plan_job(const PlannedJob& job, StorageDemand& train, StorageDemand& serve,
                 const PlanRequest& request) {
  JobPlan plan;
  plan.name = job.name;
  plan.title = job.title;
  plan.remarks = job.remarks;
  std::optional<CheckpointNeed> checkpoint;
  if (job.checkpoint) checkpoint = checkpoint_need(*job.checkpoint);
  if (job.training) {
    const TrainingDemand demand = training_demand(*job.training);
    plan.sections.push_back(training_section(*job.training, demand));
    add_bounds(job, demand, request.port, checkpoint, plan.sections.back());
    train.read += demand.mean;
    train.read_operations += demand.operations;
    train.opens += demand.opens;
    train.capacity += demand.stored;
    if (job.checkpoint) {
      Section network = network_section(*job.training, job.checkpoint->model);
      if (!network.figures.empty()) plan.sections.push_back(std::move(network));
    }
  }
  if (checkpoint) {
    const CheckpointNeed& need = *checkpoint;
    plan.sections.push_back(checkpoint_section(*job.checkpoint, need));
    train.write += need.write;
    train.write_operations += need.write / request.transfer;
    train.creates += need.size.files / job.checkpoint->stall_budget;
    train.capacity += need.capacity;
  }
  if (job.inference) {
    const InferenceNeed need = inference_need(*job.inference);
    plan.sections.push_back(inference_section(*job.inference, need));
    serve.read += need.offline_input;
    serve.read_operations += need.offline_input / request.transfer;
    serve.write += need.log;
    serve.write_operations += need.log_appends;
    serve.capacity += need.log * request.log_kept + job.inference->shape.model;
  }
  return plan;
}

StoragePlan plan_storage(std::string key, std::string title, const StorageDemand& demand,
                         const PlanRequest& request) {
  StoragePlan plan;
  plan.demand = demand;
  plan.figures.key = std::move(key);
  plan.figures.title = std::move(title);
  const auto add = [&](const char* figure, const char* label, const Measure& value,
                       const char* formula) {
    if (value.value() > 0) plan.figures.add(figure, label, value, formula);
  };
  const bool serving = plan.figures.key == "serve";
  add("read", "read bandwidth", demand.read,
      serving ? "offline input of all jobs" : "mean read bandwidth of all jobs");
  add("write", "write bandwidth", demand.write,
      serving ? "logs of all jobs" : "checkpoints of all jobs at once, within their stall budgets");
  add("read_operations", "read operations", demand.read_operations,
      serving ? "read bandwidth / 4 MiB; a file a sample takes one each" : "of all jobs");
  add("write_operations", "write operations", demand.write_operations,
      serving ? "log appends of all jobs" : "write bandwidth / 4 MiB");
  add("opens", "file opens", demand.opens, "of all jobs");
  add("creates", "file creates", demand.creates, "checkpoint files / stall budget");
  add("capacity", "capacity", demand.capacity,
      serving ? "logs kept and models" : "data sets, kept checkpoints and one being written");
  for (const StorageProfile& storage : request.storages)
    plan.sizings.push_back(size_storage(demand, storage, request.port));
  return plan;
}

}  // namespace

const Figure* JobPlan::find(std::string_view section, std::string_view key) const {
  for (const Section& candidate : sections)
    if (candidate.key == section) return candidate.find(key);
  return nullptr;
}

Plan make_plan(const PlanRequest& request) {
  Plan plan;
  plan.port = request.port;
  StorageDemand train, serve;
  train.one_directory = serve.one_directory = request.one_directory;
  for (const PlannedJob& job : request.jobs)
    plan.jobs.push_back(plan_job(job, train, serve, request));
  if (train.capacity > Bytes(0))
    plan.storage.push_back(plan_storage(
        "train",
        fmt::format("Storage for training and checkpoints{}",
                    request.jobs.size() > 1
                        ? " of all " + show(Count(static_cast<double>(request.jobs.size())))
                        : ""),
        train, request));
  if (serve.capacity > Bytes(0))
    plan.storage.push_back(
        plan_storage("serve", "Storage for inference, offline input read from it", serve, request));
  return plan;
}

}  // namespace feedrate

#include "feedrate/request/plan_settings.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

// Returns a count to its last digit, and anything else as a figure of the plan would print it.
std::string text_of(Count count) { return fmt::format("{}", count.value()); }
std::string text_of(MoneyPerSecond cost) { return fmt::format("{}", Measure(cost).value()); }
template <class Q>
std::string text_of(Q value) {
  return show(value);
}

class JobSettings {
 public:
  JobSettings(std::string lead, Settings& settings) : lead_(std::move(lead)), settings_(settings) {}

  void add(const std::string& option, std::string value) {
    settings_[lead_ + option] = std::move(value);
  }
  template <class Q>
  void add(const Setting<Q>& setting) {
    add(std::string(setting.option.substr(2)), text_of(setting.value));
  }
  // Adds a setting unless it is 0, which means that nothing is known of it or asked for.
  template <class Q>
  void add_known(const std::string& option, Q value) {
    if (value > Q(0)) add(option, text_of(value));
  }
  void add(const Parallelism& used) {
    add("accelerators", std::to_string(used.ranks()));
    add("tensor-parallel", std::to_string(used.tensor));
    add("pipeline-parallel", std::to_string(used.pipeline));
    add("data-parallel", std::to_string(used.data));
  }

 private:
  std::string lead_;
  Settings& settings_;
};

void add_training(const TrainingJob& job, JobSettings& settings) {
  settings.add(job.parallelism);
  settings.add("accelerator", job.timing.accelerator);
  settings.add("timing", job.timing.set);
  settings.add("batch", std::to_string(job.timing.batch_samples));
  settings.add("step-time", format_duration(job.timing.compute));
  settings.add("au", show(Measure::fraction(job.utilisation)));
  settings.add("epochs", std::to_string(job.workload.epochs));
  settings.add("size", show(Bytes(job.workload.dataset.sample_bytes_mean *
                                  static_cast<double>(job.workload.dataset.samples()))));
  settings.add("transfer", show(job.transfer));
  settings.add(job.accelerators_per_host);
  settings.add_known("host-memory", job.host_memory);
  settings.add_known("accelerator-memory", job.accelerator_memory);
  settings.add_known("accelerator-cost", job.accelerator_cost);
  settings.add_known("read-bandwidth", job.available_read);
}

void add_checkpoint(const CheckpointJob& job, JobSettings& settings) {
  settings.add(job.parallelism);
  settings.add("zero", std::to_string(job.parallelism.zero_stage));
  settings.add("model", job.model.name);
  settings.add("parameters", text_of(job.model.parameters()));
  settings.add("weight-bytes", text_of(Count(job.precision.weights.value())));
  settings.add("bytes-per-parameter",
               text_of(Count(job.precision.weights.value() + job.precision.optimizer.value())));
  settings.add(job.stall_budget);
  settings.add(job.failure_time);
  settings.add(job.restart);
  settings.add(job.snapshot);
  settings.add("changed", show(Measure::fraction(job.changed.value)));
  settings.add(job.kept);
  settings.add(job.loads);
  settings.add(job.load_budget);
  settings.add_known("write-bandwidth", job.available_write);
  settings.add_known("read-bandwidth", job.available_read);
  settings.add_known("accelerator-memory", job.accelerator_memory);
  settings.add_known("accelerator-cost", job.accelerator_cost);
}

void add_inference(const InferenceJob& job, JobSettings& settings) {
  settings.add("accelerators", text_of(job.accelerators));
  settings.add("accelerator", job.rate.accelerator);
  settings.add(job.log_record);
  settings.add(job.log_append);
  settings.add(job.load_budget);
}

}  // namespace

Settings settings_of(const PlanRequest& request) {
  Settings settings{{"port", request.port.name},
                    {"port-usable", show(Measure::fraction(request.port.usable.value))},
                    {"one-directory", request.one_directory ? "yes" : "no"},
                    {"transfer", show(request.transfer)}};
  std::vector<std::string> storages;
  for (const StorageProfile& storage : request.storages) storages.push_back(storage.name);
  settings["storage-type"] = join(storages, " ");
  for (const PlannedJob& job : request.jobs) {
    JobSettings of_job(request.jobs.size() > 1 ? job.name + " " : "", settings);
    if (job.checkpoint) add_checkpoint(*job.checkpoint, of_job);
    if (job.inference) add_inference(*job.inference, of_job);
    if (job.training) add_training(*job.training, of_job);
    if (job.inference) settings["log-days"] = text_of(request.log_days.value);
  }
  return settings;
}

}  // namespace feedrate

// The options of `plan`, as text; resolve() checks them all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/cli/command.h"
#include "feedrate/plan/plan.h"

namespace feedrate {

struct PlanOptions {
  std::vector<std::string> jobs, sets, storages;
  std::string accelerators, type, timing, batch, step_time, au, epochs, size, transfer,
      per_host = "8", host_memory, accelerator_memory, cost, read_bandwidth, write_bandwidth;
  std::string model, parameters, bytes_per_parameter, tensor, pipeline, data, zero;
  std::string stall_budget = "60s", mtbf = "50000h", restart_time = "5m", snapshot = "26.4GiB/s",
              changed = "10%", keep = "3";
  std::string replicas = "1", load_time = "60s", log_record = "1KiB", log_append = "1MiB",
              log_days = "30";
  std::string port = "eth-400", port_usable;
  bool one_directory = false;
  void declare(CLI::App& app);

  // `accelerators_now` takes the place of --accelerators: one point of a sweep.
  Result<PlanRequest> resolve(const CommandContext& context,
                              std::optional<std::uint64_t> accelerators_now) const;

 private:
  // A job as it is written on the command line: NAME, NAME=64, NAME=64xh100.
  struct Word {
    std::string name, accelerators, type;
  };
  Result<Word> split(const std::string& text, std::optional<std::uint64_t> now) const;
  Result<PlannedJob> resolve_job(const Word& word, const CommandContext& context) const;
  Result<TrainingJob> resolve_training(const Word& word, const CommandContext& context) const;
  Result<> resolve_demand(TrainingJob& job) const;
  Result<CheckpointJob> resolve_checkpoint(const ModelShape& model) const;
  Result<> resolve_inference(const std::string& name, const std::string& type,
                             PlannedJob& job) const;
  // The model of a job; none when nothing is known of it and the user says nothing.
  Result<std::optional<ModelShape>> resolve_model(const std::string& known) const;
  // tensor x pipeline x data = accelerators; the last two may follow from each other.
  Result<Parallelism> resolve_parallelism(const ModelShape* model, const std::string& count,
                                          std::uint64_t default_count) const;
};

}  // namespace feedrate

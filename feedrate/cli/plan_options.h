// The options of `plan`, as text; resolve() checks them all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/cli/command.h"
#include "feedrate/cli/model_options.h"
#include "feedrate/plan/plan.h"

namespace CLI {
class Option;
}

namespace feedrate {

struct PlanOptions : ModelOptions {
  std::vector<std::string> jobs, sets, storages;
  // Of `sets`, as if it had not been given: does it have an effect?
  std::optional<std::size_t> set_left_out;
  std::string accelerators, type, timing, batch, step_time, au, epochs, size, transfer, per_host,
      host_memory, accelerator_memory, cost, read_bandwidth, write_bandwidth;
  std::string stall_budget, mtbf, restart_time, snapshot, changed, keep;
  std::string replicas, load_time, log_record, log_append, log_days;
  std::string port = "eth-400", port_usable;
  bool one_directory = false;
  void declare(CLI::App& app);

  // `accelerators_now` takes the place of --accelerators: one point of a sweep.
  Result<PlanRequest> resolve(const CommandContext& context,
                              std::optional<std::uint64_t> accelerators_now) const;

 private:
  // What a job must have for an option to change something.
  enum Part : unsigned { kTraining = 1, kModel = 2, kInference = 4, kAny = 8 };
  struct Entry {
    CLI::Option* option;
    const std::string* value;
    unsigned parts;
  };
  using Adder =
      std::function<void(unsigned parts, const char* name, std::string& value, const char* help)>;
  Adder adder(CLI::App& app, const std::string& group);
  void declare_model(CLI::App& app);
  void declare_storage(CLI::App& app);
  // kUsage for an option that none of the jobs uses.
  Result<> check_used(const PlanRequest& request) const;

  // A job as it is written on the command line: NAME, NAME=64, NAME=64xh100.
  struct Word {
    std::string name, accelerators, type;
  };
  Result<Word> split(const std::string& text, std::optional<std::uint64_t> now) const;
  Result<PlannedJob> resolve_job(const Word& word, const CommandContext& context) const;
  Result<TrainingJob> resolve_training(const Word& word, const CommandContext& context) const;
  Result<> resolve_demand(TrainingJob& job) const;
  Result<CheckpointJob> resolve_checkpoint(const ModelShape& model,
                                           const Parallelism& parallelism) const;
  Result<Bytes> resolve_memory(const std::string& type, std::string& source) const;
  Result<> resolve_inference(const std::string& name, const std::string& type,
                             PlannedJob& job) const;
  std::vector<Entry> entries_;
};

}  // namespace feedrate

// The options of `plan`, as text; resolve() checks them all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/options/option_table.h"
#include "feedrate/plan/plan.h"
#include "feedrate/request/model_options.h"

namespace feedrate {

// The words of the command line that change a DLIO file, and the keys of such files that were
// ignored.
struct PlanWords {
  std::vector<std::string> overrides, ignored;
};

struct PlanOptions : ModelOptions {
  std::vector<std::string> jobs, sets, storages;
  // The one of `sets` that is left out, in order to see whether it has an effect.
  std::optional<std::size_t> set_left_out;
  std::string accelerators, type, timing, batch, step_time, au, epochs, size, transfer, per_host,
      host_memory, accelerator_memory, cost, read_bandwidth, write_bandwidth;
  std::string stall_budget, mtbf, restart_time, snapshot, changed, keep;
  std::string replicas, load_time, log_record, log_append, log_days;
  std::string port = "eth-400", port_usable;
  bool one_directory = false;
  void declare(OptionTable& table);

  // `accelerators_now` replaces --accelerators for one point of a sweep.
  Result<PlanRequest> resolve(PlanWords& words,
                              std::optional<std::uint64_t> accelerators_now) const;

 private:
  // The kinds of jobs for which an option changes something.
  enum Part : unsigned { kForTraining = 1, kForModel = 2, kForInference = 4, kForAny = 8 };
  void add(OptionTable& table, std::string_view group, unsigned parts,
           std::initializer_list<OptionLine> lines);
  void declare_job(OptionTable& table);
  void declare_model(OptionTable& table);
  void declare_checkpoints(OptionTable& table);
  void declare_inference(OptionTable& table);
  void declare_storage(OptionTable& table);
  // Fails with kUsage for an option that none of the jobs uses.
  Result<> check_used(const PlanRequest& request) const;

  // A job as it is written on the command line: NAME, NAME=64, NAME=64xh100.
  struct Word {
    std::string name, accelerators, type;
  };
  Result<Word> split(const std::string& text, std::optional<std::uint64_t> now) const;
  Result<PlannedJob> resolve_job(const Word& word, PlanWords& words) const;
  Result<TrainingJob> resolve_training(const Word& word, PlanWords& words) const;
  Result<> resolve_demand(TrainingJob& job) const;
  Result<CheckpointJob> resolve_checkpoint(const ModelShape& model,
                                           const Parallelism& parallelism) const;
  Result<Bytes> resolve_memory(const std::string& type, std::string& source) const;
  Result<> resolve_inference(const std::string& name, const std::string& type,
                             PlannedJob& job) const;
  const OptionTable* table_ = nullptr;
  std::map<std::string, unsigned> parts_;  // The parts that use an option, by OptionEntry::key().
};

}  // namespace feedrate

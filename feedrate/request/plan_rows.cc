// The table of plan's options.
#include "feedrate/options/option_rows.h"
#include "feedrate/request/plan_options.h"

namespace feedrate {

void PlanOptions::declare(OptionTable& table) {
  table_ = &table;
  declare_job(table);
  declare_model(table);
  declare_checkpoints(table);
  declare_inference(table);
  declare_storage(table);
}

void PlanOptions::add(OptionTable& table, std::string_view group, unsigned parts,
                      std::initializer_list<OptionLine> lines) {
  const std::size_t before = table.entries().size();
  table.add(group, lines);
  for (std::size_t i = before; i < table.entries().size(); ++i)
    parts_[table.entries()[i].key()] = parts;
}

void PlanOptions::declare_job(OptionTable& table) {
  using enum OptionType;
  table.add("", {{{"job", kWorkload, "", "",
                   "workloads or models that share the storage, each written as NAME, NAME=64 or "
                   "NAME=64xh100, where NAME is of 'feedrate workloads', a model of the catalogue, "
                   "a YAML file or dlio:FILE"},
                  jobs}});
  constexpr std::string_view kGroup = "Job";
  add(table, kGroup, kForTraining, {{rows::kSet, sets}});
  add(table, kGroup, kForAny,
      {{rows::kAccelerators.usually("8, or the published job's").within("1 to 10000000"),
        accelerators},
       {rows::kAcceleratorType, type}});
  add(table, kGroup, kForTraining,
      {{rows::kTiming, timing},
       {rows::kBatch, batch},
       {rows::kStepTime, step_time},
       {rows::kAu, au},
       {rows::kEpochs, epochs},
       {rows::kDatasetSize, size}});
  add(table, kGroup, kForAny, {{rows::kTransfer.usually("the workload's, or 4MiB"), transfer}});
  add(table, kGroup, kForTraining,
      {{{"--accelerators-per-host", kCount, "8", "1 to 1024", "accelerators of one host"},
        per_host},
       {{"--host-memory", kBytes, "", "at least 1MiB",
         "memory of one host: does the data set fit?"},
        host_memory}});
  add(table, kGroup, kForTraining | kForModel,
      {{{"--accelerator-memory", kBytes, "of the type", "at least 1", "memory of one accelerator"},
        accelerator_memory},
       {{"--accelerator-cost", kNumber, "", "0.000001 to 1000000",
         "cost of one accelerator for an hour, in any currency"},
        cost},
       {{"--read-bandwidth", kRate, "", "", "what the storage gives: what AU comes out of it?"},
        read_bandwidth}});
  add(table, kGroup, kForModel,
      {{{"--write-bandwidth", kRate, "", "",
         "what the storage gives: how long does a checkpoint take?"},
        write_bandwidth}});
}

void PlanOptions::declare_model(OptionTable& table) {
  using enum OptionType;
  constexpr std::string_view kGroup = "Model and its parallelism";
  add(table, kGroup, kForModel,
      {{rows::kModelName.usually("the workload's"), model},
       {{"--parameters", kNumber, "", "1 to 1000T",
         "parameters of a model that is in no catalogue: 70B, 340M"},
        parameters},
       {rows::kBytesPerParameter, bytes_per_parameter},
       {rows::kWeightBytes, weight_bytes}});
  add(table, kGroup, kForTraining | kForModel,
      {{rows::kTensorParallel, tensor},
       {rows::kPipelineParallel, pipeline},
       {rows::kDataParallel, data}});
  add(table, kGroup, kForModel, {{rows::kZero, zero}});
}

void PlanOptions::declare_checkpoints(OptionTable& table) {
  using enum OptionType;
  add(table, "Checkpoints", kForModel,
      {{{"--stall-budget", kDuration, "60s", "at least 1ms",
         "time that training may stand still for a checkpoint"},
        stall_budget},
       {rows::kMtbf.usually("50000h").within("at least 1ms"), mtbf},
       {rows::kRestartTime, restart_time},
       {rows::kSnapshotBandwidth, snapshot},
       {rows::kChanged.usually("10%"), changed},
       {rows::kKeep.usually("3"), keep}});
}

void PlanOptions::declare_inference(OptionTable& table) {
  using enum OptionType;
  constexpr std::string_view kGroup = "Inference";
  add(table, kGroup, kForModel,
      {{rows::kReplicas.usually("as many as train").within("1 to 10000000"), replicas}});
  add(table, kGroup, kForModel | kForInference,
      {{{"--load-time", kDuration, "60s", "at least 1ms", "time within which they load it"},
        load_time}});
  add(table, kGroup, kForInference,
      {{{"--log-record", kBytes, "1KiB", "at least 1", "what is logged for each sample served"},
        log_record},
       {{"--log-append", kBytes, "1MiB", "at least 1", "one write of the log"}, log_append},
       {{"--log-days", kCount, "30", "1 to 36500", "days that the log is kept"}, log_days}});
}

void PlanOptions::declare_storage(OptionTable& table) {
  using enum OptionType;
  add(table, "Storage", kForAny,
      {{OptionRow{"--storage-type", kText, "all of the catalogue", "NAME",
                  "what it is counted in, of the catalogue or a YAML file; may stand several "
                  "times"}
            .once("--storage"),
        storages},
       {{"--port", kText, "eth-400", "NAME",
         "network port, of the catalogue (eth-100, eth-200, eth-400, ib-hdr200, ib-ndr400) or a "
         "YAML file"},
        port},
       {{"--port-usable", kFraction, "the port's", "0.001 to 1",
         "share of the port's line rate that storage traffic reaches"},
        port_usable},
       {{"--one-directory", kFlag, "", "", "all files lie in one directory"}, one_directory}});
}

}  // namespace feedrate

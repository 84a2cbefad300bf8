// `feedrate plan`: what storage jobs need. Pure: no I/O, no clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "feedrate/plan/checkpoint.h"
#include "feedrate/plan/inference.h"
#include "feedrate/plan/sizing.h"
#include "feedrate/plan/training.h"

namespace feedrate {

// One workload or model and what is known of it; what is missing is explained in `remarks`.
struct PlannedJob {
  std::string name, title;
  std::optional<TrainingJob> training;
  std::optional<CheckpointJob> checkpoint;
  std::optional<InferenceJob> inference;
  std::vector<std::string> remarks;
};

struct PlanRequest {
  std::vector<PlannedJob> jobs;
  std::vector<StorageProfile> storages;
  NetworkPort port;
  bool one_directory = false;
  Setting<Count> log_days{Count(30), "--log-days"};  // that logs of inference are kept
  Bytes transfer{4194304};  // of a checkpoint's writes and of packed inference input
};

// All jobs on one storage, for one way to use it.
struct StoragePlan {
  StorageDemand demand;
  Section figures;  // the demand; key "train" or "serve"
  std::vector<Sizing> sizings;
  std::string timing;  // the set of step times: "storage-benchmark"; "" where nothing trains
  // The same with the step times of the other set, where a job has any; each for one of `sizings`.
  std::string other_timing;
  std::vector<Sizing> others;
};

struct Plan {
  std::vector<JobPlan> jobs;
  std::vector<StoragePlan> storage;
  NetworkPort port;
};
Plan make_plan(const PlanRequest& request);

// One line of a sweep: the plan for so many accelerators; 0: for as many as each job says.
struct SweepRow {
  Count accelerators;
  Plan plan;
};
// The envelope is the caller's to fill in.
PlanResult plan_result(const std::vector<SweepRow>& rows, bool sweep);

}  // namespace feedrate

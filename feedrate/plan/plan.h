// `feedrate plan`: the storage that jobs need. Pure: no I/O, no clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "feedrate/plan/checkpoint.h"
#include "feedrate/plan/inference.h"
#include "feedrate/plan/sizing.h"
#include "feedrate/plan/training.h"

namespace feedrate {

// One workload or model, and what is known of it; `remarks` explain what is missing.
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
  Setting<Count> log_days{Count(30), "--log-days"};  // days that logs of inference are kept
  Bytes transfer{4194304};  // of a checkpoint's writes and of packed inference input
};

// The plan for all jobs on one storage, for one way to use it.
struct StoragePlan {
  StorageDemand demand;
  Section figures;  // the demand; key "train" or "serve"
  std::vector<Sizing> sizings;
  std::string timing;  // the set of step times: "storage-benchmark"; "" where nothing trains
  // The same plan with the step times of the other set, if any job has them; each is for one of
  // `sizings`.
  std::string other_timing;
  std::vector<Sizing> others;
};

struct Plan {
  std::vector<JobPlan> jobs;
  std::vector<StoragePlan> storage;
  NetworkPort port;
};
Plan make_plan(const PlanRequest& request);

// One line of a sweep: the plan for this many accelerators. With 0 each job has as many as it says.
struct SweepRow {
  Count accelerators;
  Plan plan;
};
// Leaves the envelope for the caller to fill in.
PlanResult plan_result(const std::vector<SweepRow>& rows, bool sweep);

}  // namespace feedrate

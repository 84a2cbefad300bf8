// What the program does, without the program: how many accelerators a described storage keeps fed,
// what storage a purchase would need, and for how long a checkpoint stops training.
//   embed STORAGE.yaml DIRECTORY
// All but the checkpoint's bytes, which are written to DIRECTORY, is on the virtual clock.
#include <cstdio>

#include "feedrate/experiment/checkpoints.h"
#include "feedrate/find/searches.h"
#include "feedrate/plan/plan.h"
#include "feedrate/result/views.h"

namespace {

using namespace feedrate;

Result<> find_how_many(const Workload& workload, const std::string& storage) {
  FEEDRATE_TRY(const DatasetPlan shape, plan_for(workload, 0, 1, 0));
  FEEDRATE_TRY(const auto dataset, Dataset::from_plan(shape, "(described)"));
  TrainingSetup training =
      default_training_setup(workload, *workload.timing("h100"), dataset, ClientKind::kNative);
  FEEDRATE_TRY(training.place.spec, parse_storage("model:" + storage));
  training.world.clock = ClockKind::kVirtual;
  FindSetup setup;
  setup.limits.clock = ClockKind::kVirtual;
  setup.limits.find.budget = std::chrono::seconds(30);
  setup.wall = monotonic_now;
  setup.begin = setup.wall();
  FEEDRATE_TRY(setup.first, search_setup(std::move(training), setup.limits.find));
  const Reported<FindReport> found = find(setup, {});
  FEEDRATE_CHECK(found.ended);
  std::printf("find: %s\n", verdict_of(found.report).c_str());
  return {};
}

Result<> plan_a_purchase(const Workload& workload) {
  PlanRequest request;
  PlannedJob job;
  job.name = workload.name;
  job.title = workload.title;
  job.training = training_job(workload, *workload.timing("h100"), 64);
  request.jobs.push_back(std::move(job));
  FEEDRATE_TRY(StorageProfile disks, find_storage_profile("nvme-gen5"));
  request.storages.push_back(std::move(disks));
  FEEDRATE_TRY(request.port, find_network_port("eth-400"));
  const PlanResult plan = plan_result({{Count(0), make_plan(request)}}, false);
  std::printf("plan: %s\n", verdict_of(plan).c_str());
  return {};
}

Result<> write_a_checkpoint(const std::string& directory) {
  FEEDRATE_TRY(const ModelShape model, find_model("llama3-8b"));
  FEEDRATE_TRY(CheckpointSetup setup,
               default_checkpoint_setup(scaled(model, 0.0001), {.tensor = 2, .data = 1},
                                        "safetensors", directory));
  setup.place.spec = local_files();
  const Reported<CheckpointResult> written = checkpoint(setup, {});
  FEEDRATE_CHECK(written.ended);
  std::printf("checkpoint: %s\n", verdict_of(written.report).c_str());
  return {};
}

Result<> run(const std::string& storage, const std::string& directory) {
  FEEDRATE_TRY(const Workload workload, find_workload("resnet50"));
  FEEDRATE_CHECK(find_how_many(workload, storage));
  FEEDRATE_CHECK(plan_a_purchase(workload));
  return write_a_checkpoint(directory);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Result<> done = run(argv[1], argv[2]);
  if (!done) std::fputs(done.error().render().c_str(), stderr);
  return done ? 0 : 1;
}

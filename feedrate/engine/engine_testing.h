// Small training runs for tests, on described data sets.
#pragma once

#include <fstream>
#include <string>

#include "feedrate/engine/train.h"

namespace feedrate {

inline Workload test_workload(const std::string& format, std::uint64_t files,
                              std::uint64_t samples_per_file, double sample_bytes) {
  Workload workload;
  workload.name = "test";
  workload.dataset = {"test", files, samples_per_file, format, sample_bytes, 0, 10};
  workload.order = samples_per_file > 1 ? AccessOrder::kSequential : AccessOrder::kRandomSamples;
  workload.epochs = 1;
  workload.accelerators = {{"x", 4, std::chrono::milliseconds(10), "test"}};
  return workload;
}

inline TrainingPlan test_plan(const Workload& workload, ClientKind client,
                              std::uint32_t accelerators,
                              const std::string& directory = "(described)") {
  const auto plan = plan_for(workload, 0, 1, 0);
  const auto dataset = Dataset::from_plan(*plan, directory);
  TrainingPlan training =
      default_training_plan(workload, workload.accelerators.front(), *dataset, client);
  training.replicas = accelerators;
  training.buffer_bytes = 1U << 22U;
  return training;
}

inline TrainingOutcome run_virtual(const TrainingPlan& plan, const std::string& storage,
                                   StepObserver* observer = nullptr) {
  const auto group = ReactorGroup::make(ClockKind::kVirtual, IoEngine::kAuto, 1);
  const StorageFactory factory =
      make_storage_factory(parse_storage(storage).value(), IoMode::kBuffered, ".", plan.seed);
  TrainingProgress progress;
  return run_training(**group, factory, plan, observer, progress, {});
}

// A storage model in a file that lives as long as this.
class ModelFile {
 public:
  explicit ModelFile(const std::string& body) {
    std::string name = "/tmp/feedrate_model_XXXXXX";
    const int fd = mkstemp(name.data());
    EXPECT_GE(fd, 0);
    close(fd);
    path_ = name;
    std::ofstream(path_) << "name: test\nbacking: \"null\"\n" << body;
  }
  ~ModelFile() { unlink(path_.c_str()); }
  ModelFile(const ModelFile&) = delete;
  std::string storage() const { return "model:" + path_; }

 private:
  std::string path_;
};

}  // namespace feedrate

// Says what one accelerator's loader reads next: it turns positions of the epoch's order into files
// and samples.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "feedrate/engine/training_plan.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {

// The orders of the epochs, made once and shared by all loaders. Any thread.
class EpochOrders {
 public:
  explicit EpochOrders(const TrainingPlan& plan);
  const ShardShape& shape() const { return shape_; }
  std::shared_ptr<const RandomOrder> random(std::uint64_t epoch);
  std::shared_ptr<const SequentialOrder> sequential(std::uint64_t epoch);

 private:
  std::shared_ptr<const SequentialOrder> make_sequential(std::uint64_t epoch) const;

  std::shared_ptr<const Dataset> dataset_;
  std::uint64_t seed_;
  ShardShape shape_;
  std::mutex mutex_;
  std::uint64_t random_epoch_ = 0, sequential_epoch_ = 0;
  std::shared_ptr<const RandomOrder> random_;
  std::shared_ptr<const SequentialOrder> sequential_;
};

// Consecutive samples of one file.
struct WorkItem {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  // of the first sample, counted over the accelerator's whole run
  std::uint64_t file = 0;
  std::uint64_t first_sample = 0;  // within the file
  std::uint64_t samples = 0;
};

class WorkSource {
 public:
  WorkSource(const TrainingPlan& plan, EpochOrders& orders, std::uint32_t rank);

  // The next sample (random order) or run of samples (sequential) of at most `bytes_max` and
  // `samples_max`, but never less than one sample or one block. nullopt after the last epoch.
  std::optional<WorkItem> next(std::uint64_t bytes_max, std::uint64_t samples_max);
  // Random order: the sample of this number. Several readers may ask, all in one epoch at a time.
  WorkItem random_item(std::uint64_t number);

 private:
  bool start_epoch();
  WorkItem next_random();
  WorkItem next_run(std::uint64_t bytes_max, std::uint64_t samples_max);

  const TrainingPlan& plan_;
  EpochOrders& orders_;
  std::uint32_t rank_;
  std::uint64_t per_epoch_;  // samples of this rank in an epoch
  std::uint64_t epoch_ = 0;
  std::uint64_t first_epoch_ = 0, first_position_ = 0;  // where the run began
  std::uint64_t position_ = 0;                          // in the epoch
  bool started_ = false;
  std::shared_ptr<const RandomOrder> random_;
  std::shared_ptr<const SequentialOrder> sequential_;
  std::uint64_t index_file_ = ~std::uint64_t{0};
  std::shared_ptr<const FileIndex> index_;
};

}  // namespace feedrate

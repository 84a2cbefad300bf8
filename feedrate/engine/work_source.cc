#include "feedrate/engine/work_source.h"

#include <algorithm>

namespace feedrate {

EpochOrders::EpochOrders(const TrainingPlan& plan)
    : dataset_(plan.dataset),
      seed_(plan.seed),
      shape_{plan.dataset->samples(), plan.replicas, plan.timing.batch_samples} {}

std::shared_ptr<const RandomOrder> EpochOrders::random(std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (!random_ || random_epoch_ != epoch) {
    random_ = std::make_shared<const RandomOrder>(shape_, seed_, epoch);
    random_epoch_ = epoch;
  }
  return random_;
}

std::shared_ptr<const SequentialOrder> EpochOrders::sequential(std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (!sequential_ || sequential_epoch_ != epoch) {
    sequential_ = make_sequential(epoch);
    sequential_epoch_ = epoch;
  }
  return sequential_;
}

std::shared_ptr<const SequentialOrder> EpochOrders::make_sequential(std::uint64_t epoch) const {
  const std::uint64_t per_file = dataset_->uniform_samples_per_file();
  if (per_file > 0)
    return std::make_shared<const SequentialOrder>(shape_, dataset_->files(), per_file, seed_,
                                                   epoch);
  return std::make_shared<const SequentialOrder>(shape_, dataset_->samples_by_file(), seed_, epoch);
}

WorkSource::WorkSource(const TrainingPlan& plan, EpochOrders& orders, std::uint32_t rank)
    : plan_(plan),
      orders_(orders),
      rank_(rank),
      per_epoch_(orders.shape().samples_read_per_rank()) {}

bool WorkSource::start_epoch() {
  if (started_) {
    ++epoch_;
    position_ = 0;
  } else if (per_epoch_ > 0) {
    const std::uint64_t behind = plan_.start_samples / plan_.replicas;
    epoch_ = first_epoch_ = behind / per_epoch_;
    position_ = first_position_ = behind % per_epoch_;
  }
  started_ = true;
  if (plan_.epochs > 0 && epoch_ >= plan_.epochs) return false;
  if (plan_.order == AccessOrder::kRandomSamples)
    random_ = orders_.random(epoch_);
  else
    sequential_ = orders_.sequential(epoch_);
  return true;
}

std::optional<WorkItem> WorkSource::next(std::uint64_t bytes_max, std::uint64_t samples_max) {
  if (!started_ || position_ == per_epoch_) {
    if (started_ && plan_.epochs > 0 && epoch_ + 1 >= plan_.epochs) return std::nullopt;
    if (!start_epoch()) return std::nullopt;
  }
  WorkItem item =
      plan_.order == AccessOrder::kRandomSamples ? next_random() : next_run(bytes_max, samples_max);
  item.epoch = epoch_ - first_epoch_;
  item.number = (epoch_ - first_epoch_) * per_epoch_ + position_ - first_position_;
  position_ += item.samples;
  return item;
}

WorkItem WorkSource::random_item(std::uint64_t number) {
  if (!random_ || epoch_ != number / per_epoch_) {
    epoch_ = number / per_epoch_;
    random_ = orders_.random(epoch_);
  }
  position_ = number % per_epoch_;
  WorkItem item = next_random();
  item.epoch = epoch_;
  item.number = number;
  return item;
}

WorkItem WorkSource::next_random() {
  const Dataset::Place place = plan_.dataset->locate(random_->sample_at(rank_, position_));
  return {0, 0, place.file, place.sample_in_file, 1};
}

WorkItem WorkSource::next_run(std::uint64_t bytes_max, std::uint64_t samples_max) {
  const SampleRun run = sequential_->run_at(rank_, position_);
  if (index_file_ != run.file) {
    index_ = plan_.dataset->index(run.file);
    index_file_ = run.file;
  }
  // A block is read for all of its samples or not at all, however many they are.
  const std::uint64_t most =
      index_->contiguous() ? std::min(run.samples, samples_max) : run.samples;
  const std::uint64_t count = index_->run_length(run.first_sample, most, bytes_max);
  return {0, 0, run.file, run.first_sample, count};
}

}  // namespace feedrate

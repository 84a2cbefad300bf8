#include "feedrate/find/trial.h"

#include <algorithm>
#include <cmath>

namespace feedrate {
namespace {

constexpr std::uint64_t kBatches = 8;    // batch means per estimate
constexpr std::uint64_t kFirstLook = 8;  // steps after the first before the first estimate

}  // namespace

TrialJudge::TrialJudge(const TrainingPlan& plan, std::uint32_t accelerators, double au_threshold,
                       Duration time_min)
    : plan_(plan), au_threshold_(au_threshold), time_min_(time_min), next_look_(kFirstLook) {
  plan_.replicas = accelerators / plan.replica_accelerators();
}

// Batch means over all steps but the first; each batch corrected for the prefetch window, so that
// what the window had stored up does not count as the storage's own.
ConfidenceInterval TrialJudge::estimate() const {
  const std::size_t last = steps_.size() - 1;
  const std::size_t batches = std::min<std::size_t>(kBatches, last);
  std::vector<double> means;
  for (std::size_t batch = 0; batch < batches; ++batch)
    means.push_back(
        sustained_utilisation(plan_, steps_, batch * last / batches, (batch + 1) * last / batches));
  ConfidenceInterval interval = batch_means(means);
  interval.mean = sustained_utilisation(plan_, steps_, 0, last);
  return interval;
}

bool TrialJudge::on_step(std::uint64_t step, const StepRecord& record) {
  steps_.push_back(record);
  if (step < next_look_ || steps_.back().end - steps_.front().end < time_min_) return false;
  next_look_ = step + std::max<std::uint64_t>(1, step / 16);
  const ConfidenceInterval interval = estimate();
  decided_ = std::abs(interval.mean - au_threshold_) > interval.half_width;
  return decided_;
}

TrialResult TrialJudge::result(const RunResult& run) const {
  TrialResult trial;
  trial.accelerators = plan_.accelerators();
  trial.bytes_per_second = run.sustained_bytes_per_second;
  trial.samples_per_second = run.sustained_samples_per_second;
  trial.seconds = run.seconds;
  trial.steps = run.steps;
  trial.decided = decided_;
  if (steps_.size() < 2) return trial;
  const ConfidenceInterval interval = estimate();
  trial.utilisation = interval.mean;
  trial.half_width = std::isfinite(interval.half_width) ? interval.half_width : 1;
  trial.passed = interval.mean >= au_threshold_;
  return trial;
}

}  // namespace feedrate

// Makes the trials of a search one after the other, keeps what they said and what they cost.
// Private to find/.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "feedrate/find/find.h"
#include "feedrate/find/trial.h"

namespace feedrate {

class Session {
 public:
  Session(const FindOptions& options, const TrainingPlan& plan, std::uint32_t several,
          const TrialRunner& run, const FindObserver& observer, const std::stop_token& stop);

  struct Outcome {
    Utilisation utilisation;
    double samples_per_second = 0;  // read; infinite where no time passed
  };
  Result<Outcome> run(TrialRequest request, TrialLimits limits);

  const Noise& noise() const { return noise_; }
  double spent() const;  // seconds of the search
  double left() const;   // infinite without a budget; 0 when it is spent
  std::uint32_t several() const { return several_; }
  const std::vector<TrialResult>& trials() const { return trials_; }
  std::optional<RunResult> last_run(std::uint32_t accelerators) const;

 private:
  const FindOptions& options_;
  const TrainingPlan& plan_;
  std::uint32_t several_;
  const TrialRunner& run_;
  const FindObserver& observer_;
  const std::stop_token& stop_;
  Noise noise_;
  double rate_max_ = 0;  // samples/s that trials with free steps moved
  double simulated_seconds_ = 0;
  std::uint64_t samples_ = 0;
  std::vector<TrialResult> trials_;
  std::map<std::uint32_t, RunResult> runs_;  // the last of each number
};

}  // namespace feedrate

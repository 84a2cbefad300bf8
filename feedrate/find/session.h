// Makes the trials of a search one after the other, and keeps what they said and what they cost.
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

  // Says whether the samples of a trial were read for the first time in the search.
  enum class Reading : std::uint8_t { kFirst, kAgain, kMixed };
  struct Outcome {
    Reading reading = Reading::kFirst;
    double seconds = 0;
    Utilisation utilisation;
    double samples_per_second = 0;  // read; infinite where no time passed
    std::uint64_t reads_in_flight = 0;
    double readers_busy = 1;  // mean reads in flight over as many as the readers allow
    // The mean time of a read, and the longest of those that came back.
    double read_seconds = 0, longest_read_seconds = 0;
  };
  Result<Outcome> run(TrialRequest request, TrialLimits limits);

  // How often the data set has been read, parts included: 1.3 is once and 30 % again.
  double passes() const;
  // The rate of trials with free steps while the data set was read for the first time, and the
  // seconds that it was measured for.
  struct Rate {
    double samples_per_second = 0, seconds = 0;
    // The most of both: a larger read brings more samples, and so moves more with as many in
    // flight.
    std::uint64_t reads_in_flight = 0, transfer_bytes = 0;
  };
  Rate first_reading() const;
  std::uint64_t unread() const;  // samples of the first pass
  const Noise& noise() const { return noise_; }
  // Forgets what trials with free steps and more than twice this many reads in flight taught of
  // noise, if the others have taught enough. Many more reads than are needed come back in bursts,
  // which says nothing of the trials that follow.
  void forget_noise_beyond(std::uint64_t reads);
  double spent() const;  // seconds of the search
  double left() const;   // infinite without a budget; 0 when it is spent
  // The time left for a trial with this load. On the real clock a trial also takes the time until
  // its first read, and from its end until its last reads have come back. Both are learnt from the
  // trials so far. On the virtual clock it equals left().
  double room_for(std::uint32_t replicas, const TrialLoad& load) const;
  bool read_all_it_may() const;  // as many as FindOptions::samples_max
  // Trials that were left out, as this host did not run in them.
  int discarded() const { return discarded_; }
  std::uint32_t several() const { return several_; }
  const std::vector<TrialResult>& trials() const { return trials_; }
  std::optional<RunResult> last_run(std::uint32_t accelerators) const;

 private:
  Reading reading_of(double passes_before, std::uint64_t samples) const;
  bool on_real_clock() const { return static_cast<bool>(options_.elapsed); }
  double bytes_in_flight(std::uint32_t replicas, const TrialLoad& load) const;
  double seconds_to_end(double bytes_in_flight) const;
  // Returns the mean reads in flight over as many as the readers allow.
  static double readers_busy(const TrialRecorder& recorder, const RunResult& run);
  // Returns the samples that the trial moved a second.
  double rate_of(const TrialRecorder& recorder, const RunResult& run, bool free_steps) const;
  void bound(const TrialRequest& request, std::uint32_t replicas, TrialLimits& limits) const;
  // Returns how many samples a trial began to read.
  std::uint64_t samples_begun(const TrialRecorder& recorder, const RunResult& run,
                              double in_flight) const;
  void learn_what_trials_take(const TrialRecorder& recorder, double called_at, double returned_at,
                              double in_flight);

  const FindOptions& options_;
  const TrainingPlan& plan_;
  std::uint32_t several_;
  const TrialRunner& run_;
  const FindObserver& observer_;
  const std::stop_token& stop_;
  Noise noise_;
  std::vector<std::pair<std::uint64_t, Noise>> noises_;  // of reads in flight, with free steps
  double rate_max_ = 0;  // samples/s, the most that trials with free steps moved
  double simulated_seconds_ = 0;
  // The longest times of late, on the real clock: until a trial began, and from its end until all
  // reads had come back, beyond what the storage's rate explains.
  double seconds_to_begin_ = 0, seconds_late_ = 0;
  std::uint64_t samples_ = 0;
  int discarded_ = 0;
  std::vector<Rate> first_rates_;
  std::vector<TrialResult> trials_;
  std::map<std::uint32_t, RunResult> runs_;  // the last of each number
};

}  // namespace feedrate

// Watches one trial, ends it when its time is up, and says what it measured. Private to find/.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "feedrate/engine/train.h"
#include "feedrate/find/noise.h"

namespace feedrate {

struct TrialLimits {
  Duration time{};  // ends the trial, in the middle of a step if need be
  Duration time_min{};
  // Ends the trial once this many are read, after time_min; 0: no such limit.
  std::uint64_t samples_enough = 0;
  std::uint64_t samples_max = 0;      // ends the trial in any case; 0: no limit
  std::function<bool()> out_of_time;  // true ends the trial at once
  // Returns the seconds of the search so far, on the real clock, which show what a trial takes
  // before its first read and after its last one was issued. It is empty on the virtual clock,
  // where that takes no time.
  std::function<double()> elapsed;
  Duration watch_every = std::chrono::milliseconds(5);
};

// The utilisation that a trial measured at one number of accelerators.
struct Utilisation {
  double seconds = 0;  // of the steady state; 0: nothing was measured
  double value = 0;
  double more = 0;  // the long run's value may be higher by this much (SteadyState)
  // The noise constant (noise.h) by this trial's own steps, most of which were late, and the
  // degrees of freedom behind it; 0 where it cannot be told.
  double own_constant = 0, own_freedom = 0;
  // False if no step ended. The value is then what the loaders read over what would have been
  // taken, so the true one is at most that.
  bool of_steps = true;
  // The standard deviation of the error that comes of reckoning the value from a part of an epoch
  // of the framework's client.
  double reckoned = 0;
  // Seconds of the one wait in which most of the lost time was lost; 0 where there was none. A
  // trial that saw one such wait knows next to nothing of how often they come.
  double one_wait = 0;
};

class TrialRecorder final : public StepObserver {
 public:
  TrialRecorder(const TrainingPlan& plan, const TrialLimits& limits)
      : plan_(plan), limits_(limits) {}

  bool on_step(std::uint64_t step, const StepRecord& record) override;
  Duration progress_every() const override { return limits_.watch_every; }
  void on_begin(Instant now) override;
  bool on_progress(Instant now, std::uint64_t samples, std::uint64_t bytes) override;

  // The following are to be called after the run.
  double seconds() const;
  double samples_per_second() const;  // read in the steady part of the trial; infinite where time
                                      // did not pass
  // The rate of everything read since the first read came back, consumable yet or not: it is what
  // the storage moves where all readers were busy. 0 where too few rounds of reads came back to
  // tell.
  double read_samples_per_second() const;
  Utilisation utilisation() const;
  // Teaches `noise` what this trial saw. `saturated_rate` [samples/s] is what the storage can move,
  // as far as known: a trial that read more slowly asked for less, and shows its steps, not the
  // storage.
  void teach(Noise& noise, bool free_steps, double saturated_rate) const;
  std::uint64_t samples() const;  // read, as far as it was watched; at least those consumed
  // When the trial's own time began, and when it was cut off, by TrialLimits::elapsed; 0 where that
  // did not happen.
  double begun_at() const { return begun_at_; }
  double cut_at() const { return cut_at_; }

 private:
  struct Point {
    Instant time;
    std::uint64_t samples, bytes;
  };
  bool is_over(Instant now, std::uint64_t samples) const;
  // The following three concern the framework's client, whose loaders begin anew each epoch.
  std::uint64_t steps_per_epoch() const;
  bool saw_no_restart() const;
  double with_restarts(double value) const;
  Point read_by(Instant time) const;
  // Returns what was read at the times between which blocks begin and end.
  std::vector<Point> ends_of_blocks(bool free_steps) const;
  // Returns false if too little was read for a block to be made of it.
  bool teach_reads(Noise& noise, bool free_steps) const;
  void teach_steps(Noise& noise) const;
  void add_one_wait(const SteadyState& steady, double cut_off, Utilisation& seen) const;
  void add_own_noise(const SteadyState& steady, Utilisation& seen) const;
  double steady_samples_per_second() const;
  // The rate by bytes, for samples that take many reads each and come back all at once; 0 if there
  // were too few.
  double split_samples_per_second() const;
  std::size_t steady_point() const;  // index in reads_ from which reading was steady

  const TrainingPlan& plan_;
  TrialLimits limits_;
  std::mutex mutex_;
  Instant begin_{};
  std::vector<StepRecord> steps_;
  std::vector<Point> reads_;
  double begun_at_ = 0, cut_at_ = 0;
};

}  // namespace feedrate

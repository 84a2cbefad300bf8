// The result of several jobs that ran together: each one's own report and, where the jobs also ran
// alone, what running together cost each of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/checkpoint_result.h"
#include "feedrate/result/run_result.h"

namespace feedrate {

// A job either trains or writes checkpoints, and only the members of its kind are set.
struct JobTogether {
  std::string job;  // The words that asked for the job.
  std::optional<RunResult> train, train_alone;
  std::optional<CheckpointResult> checkpoint, checkpoint_alone;

  // How long training had made no step when the run ended, where that is more than twice as long as
  // any step of it took; 0 otherwise. A job that is ended by another one is mostly in the middle of
  // a step.
  double stuck_seconds = 0;

  // Returns the rate that the job got: samples/s of training after its first step, the time without
  // a step at its end included, or bytes/s of checkpoints while they are written. None where that
  // was not measured.
  std::optional<double> rate() const;
  // Returns the rate that it got alone; none where that was not tried or not measured.
  std::optional<double> rate_alone() const;
  // Returns the share of its rate alone that it lost, never less than 0; none where one of the two
  // rates is not known.
  std::optional<double> lost_fraction() const;
  bool was_alone() const { return train_alone || checkpoint_alone; }
};

// `verb` is "together". The first job is the one that was measured; the others went on as long.
struct TogetherReport : Envelope {
  std::vector<JobTogether> jobs;
};

std::string verdict_of(const TogetherReport& report);

}  // namespace feedrate

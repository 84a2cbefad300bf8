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

  // Returns the rate that the job got: samples/s of training after its first step, or bytes/s of
  // checkpoints while they are written; 0 when that was not measured.
  double rate() const;
  // Returns the rate that it got alone; 0 when that was not tried.
  double rate_alone() const;
  // The share of its rate alone that it lost; 0 where that is not known, or where it lost nothing.
  double lost_fraction() const;
  bool was_alone() const { return train_alone || checkpoint_alone; }
};

// `verb` is "together". The first job is the one that was measured; the others went on as long.
struct TogetherReport : Envelope {
  std::vector<JobTogether> jobs;
};

std::string verdict_of(const TogetherReport& report);

}  // namespace feedrate

// Emulates training with failures, to find how much of the time is training that lasts.
//
// Failures come at random, exponentially, at the mean time between them. Training runs for an
// interval, stops for a checkpoint, and so on; after a failure the job restarts, reads the newest
// checkpoint that a restart finds, and goes on from there. What was done since is lost. A failure
// while a checkpoint is written makes that one void; one while the job restarts or reads starts
// that anew. That is the process that Daly's closed form is about (plan/checkpoint.h).
//
// There is one loop for this. How long a stretch of training and a restart take comes from a
// GoodputHost: one that really does it all (goodput_run.h), or one that adds up times.
#pragma once

#include <cstdint>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"

namespace feedrate {

struct GoodputJob {
  Duration interval{};  // The training between two checkpoints.
  Duration total{};     // The length of the whole run.
  Duration mtbf{};      // The mean time between failures of the job.
  Duration restart{};   // From a failure to the first read of the checkpoint.
  std::uint64_t seed = 1;
};

// Training and checkpoints from one start to a failure, or to the end of the run.
struct Stretch {
  Duration elapsed{};
  std::uint64_t saved = 0;  // The intervals whose checkpoints a restart finds.
  // The checkpoints that were begun; those beyond `saved` were made void by the failure.
  std::uint64_t begun = 0;
  Duration training{};  // All training that was done, lost or not.
  Duration blocked{};   // The time in which checkpoints let no step be made.
};

class GoodputHost {
 public:
  virtual ~GoodputHost() = default;
  // Trains and writes checkpoints for `limit`; then the job fails or the run is over.
  virtual Result<Stretch> train(Duration limit) = 0;
  // Reads the newest checkpoint and returns how long that took: at most `limit`, when the job fails
  // again.
  virtual Result<Duration> restore(Duration limit) = 0;
};

// A host that adds up times which are always the same.
class ModelledGoodput final : public GoodputHost {
 public:
  // `blocked` is how long training stands for one checkpoint. `restorable` counts from its begin
  // until a restart finds it; no other begins before.
  ModelledGoodput(Duration interval, Duration blocked, Duration restorable, Duration restore)
      : interval_(interval), blocked_(blocked), restorable_(restorable), restore_(restore) {}
  Result<Stretch> train(Duration limit) override;
  Result<Duration> restore(Duration limit) override;

 private:
  Duration interval_, blocked_, restorable_, restore_;
};

struct GoodputSummary {
  Duration elapsed{};
  Duration lasting{};  // Training that was not lost.
  Duration lost{};     // Training that was lost.
  Duration blocked{};  // Training stood for checkpoints.
  Duration restarting{}, restoring{};
  std::uint64_t failures = 0, while_writing = 0, while_restarting = 0;
  std::uint64_t checkpoints = 0;  // The checkpoints that restarts would have found.
  double goodput() const { return to_seconds(lasting) / to_seconds(elapsed); }
};

// Runs until the first end of a stretch or of a restart beyond `total`. Training since the last
// checkpoint counts as lasting then.
Result<GoodputSummary> run_with_failures(const GoodputJob& job, GoodputHost& host);

}  // namespace feedrate

// Emulated training that fails: how much of the time is training that lasts.
//
// Failures come at random, exponentially, at the mean time between them. Training runs for an
// interval, stops for a checkpoint, and so on; after a failure the job restarts, reads the newest
// checkpoint that a restart finds, and goes on from there. What was done since is lost. A failure
// while a checkpoint is written makes that one void; one while the job restarts or reads starts
// that anew. That is the process that Daly's closed form is about (plan/checkpoint.h).
//
// The loop is one; what a stretch of training and a restart take comes from a GoodputHost: a real
// one that does it all (cli), or one that adds up times.
#pragma once

#include <cstdint>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"

namespace feedrate {

struct GoodputJob {
  Duration interval{};  // of training between two checkpoints
  Duration total{};     // of the whole run
  Duration mtbf{};      // mean time between failures of the job
  Duration restart{};   // from a failure to the first read of the checkpoint
  std::uint64_t seed = 1;
};

// Training and checkpoints from a start to a failure, or to the end of the run.
struct Stretch {
  Duration elapsed{};
  std::uint64_t saved = 0;  // intervals that a restart finds
  std::uint64_t begun = 0;  // checkpoints begun: with `saved` those that a failure made void
  Duration training{};      // all that was done
  Duration blocked{};       // no step, for checkpoints
};

class GoodputHost {
 public:
  virtual ~GoodputHost() = default;
  // Trains and writes checkpoints for `limit`; it fails then, or the run is over.
  virtual Result<Stretch> train(Duration limit) = 0;
  // Reads the newest checkpoint; at most `limit`, then it fails. What it took.
  virtual Result<Duration> restore(Duration limit) = 0;
};

// Adds up times that are always the same.
class ModelledGoodput final : public GoodputHost {
 public:
  // `blocked`: training stands for one; `restorable`: from its begin until a restart finds it, and
  // no other begins before.
  ModelledGoodput(Duration interval, Duration blocked, Duration restorable, Duration restore)
      : interval_(interval), blocked_(blocked), restorable_(restorable), restore_(restore) {}
  Result<Stretch> train(Duration limit) override;
  Result<Duration> restore(Duration limit) override;

 private:
  Duration interval_, blocked_, restorable_, restore_;
};

struct GoodputSummary {
  Duration elapsed{};
  Duration lasting{};  // training that was not lost
  Duration lost{};     // training that was
  Duration blocked{};  // for checkpoints
  Duration restarting{}, restoring{};
  std::uint64_t failures = 0, while_writing = 0, while_restarting = 0;
  std::uint64_t checkpoints = 0;  // that restarts would have found
  double goodput() const { return to_seconds(lasting) / to_seconds(elapsed); }
};

// Ends at the first stretch's or restart's end beyond `total`; training since the last checkpoint
// counts as lasting then.
Result<GoodputSummary> run_with_failures(const GoodputJob& job, GoodputHost& host);

}  // namespace feedrate

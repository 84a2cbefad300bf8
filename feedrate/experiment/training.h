// Training as an experiment: the run with the counters that witness it, and the report that is made
// of both.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "feedrate/engine/checkpoint_guest.h"
#include "feedrate/engine/train.h"
#include "feedrate/evidence/io_witness.h"
#include "feedrate/experiment/world.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

// What to do about the page cache where reads go through it.
enum class CacheUse : std::uint8_t {
  kDrop,     // The data set is dropped from it before the run, and again once it is read.
  kKeep,     // What it holds stays, and the run is INVALID when much came from it.
  kMeasure,  // The page cache itself is what is measured.
};
std::string_view to_string(CacheUse use);  // "drop", "keep", "measure"

// Checkpoints in the middle of training, and the layout that their job points to.
struct CheckpointsOfRun {
  TrainingCheckpoints checkpoints;  // If it has no storage, the run makes it.
  std::unique_ptr<CheckpointLayout> layout;
  RunCheckpoints described;  // The names and settings; the figures come from the run.
};

// Everything that is decided about training, but for the number of replicas and the limits of the
// run, which are in the plan that runs.
struct TrainingSetup {
  Workload workload;
  AcceleratorTiming timing;
  TrainingPlan plan;
  StoragePlace place;
  WorldSpec world;
  CacheUse cache = CacheUse::kDrop;
  HostFacts host;  // Collected once, since a search has many trials.
  std::vector<std::string> warnings;

  bool reads_files() const { return place.carries_data(); }
  // Returns "direct" or "buffered", or "none" where the storage moves no bytes.
  std::string io_word() const { return reads_files() ? std::string(to_string(place.io)) : "none"; }
  bool drops_cache() const {
    return reads_files() && place.io == IoMode::kBuffered && cache == CacheUse::kDrop;
  }
};

// Returns a setup of one replica with the defaults of its client, on storage that costs nothing and
// the real clock: a beginning, whose place, world and plan are then changed.
TrainingSetup default_training_setup(const Workload& workload, const AcceleratorTiming& timing,
                                     std::shared_ptr<const Dataset> dataset, ClientKind client);

// What somebody who waits for an experiment can hook into it. All members may be empty.
struct RunHooks {
  StepObserver* observer = nullptr;
  TrainingProgress* progress = nullptr;
  CheckpointProgress* moved = nullptr;  // Of checkpoints and models.
  std::stop_token stop;
  // Called with the reactors that run; what it returns lives as long as they do.
  std::function<std::shared_ptr<void>(const ReactorGroup&)> watch;
};

// Returns what proves where the bytes of a run come from, and drops them from the page cache behind
// its reads where the setup says so; null where no counter of this host tells. It is made before
// the run; `plan` and `progress` outlive it.
std::unique_ptr<IoWitness> make_witness(const TrainingSetup& setup, const TrainingPlan& plan,
                                        const TrainingProgress& progress);
// Lets it say, after the run, what it saw. Where reads never came back it is not asked: asking the
// page cache about the same files might hang as well.
void let_witness_judge(const TrainingSetup& setup, std::unique_ptr<IoWitness> witness,
                       const TrainingOutcome& outcome, RunResult& result);

// Runs once with `plan`, which is the setup's, perhaps with other accelerators and limits. The
// report's envelope has only what the run itself knows.
Result<RunResult> run_training_once(const TrainingSetup& setup, const TrainingPlan& plan,
                                    const RunHooks& hooks,
                                    const CheckpointsOfRun* checkpoints = nullptr);

// Returns the settings that were used, by option, for a report. `engine` is the one that the
// reactors have.
std::map<std::string, std::string> settings_of(const TrainingSetup& setup, const TrainingPlan& plan,
                                               IoEngine engine);

// Makes the report of a run, as far as the run itself knows.
RunResult report_training(const TrainingSetup& setup, const TrainingPlan& plan,
                          const TrainingOutcome& outcome, IoEngine engine);

// Measures the no-storage ceiling (ClientCeiling): how much the client can do when storage takes no
// time. The trial lasts for `time`. There is none, and the seconds are 0, on the virtual clock and
// where storage that takes no time is what was measured.
Result<ClientCeiling> measure_ceiling(const TrainingSetup& setup, const TrainingPlan& plan,
                                      Duration time, const std::stop_token& stop);

// Does the work of `train`: the ceiling alone first, then the run. The limiter uses both.
Result<RunResult> train(const TrainingSetup& setup, const RunHooks& hooks,
                        const CheckpointsOfRun* checkpoints = nullptr);

}  // namespace feedrate

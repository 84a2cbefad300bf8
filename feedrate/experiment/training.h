// Training as an experiment: the run with its witnesses, and what it comes to as a report.
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
#include "feedrate/experiment/world.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

// What is done about the page cache where reads go through it.
enum class CacheUse : std::uint8_t {
  kDrop,     // the data set is dropped before the run, and again once it is read
  kKeep,     // what is there stays, and the run is INVALID where much came from it
  kMeasure,  // the page cache itself is what is measured
};
std::string_view to_string(CacheUse use);  // "drop", "keep", "measure"

// Checkpoints in the middle of training, and the layout that their job points to.
struct CheckpointsOfRun {
  TrainingCheckpoints checkpoints;  // its storage is made here where it has none
  std::unique_ptr<CheckpointLayout> layout;
  RunCheckpoints described;  // names and settings; figures come from the run
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
  HostFacts host;  // collected once: the trials of a search are many
  std::vector<std::string> warnings;

  bool reads_files() const { return place.carries_data(); }
  // "direct", "buffered"; "none" where the storage moves no bytes.
  std::string io_word() const { return reads_files() ? std::string(to_string(place.io)) : "none"; }
  bool drops_cache() const {
    return reads_files() && place.io == IoMode::kBuffered && cache == CacheUse::kDrop;
  }
};

// What somebody who waits for an experiment has to do with it. All may be empty.
struct RunHooks {
  StepObserver* observer = nullptr;
  TrainingProgress* progress = nullptr;
  std::stop_token stop;
  // Called with the reactors that run; what it returns lives as long as they do.
  std::function<std::shared_ptr<void>(const ReactorGroup&)> watch;
};

// Runs once with `plan`: the setup's, perhaps with other accelerators and limits. Of the envelope
// the report has what the run itself knows.
Result<RunResult> run_training_once(const TrainingSetup& setup, const TrainingPlan& plan,
                                    const RunHooks& hooks,
                                    const CheckpointsOfRun* checkpoints = nullptr);

// What was used, by option, for a report to tell. `engine` is the one that the reactors have.
std::map<std::string, std::string> settings_of(const TrainingSetup& setup, const TrainingPlan& plan,
                                               IoEngine engine);

// The report of a run, as far as the run itself knows.
RunResult report_training(const TrainingSetup& setup, const TrainingPlan& plan,
                          const TrainingOutcome& outcome, IoEngine engine);

// The no-storage ceiling: what the client does when storage takes no time, tried for `time`: see
// ClientCeiling. Nothing is tried (and the seconds are 0) on the virtual clock, and where storage
// that takes no time is what was measured.
Result<ClientCeiling> measure_ceiling(const TrainingSetup& setup, const TrainingPlan& plan,
                                      Duration time, const std::stop_token& stop);

// `train`: the ceiling first, by itself, then the run; the limiter knows both.
Result<RunResult> train(const TrainingSetup& setup, const RunHooks& hooks,
                        const CheckpointsOfRun* checkpoints = nullptr);

}  // namespace feedrate

// Makes setups for tests, on described storage and the virtual clock.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "feedrate/engine/engine_testing.h"
#include "feedrate/experiment/together.h"

namespace feedrate {

// Returns training on 4000 files of 10 kB, with a batch of 4 every 10 ms: an accelerator reads 4
// MB/s.
inline TrainingSetup training_on(const std::string& storage, std::uint32_t accelerators,
                                 std::uint64_t steps) {
  TrainingSetup setup;
  setup.workload = test_workload("file", 4000, 1, 10'000);
  setup.timing = setup.workload.accelerators.front();
  setup.plan = test_plan(setup.workload, ClientKind::kNative, accelerators);
  setup.plan.epochs = 0;
  setup.plan.steps_max = steps;
  setup.world.clock = ClockKind::kVirtual;
  setup.place.spec = parse_storage(storage).value();
  setup.place.directory = ".";
  return setup;
}

// Returns checkpoints of 8 MB by one rank, `between` apart, as many as there is time for.
inline CheckpointSetup checkpoints_on(const std::string& storage, Duration between) {
  CheckpointSetup setup;
  setup.layout = make_checkpoint_layout("raw").value();
  setup.model = "test";
  setup.world.clock = ClockKind::kVirtual;
  setup.place.spec = parse_storage(storage).value();
  setup.place.directory = ".";
  CheckpointWriteJob& job = setup.job;
  job.layout = setup.layout.get();
  job.directory = "x";
  job.head.layout = "raw";
  job.head.step = 1;
  const std::uint64_t bytes = 8'000'000;
  const TensorPiece piece{"w", Dtype::kU8, {bytes}, {0}, {bytes}};
  const std::vector<RankGroups> ranks{{0, {{"weights", {piece}}}}};
  job.ranks = setup.layout->place(ranks);
  job.count = 1'000'000;
  job.train_first = true;
  job.between = between;
  return setup;
}

}  // namespace feedrate

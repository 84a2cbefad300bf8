// The replicas, loaders and buffers of one training run on one reactor. Private to engine/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/engine/loader.h"
#include "feedrate/engine/replica.h"
#include "feedrate/engine/step_coordinator.h"

namespace feedrate {

class TrainingPart {
 public:
  struct Shared {
    const TrainingPlan& plan;
    EpochOrders& orders;
    StepCoordinator& group;
    TrainingProgress& progress;
    std::function<void(const Error&)> on_fatal;
  };
  // `ranks` are the replicas on this reactor; `guest_part` may be null.
  TrainingPart(Reactor& reactor, std::unique_ptr<Storage> storage, const Shared& shared,
               std::vector<std::uint32_t> ranks, ReplicaGuest guest,
               std::unique_ptr<StepGuest::Part> guest_part);

  // Measures the rate of one read without company; 0 where it cannot be told.
  Task<StreamRate> measure_stream_rate();
  // Lets the guest prepare before the clock runs.
  Task<> prepare();
  // `stream_bytes_per_second` is the result of measure_stream_rate(), whichever part measured it.
  Task<> run(double stream_bytes_per_second);

  // Returns none for a reactor that was let go while it prepared, and so had no part in the run.
  std::optional<ReaderStats> stats() const { return began_ ? std::optional(stats_) : std::nullopt; }
  std::size_t buffers() const { return buffers_.blocks(); }
  std::vector<std::string> shortfalls();

 private:
  Reactor& reactor_;
  std::vector<std::uint32_t> ranks_;
  StepCoordinator& group_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<StepGuest::Part> guest_part_;
  ReplicaGuest guest_;
  ReaderStats stats_;
  bool began_ = false;
  BufferPool buffers_;
  FileCache files_;
  LoaderContext context_;
  Semaphore finished_;
  std::vector<std::unique_ptr<Loader>> loaders_;
  std::optional<StopHook> on_stop_;
};

}  // namespace feedrate

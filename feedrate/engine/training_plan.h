// Describes what `train` is to do: the workload, with every setting decided.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "feedrate/dataset/dataset.h"
#include "feedrate/engine/stream_rate.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

// Whose habits the loader has.
enum class ClientKind : std::uint8_t {
  kNative,    // deep queues, large transfers, no pause between epochs
  kFaithful,  // the framework's: one blocking read per reader, its transfer size, epochs apart
};
std::string_view to_string(ClientKind client);  // "native", "faithful"
Result<ClientKind> parse_client(std::string_view text, std::string_view flag);

// Says what is done with the bytes of a sample once they are there.
enum class ByteLevel : std::uint8_t {
  kRaw,     // nothing
  kVerify,  // every byte is checked against the content seed, and the format's checksums
  kDecode,  // the format's real library makes tensors of them, on worker threads
};
std::string_view to_string(ByteLevel level);  // "raw", "verify", "decode"
Result<ByteLevel> parse_byte_level(std::string_view text, std::string_view flag);

enum class OnError : std::uint8_t { kStop, kContinue };
std::string_view to_string(OnError action);  // "stop", "continue"
Result<OnError> parse_on_error(std::string_view text, std::string_view flag);

// A step of one replica that never waits: `slot` for each micro-batch in the first stage, and
// `drain` until the last one has left the last stage.
struct StepPace {
  Duration slot{}, drain{}, compute{};  // compute: all of it
};

struct TrainingPlan {
  std::shared_ptr<const Dataset> dataset;
  AcceleratorTiming timing;
  AccessOrder order = AccessOrder::kRandomSamples;
  ClientKind client = ClientKind::kNative;
  std::uint32_t replicas = 1;  // data parallelism: each reads batches of its own
  // Model parallelism: so many accelerators are one replica, which reads its batch once; batch and
  // step time are the replica's. `micro_batches` of a batch go one after the other through the
  // stages of the pipeline, and are what the loader makes: it needs the first of them to begin.
  std::uint32_t tensor_parallel = 1, pipeline_parallel = 1, micro_batches = 1;
  // Per replica. 0, faithful client only: the training process reads its batches itself, one after
  // the other, and computes on none meanwhile (PyTorch's num_workers=0).
  std::uint32_t readers = 4;
  std::uint32_t prefetch_batches = 2;  // of the loader, per replica
  std::uint64_t shuffle_buffer_samples = 0;
  std::uint64_t transfer_bytes = std::uint64_t{4} << 20U;  // largest single read
  std::uint32_t transfers_per_sample = 4;  // reads in flight of one large sample (native)
  std::uint64_t buffer_bytes = std::uint64_t{256} << 20U;  // I/O buffers of one reactor, at most
  bool hold = false;  // keep whole batches in memory, as a real job does
  ByteLevel level = ByteLevel::kRaw;
  Duration decode_time{};  // of a sample, where nothing real is decoded (null and model storage)
  OnError on_error = OnError::kStop;
  std::uint64_t seed = 1;
  // Samples of the orders that earlier runs have read: this one goes on behind them, so that
  // nothing is read again before all has been read once.
  std::uint64_t start_samples = 0;
  bool labels_known = false;  // an earlier run of the job has read the manifest of labels
  // Where there is one, runs of the same storage share it: the first of them measures what a read
  // without company moves, and the others take that, since it costs a dozen reads one by one.
  std::shared_ptr<std::optional<StreamRate>> stream_rate = {};
  std::uint64_t steps_max = 0;  // 0: no limit. The run ends at whichever limit comes first.
  std::uint64_t epochs = 1;     // 0: no limit
  Duration time_max{};          // 0: no limit
  // Accelerators whose work takes longer, and by what factor: stragglers. In Megatron's order:
  // tensor-parallel ranks are next to each other, then replicas, then stages.
  std::map<std::uint32_t, double> slow_ranks = {};

  bool reads_in_process() const { return readers == 0; }
  std::uint32_t reading() const { return readers > 0 ? readers : 1; }  // coroutines that read
  std::uint32_t replica_accelerators() const { return tensor_parallel * pipeline_parallel; }
  std::uint32_t accelerators() const { return replicas * replica_accelerators(); }
  std::uint32_t micro_batch_samples() const { return timing.batch_samples / micro_batches; }
  // Share of a step in which a stage has no micro-batch: (stages - 1) of the slots of a pipeline
  // that fills and drains in each step.
  double pipeline_bubble() const;
  StepPace pace_of(std::uint32_t replica) const;
};

// The defaults of each client for this workload and data set (readers, transfers, window).
TrainingPlan default_training_plan(const Workload& workload, const AcceleratorTiming& timing,
                                   std::shared_ptr<const Dataset> dataset, ClientKind client);

// Makes the window wide enough for all readers to be busy (native client: a batch of one sample
// and two batches ahead would keep two readers of eight at work).
void widen_window(TrainingPlan& plan);

// kUsage when the plan cannot make one step: fewer samples than a global batch, and the like.
Result<> check_training_plan(const TrainingPlan& plan);

// The state of the group of accelerators at the end of a step.
struct StepRecord {
  Instant end{};  // when the slowest accelerator finished computing
  // Batches read, in whole or in part, beyond those consumed, mean over the replicas: when the last
  // of them began with this step, always the same phase.
  double stock_batches = 0;
  // A loader had nothing left to read (of the run, or of the framework's epoch): its stock shrinks
  // whatever the storage does.
  bool ran_out = false;
};

// Watches a run from inside. on_step is called under the step barrier's lock by whichever thread
// arrives last: be quick, touch nothing of the engine. The others come from the first reactor's
// thread; an observer that keeps something for both guards it.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  // True ends the run after this step.
  virtual bool on_step(std::uint64_t step, const StepRecord& record) = 0;
  // How often on_progress is wanted; 0: never. The same throughout a run.
  virtual Duration progress_every() const { return {}; }
  // The first read is about to be issued.
  virtual void on_begin(Instant) {}
  // Told what all loaders have read until `now`. Returning true cuts the run off, in the middle of
  // a step if need be.
  virtual bool on_progress(Instant /*now*/, std::uint64_t /*samples*/, std::uint64_t /*bytes*/) {
    return false;
  }
};

// Read by other threads while a run goes on. Fresh for each run.
struct TrainingProgress {
  std::atomic<std::uint64_t> steps = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> samples = 0;
};

}  // namespace feedrate

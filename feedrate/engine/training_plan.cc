#include "feedrate/engine/training_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "feedrate/base/text.h"
#include "feedrate/workload/checkpoint_tensors.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

// Reads of this size are worth their while; larger ones gained nothing on the machines measured.
constexpr std::uint64_t kNativeTransferBytes = std::uint64_t{4} << 20U;
constexpr std::uint64_t kNativeRunBytes = std::uint64_t{2} << 20U;
constexpr std::uint64_t kSmallSampleBytes = std::uint64_t{1} << 20U;
constexpr std::uint32_t kNativeReadersSmall = 32;
constexpr std::uint32_t kNativeReadersLarge = 8;

}  // namespace

std::string_view to_string(ClientKind client) {
  return client == ClientKind::kNative ? "native" : "faithful";
}

Result<ClientKind> parse_client(std::string_view text, std::string_view flag) {
  if (text == "native") return ClientKind::kNative;
  if (text == "faithful") return ClientKind::kFaithful;
  const std::array<std::string, 2> known{"native", "faithful"};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown client '{}'{}", flag, text, did_you_mean(text, known)),
              "use native (deep queues) or faithful (the framework's habits)");
}

std::string_view to_string(ByteLevel level) {
  switch (level) {
    case ByteLevel::kRaw:
      return "raw";
    case ByteLevel::kVerify:
      return "verify";
    case ByteLevel::kDecode:
      return "decode";
  }
  return "?";
}

Result<ByteLevel> parse_byte_level(std::string_view text, std::string_view flag) {
  std::vector<std::string> known;
  for (const ByteLevel level : {ByteLevel::kRaw, ByteLevel::kVerify, ByteLevel::kDecode}) {
    if (text == to_string(level)) return level;
    known.emplace_back(to_string(level));
  }
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown level '{}'{}", flag, text, did_you_mean(text, known)),
              "use raw (count the bytes), verify (check them) or decode (make tensors of them)");
}

std::string_view to_string(OnError action) {
  return action == OnError::kStop ? "stop" : "continue";
}

Result<OnError> parse_on_error(std::string_view text, std::string_view flag) {
  if (text == "stop") return OnError::kStop;
  if (text == "continue") return OnError::kContinue;
  const std::array<std::string, 2> known{"stop", "continue"};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown action '{}'{}", flag, text, did_you_mean(text, known)),
              "use stop or continue");
}

TrainingPlan default_training_plan(const Workload& workload, const AcceleratorTiming& timing,
                                   std::shared_ptr<const Dataset> dataset, ClientKind client) {
  TrainingPlan plan;
  plan.timing = timing;
  plan.order = workload.order;
  plan.client = client;
  plan.readers = workload.readers;
  plan.prefetch_batches = workload.prefetch_batches;
  plan.shuffle_buffer_samples = workload.shuffle_buffer_samples;
  plan.epochs = workload.epochs;
  if (dataset->one_sample_per_file()) plan.order = AccessOrder::kRandomSamples;
  if (client == ClientKind::kFaithful) {
    plan.transfer_bytes = dataset->format().reference_transfer_bytes();
    plan.transfers_per_sample = 1;
  } else {
    const bool runs = plan.order == AccessOrder::kSequential;
    const bool small = dataset->mean_sample_bytes() < kSmallSampleBytes && !runs;
    plan.transfer_bytes = runs ? kNativeRunBytes : kNativeTransferBytes;
    plan.readers = std::max(workload.readers, small ? kNativeReadersSmall : kNativeReadersLarge);
    widen_window(plan);
  }
  plan.dataset = std::move(dataset);
  return plan;
}

double TrainingPlan::pipeline_bubble() const {
  return (pipeline_parallel - 1.0) / (micro_batches + pipeline_parallel - 1.0);
}

// A stage is as slow as the slowest of its tensor-parallel ranks, and no stage takes micro-batches
// faster than the slowest one.
StepPace TrainingPlan::pace_of(std::uint32_t replica) const {
  std::vector<double> stages(pipeline_parallel, 1.0);
  for (const auto& [rank, factor] : slow_ranks) {
    if (rank >= accelerators()) continue;  // of a larger trial
    const RankPlace place = place_of_rank({tensor_parallel, pipeline_parallel, replicas, 0}, rank);
    if (place.data == replica) stages[place.pipeline] = std::max(stages[place.pipeline], factor);
  }
  const double slot = to_seconds(timing.compute) / (micro_batches + pipeline_parallel - 1.0);
  const double slowest = std::ranges::max(stages);
  const double once = std::accumulate(stages.begin(), stages.end(), 0.0);
  StepPace pace;
  pace.slot = from_seconds(slot * slowest);
  pace.compute = slow_ranks.empty() ? timing.compute
                                    : from_seconds(slot * (once + (micro_batches - 1) * slowest));
  pace.drain = pace.compute - pace.slot * micro_batches;
  return pace;
}

void widen_window(TrainingPlan& plan) {
  const std::uint32_t batch = plan.micro_batch_samples();
  plan.prefetch_batches = std::max(plan.prefetch_batches, (plan.readers + batch - 1) / batch + 1);
}

Result<> check_training_plan(const TrainingPlan& plan) {
  const ShardShape shape{plan.dataset->samples(), plan.replicas, plan.timing.batch_samples};
  const std::uint64_t batch =
      std::uint64_t{plan.replicas} * std::uint64_t{plan.timing.batch_samples};
  if (shape.steps_per_epoch() == 0)
    return fail(
        ErrorKind::kUsage,
        fmt::format("--accelerators: {}{} x batch of {} needs {} for a step, the data set has {}",
                    plan.replicas, plan.replica_accelerators() > 1 ? " replicas" : "",
                    plan.timing.batch_samples, format_counted(batch, "sample"),
                    format_count(static_cast<double>(shape.samples))),
        shape.samples >= plan.timing.batch_samples
            ? fmt::format("use --accelerators={} or fewer, a smaller --batch, or a larger data set",
                          shape.samples / plan.timing.batch_samples * plan.replica_accelerators())
            : fmt::format("use --batch={} or less, or a larger data set", shape.samples));
  return {};
}

}  // namespace feedrate

#include "feedrate/workload/checkpoint_shards.h"

#include <algorithm>

namespace feedrate {
namespace {

std::uint64_t stage_layers(const ModelShape& model, std::uint64_t stages, std::uint64_t stage) {
  return model.layers / stages + (stage < model.layers % stages ? 1 : 0);
}

// Returns the files that a tensor-parallel rank of the stage writes: one for each layer. The
// embeddings and the last norm count as layers.
Count stage_files(const ModelShape& model, std::uint64_t stages, std::uint64_t stage) {
  if (!model.is_transformer()) return Count(1);
  const std::uint64_t first = stage == 0 ? 1 : 0;
  const std::uint64_t last = stage + 1 == stages ? (model.output_embedding ? 2 : 1) : 0;
  return count_of(stage_layers(model, stages, stage) + first + last);
}

Count listed_parameters(const ModelShape& model, const Parallelism& parallelism,
                        std::uint64_t stage, bool row_wise_only) {
  std::uint64_t begin = 0, sum = 0;
  for (const ModelTensor& tensor : model.tensors) {
    if ((tensor.row_wise || !row_wise_only) &&
        stage_of_tensor(model, parallelism.pipeline, begin) == stage)
      sum += tensor.elements();
    begin += tensor.elements();
  }
  return count_of(sum) / count_of(parallelism.tensor);
}

}  // namespace

Precision published_precision(const ModelShape& model) {
  Precision precision;
  if (model.checkpoint_bytes == 0) return precision;
  const Count many = model.parameters();
  const Bytes all(static_cast<double>(model.checkpoint_bytes));
  precision.optimizer = (all - many * precision.weights) / many;
  return precision;
}

std::uint64_t stage_of_tensor(const ModelShape& model, std::uint64_t stages, std::uint64_t begin) {
  return begin / ((model.given_parameters + stages - 1) / stages);
}

Count stage_row_wise_parameters(const ModelShape& model, const Parallelism& parallelism,
                                std::uint64_t stage) {
  return listed_parameters(model, parallelism, stage, true);
}

Count stage_parameters(const ModelShape& model, const Parallelism& parallelism,
                       std::uint64_t stage) {
  const Count tensor = count_of(parallelism.tensor);
  const std::uint64_t stages = parallelism.pipeline;
  if (!model.tensors.empty()) return listed_parameters(model, parallelism, stage, false);
  if (!model.is_transformer()) return model.parameters() / tensor / count_of(stages);
  const Count norms = count_of(2 * model.hidden);
  const Count matrices = model.layer_parameters() - norms;
  Count sum = count_of(stage_layers(model, stages, stage)) * (norms + matrices / tensor);
  if (stage == 0) sum += model.embedding_parameters() / tensor;
  if (stage + 1 == stages) {
    sum += count_of(model.hidden);
    if (model.output_embedding) sum += model.embedding_parameters() / tensor;
  }
  return sum;
}

RankShard checkpoint_shard(const ModelShape& model, const Parallelism& parallelism,
                           const Precision& precision, const RankPlace& place) {
  RankShard shard;
  const Count data = count_of(parallelism.data);
  const Count parameters = stage_parameters(model, parallelism, place.pipeline);
  // Without ZeRO the first replica writes everything, except the rows of tables that the others
  // hold.
  const Count tables = stage_row_wise_parameters(model, parallelism, place.pipeline);
  const Count own = tables / data + (place.data == 0 ? parameters - tables : Count(0));
  const auto files = [&](Count holds, Count many) { return holds > Count(0) ? many : Count(0); };
  if (parallelism.zero_stage >= 3) {
    shard.weights = parameters / data * precision.weights;
    shard.weight_files = files(parameters, Count(1));
  } else {
    shard.weights = own * precision.weights;
    shard.weight_files = files(own, stage_files(model, parallelism.pipeline, place.pipeline));
  }
  if (precision.optimizer <= Bytes(0)) return shard;
  if (parallelism.zero_stage >= 1) {
    shard.optimizer = precision.optimizer * model.parameters() / count_of(parallelism.ranks()) +
                      precision.optimizer * count_of(5 * model.hidden);
    shard.optimizer_files = Count(1);
  } else {
    shard.optimizer = own * precision.optimizer;
    shard.optimizer_files = files(own, Count(1));
  }
  return shard;
}

CheckpointSize checkpoint_size(const ModelShape& model, const Parallelism& parallelism,
                               const Precision& precision) {
  CheckpointSize size;
  size.ranks = count_of(parallelism.ranks());
  bool any = false;
  for (std::uint64_t stage = 0; stage < parallelism.pipeline; ++stage)
    for (std::uint64_t data = 0; data < std::min<std::uint64_t>(parallelism.data, 2); ++data) {
      const RankShard shard =
          checkpoint_shard(model, parallelism, precision, {.pipeline = stage, .data = data});
      // Data-parallel ranks after the first are alike, and so are all tensor-parallel ranks, so
      // each kind is computed once.
      const Count alike =
          count_of(parallelism.tensor) * count_of(data == 0 ? 1 : parallelism.data - 1);
      size.weights += alike * shard.weights;
      size.optimizer += alike * shard.optimizer;
      size.weight_files += alike * shard.weight_files;
      size.optimizer_files += alike * shard.optimizer_files;
      if (!any || shard.sum() > size.largest.sum()) size.largest = shard;
      if (!any || shard.sum() < size.smallest.sum()) size.smallest = shard;
      any = true;
    }
  return size;
}

}  // namespace feedrate

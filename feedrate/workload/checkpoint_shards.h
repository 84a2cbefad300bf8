// The part of a checkpoint that each rank holds: a pure function of the model, its parallelism and
// the precision. The same shards are planned, written and restored.
//
// Tensors are laid out as Megatron and DeepSpeed do, and as MLPerf Storage emulates it
// (argonne-lcf/dlio_benchmark utils, checkpointing/base_checkpointing.py):
//   - layers are dealt to pipeline stages evenly, the first stages taking one more of a remainder;
//     the input embedding lies on the first stage, the output embedding and last norm on the last
//   - tensors that a model lists are dealt to stages by the same share of the parameters, whole and
//     in their order, and are divided in rows over the tensor-parallel ranks
//   - matrices are divided over the tensor-parallel ranks, norms are on every one of them
//   - weights: without ZeRO 3 the first data-parallel rank writes them, with it every rank its part
//   - optimizer: without ZeRO the first data-parallel rank writes it; with it all ranks hold equal
//     parts of the whole, and five vectors of `hidden` with their three values each (60 B x hidden)
//   - the rows of tables that are sharded row_wise lie on all data-parallel ranks, an equal part on
//     each, which writes it and, without ZeRO, its optimizer
// The public sizes of Llama-3 8B, 70B, 405B and "1T" come out to all printed digits.
#pragma once

#include <cstdint>

#include "feedrate/base/quantity.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {

// The bytes of a parameter. The default is Adam in mixed precision, 14 B: 2 of fp16 or bf16
// weights, and 12 of fp32 weights, first and second moment.
struct Precision {
  Bytes weights{2};
  Bytes optimizer{12};
  Bytes sum() const { return weights + optimizer; }
};

// Returns that default, or the precision that the published size of the model's checkpoint implies,
// where there is such a size: everything beyond the weights is then the optimizer's, which need not
// be a whole number of bytes a parameter.
Precision published_precision(const ModelShape& model);

struct RankShard {
  Bytes weights, optimizer;
  Count weight_files;  // one a layer, or one in all with ZeRO 3
  Count optimizer_files;
  Count files() const { return weight_files + optimizer_files; }
  Bytes sum() const { return weights + optimizer; }
};

// The numbers of a rank, from 0, within each kind of parallelism. Ranks in equal places have equal
// shards.
struct RankPlace {
  std::uint64_t tensor = 0, pipeline = 0, data = 0;
};

RankShard checkpoint_shard(const ModelShape& model, const Parallelism& parallelism,
                           const Precision& precision, const RankPlace& place);

struct CheckpointSize {
  Bytes weights, optimizer;  // all ranks together
  RankShard largest, smallest;
  Count weight_files, optimizer_files, ranks;
  Count files() const { return weight_files + optimizer_files; }
  Bytes sum() const { return weights + optimizer; }
};
// Takes time O(pipeline stages), and for each of them O(listed tensors).
CheckpointSize checkpoint_size(const ModelShape& model, const Parallelism& parallelism,
                               const Precision& precision);

// Returns the stage that a listed tensor lies on: the one that its first element falls to when all
// parameters are cut in equal parts. `begin` is the number of parameters before the tensor.
std::uint64_t stage_of_tensor(const ModelShape& model, std::uint64_t stages, std::uint64_t begin);

// Returns the weights of a stage that one of its tensor-parallel ranks holds.
Count stage_parameters(const ModelShape& model, const Parallelism& parallelism,
                       std::uint64_t stage);
// Returns how many of these lie in tables that are spread over the data-parallel ranks, counting
// all of those ranks together.
Count stage_row_wise_parameters(const ModelShape& model, const Parallelism& parallelism,
                                std::uint64_t stage);

}  // namespace feedrate

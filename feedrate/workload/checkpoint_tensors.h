// The tensors of a checkpoint, and the part of each that a rank writes: pure. Their bytes are those
// of checkpoint_shards.h, tensor by tensor.
//
//   - Matrices that a layer's inputs meet first (qkv, gate, up, the embeddings) are cut in rows
//     over the tensor-parallel ranks, and those that follow them (attention output, down) in
//     columns; norms are whole on every tensor-parallel rank.
//   - ZeRO 3 cuts what a tensor-parallel rank has in rows over the data-parallel ranks, as FSDP of
//     PyTorch does (parameter by parameter, along the first dimension).
//   - The optimizer has fp32 weights and moments. Without ZeRO each is a tensor, cut like the
//     weights. With it there are three flat tensors over all parameters, an equal part of each for
//     every rank, and five vectors of `hidden` with three values each that every rank has for
//     itself. A published size may hold more than a whole number of bytes a parameter; the rest is
//     then a flat tensor.
//   - Tensors that a model lists are cut in rows only, over tensor-parallel ranks and with ZeRO 3
//     over data-parallel ones. Embedding tables that are sharded row_wise (DLRM) are always cut
//     over the data-parallel ranks, each of which writes its rows.
//   - A model that is known by its number of parameters alone is cut in flat tensors of 16 Mi.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/workload/checkpoint_shards.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {

enum class Dtype : std::uint8_t { kF32, kBf16, kU8 };
std::uint64_t dtype_bytes(Dtype dtype);
std::string_view to_string(Dtype dtype);  // "f32", "bf16", "u8"

// A rectangle of a tensor with 1 to kTensorDimensionsMax dimensions, of which at most the first two
// are cut.
struct TensorPiece {
  std::string name;  // of the whole tensor: "model.layers.0.mlp.down_proj.weight"
  Dtype dtype = Dtype::kBf16;
  std::vector<std::uint64_t> global;        // shape of the whole tensor
  std::vector<std::uint64_t> begin, shape;  // where the rectangle begins, and its shape
  std::uint64_t elements() const;
  std::uint64_t bytes() const { return elements() * dtype_bytes(dtype); }
  bool whole() const { return global == shape; }
  bool operator==(const TensorPiece&) const = default;
};

// Pieces that lie in one file, where a layout has several files a rank: a layer's weights, the
// optimizer.
struct ShardGroup {
  std::string name;  // "layer_012-model_03", "optimizer"; unique in a rank
  std::vector<TensorPiece> pieces;
  std::uint64_t bytes() const;
};

// Returns what the rank at `place` writes, in the order of the model; empty when it writes nothing.
std::vector<ShardGroup> checkpoint_tensors(const ModelShape& model, const Parallelism& parallelism,
                                           const Precision& precision, const RankPlace& place);

// Returns what that rank holds, and reads when it starts again: every data-parallel rank has the
// weights (and without ZeRO the optimizer) that only the first of them writes.
std::vector<ShardGroup> needed_tensors(const ModelShape& model, const Parallelism& parallelism,
                                       const Precision& precision, const RankPlace& place);

// Ranks are numbered tensor first, then data, then pipeline, as in Megatron.
RankPlace place_of_rank(const Parallelism& parallelism, std::uint64_t rank);

}  // namespace feedrate

// Which bytes of a checkpoint each rank of a job with another topology needs: pure.
#pragma once

#include <cstdint>
#include <vector>

#include "feedrate/checkpoint/chain.h"
#include "feedrate/checkpoint/content.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {

// Bytes of one piece of the checkpoint.
struct PieceRange {
  PiecePlace place;
  std::uint64_t offset = 0, length = 0;  // what is read of it
};
struct RankNeeds {
  std::uint64_t rank = 0;
  std::uint64_t needed_bytes = 0;  // of tensors
  // By file of the checkpoint, ascending. Where what is needed lies less than kReadThrough apart it
  // is read through, so `ranges` may have more.
  std::vector<PieceRange> ranges;
};
inline constexpr std::uint64_t kReadThrough = std::uint64_t{64} << 10U;

// kUsage for a checkpoint that has not all tensors whole (a subset of its ranks, a user's files) or
// whose optimizer is cut in another way than `target` has it.
Result<> check_reshape(const CheckpointManifest& manifest, const Parallelism& target,
                       bool weights_only);
// What the ranks of `target` need, when it can be. `model` is the one that
// was checkpointed, scaled as it was.
Result<std::vector<RankNeeds>> reshape(const CheckpointManifest& manifest, const ModelShape& model,
                                       const Parallelism& target, bool weights_only);

}  // namespace feedrate

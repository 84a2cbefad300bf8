// Computes which bytes of a checkpoint each rank of a job with another topology needs. It is pure.
#pragma once

#include <cstdint>
#include <vector>

#include "feedrate/checkpoint/chain.h"
#include "feedrate/checkpoint/content.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {

// A range of bytes of one piece of the checkpoint.
struct PieceRange {
  PiecePlace place;
  std::uint64_t offset = 0, length = 0;  // The part of it that is read.
};
struct RankNeeds {
  std::uint64_t rank = 0;
  std::uint64_t needed_bytes = 0;  // The bytes of tensors that it needs.
  // Ordered by file of the checkpoint, ascending. Where two needed ranges lie less than
  // kReadThrough bytes apart the gap is read, too, because that is cheaper than another read; so
  // `ranges` may cover more than `needed_bytes`.
  std::vector<PieceRange> ranges;
};
inline constexpr std::uint64_t kReadThrough = std::uint64_t{64} << 10U;

// Fails with kUsage for a checkpoint that does not have all tensors whole (a subset of its ranks, a
// user's files), or whose optimizer is cut in another way than `target` has it.
Result<> check_reshape(const CheckpointManifest& manifest, const Parallelism& target,
                       bool weights_only);
// Returns what the ranks of `target` need, once check_reshape() agrees. `model` is the one that was
// checkpointed, scaled as it was.
Result<std::vector<RankNeeds>> reshape(const CheckpointManifest& manifest, const ModelShape& model,
                                       const Parallelism& target, bool weights_only);

}  // namespace feedrate

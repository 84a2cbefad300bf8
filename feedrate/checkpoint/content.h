// The bytes of an emulated checkpoint: a pure function of seed, piece, offset and step, made at
// memory speed, so that every byte read later can be verified without a copy.
//
// A piece is cut in blocks. From one step to the next a share of the blocks changes, chosen by
// chance; the others keep their bytes, which is what incremental checkpoints live on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {

struct CheckpointContent {
  std::uint64_t seed = 1;
  double changed = 1;  // The share of the blocks that get new bytes at each step; more than 0.
  std::uint64_t block_bytes = std::uint64_t{1} << 20U;  // A multiple of 4096.
  bool operator==(const CheckpointContent&) const = default;
};

// The content of one piece at one step. `id` is made from the piece's tensor and from where in the
// tensor it begins, so that it does not depend on the layout.
struct PieceContent {
  CheckpointContent content;
  std::uint64_t id = 0, bytes = 0, step = 0;
};
PieceContent piece_content(const CheckpointContent& content, const TensorPiece& piece,
                           std::uint64_t step);

// Returns the last step, at most `piece.step`, at which the block got new bytes; 0 while it has its
// first ones.
std::uint64_t block_version(const PieceContent& piece, std::uint64_t block);

// Writes bytes [offset, offset + out.size()) of the piece.
void fill_piece(const PieceContent& piece, std::uint64_t offset, std::span<std::byte> out);
// Returns the offset in the piece of the first byte that is not what fill_piece() writes, if there
// is one.
std::optional<std::uint64_t> first_wrong_byte(const PieceContent& piece, std::uint64_t offset,
                                              std::span<const std::byte> bytes);

}  // namespace feedrate

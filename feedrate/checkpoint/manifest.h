// What a checkpoint is, in one file of it: checkpoint.json. A checkpoint without a valid one does
// not exist; it is written last, when everything else is durable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/checkpoint/content.h"
#include "feedrate/checkpoint/layout.h"

namespace feedrate {

inline constexpr std::string_view kCheckpointManifest = "checkpoint.json";
// In the directory that holds the checkpoints: it is ours.
inline constexpr std::string_view kCheckpointsMarker = "feedrate-checkpoints.json";

// The folder of a rank has it in an incremental checkpoint: what stands around the tensors of each
// file, whole, and the blocks of them that changed, in the order of the files.
inline constexpr std::string_view kChangedFile = "changed.bin";

struct BlockRun {
  std::uint64_t first = 0, count = 0;
  bool operator==(const BlockRun&) const = default;
};

struct PieceRecord {
  PlacedPiece placed;
  std::uint64_t checksum = 0;                  // XXH3-64 of its bytes
  std::vector<std::uint64_t> block_sums = {};  // of its blocks, where sum_block_bytes is not 0
  std::vector<BlockRun> changed = {};          // incremental: ascending, apart
  bool operator==(const PieceRecord&) const = default;
  // Bytes of the blocks that changed.
  std::uint64_t changed_bytes(std::uint64_t block_bytes) const;
};
// One file, or one rank's part of a shared one.
struct FileRecord {
  std::string path;
  std::uint64_t begin = 0, bytes = 0;
  std::uint64_t frame_checksum = 0;  // XXH3-64 of what is no piece, in order
  std::vector<PieceRecord> pieces;
  bool operator==(const FileRecord&) const = default;
  std::uint64_t frame_bytes() const;
};
struct RankRecord {
  std::uint64_t rank = 0;
  std::vector<FileRecord> files;
  std::uint64_t bytes() const;                                   // of the files
  std::uint64_t changed_bytes(std::uint64_t block_bytes) const;  // of its changed.bin
  bool operator==(const RankRecord&) const = default;
};

struct CheckpointManifest {
  std::uint64_t step = 0;
  std::string model, layout;
  Parallelism parallelism;
  double weight_bytes = 2, optimizer_bytes = 12;
  double scale = 1;  // of the model's dimensions, against the one that is named
  CheckpointContent content;
  bool emulated = true;               // false: the bytes are a user's, `content` says nothing
  std::uint64_t sum_block_bytes = 0;  // pieces have sums of blocks of this size; 0: they have none
  // Incremental: the step whose blocks it builds upon, and how many there are up to a whole one.
  std::optional<std::uint64_t> parent = {};
  std::uint64_t increments = 0;
  std::vector<RankRecord> ranks = {};  // those that were written: fewer than all with a subset
  std::uint64_t bytes() const;         // of files, as if it were whole
  std::uint64_t stored_bytes() const;  // of those that are there
  bool operator==(const CheckpointManifest&) const = default;
};

// Blocks of a piece; the last may be shorter.
std::uint64_t block_count(std::uint64_t bytes, std::uint64_t block_bytes);

std::string checkpoint_to_json(const CheckpointManifest& manifest);
// kCorrupt when it is none, or its own checksum is wrong; `origin` is named.
Result<CheckpointManifest> checkpoint_from_json(std::string_view text, std::string_view origin);

// "step-0000000100": where a step's checkpoint lies.
std::string step_folder(std::uint64_t step);

}  // namespace feedrate

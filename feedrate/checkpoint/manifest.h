// The manifest, checkpoint.json: the one file that says what a checkpoint is. A checkpoint without
// a valid one does not exist; it is written last, when everything else is durable.
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
// This file in the directory that holds the checkpoints marks the directory as ours.
inline constexpr std::string_view kCheckpointsMarker = "feedrate-checkpoints.json";

// In an incremental checkpoint the folder of each rank has this file. It holds, in the order of the
// rank's files, what stands around the tensors of each, whole, and the blocks of the tensors that
// changed.
inline constexpr std::string_view kChangedFile = "changed.bin";

struct BlockRun {
  std::uint64_t first = 0, count = 0;
  bool operator==(const BlockRun&) const = default;
};

struct PieceRecord {
  PlacedPiece placed;
  std::uint64_t checksum = 0;  // The XXH3-64 of its bytes.
  // The XXH3-64 of each of its blocks, where sum_block_bytes is not 0.
  std::vector<std::uint64_t> block_sums = {};
  // The blocks that an incremental one stores: ascending runs with gaps between them.
  std::vector<BlockRun> changed = {};
  bool operator==(const PieceRecord&) const = default;
  // Returns the bytes of the blocks that changed.
  std::uint64_t changed_bytes(std::uint64_t block_bytes) const;
};
// The record of one file, or of one rank's part of a shared one.
struct FileRecord {
  std::string path;
  std::uint64_t begin = 0, bytes = 0;
  std::uint64_t frame_checksum = 0;  // The XXH3-64 of everything that is no piece, in order.
  std::vector<PieceRecord> pieces;
  bool operator==(const FileRecord&) const = default;
  std::uint64_t frame_bytes() const;
};
struct RankRecord {
  std::uint64_t rank = 0;
  std::vector<FileRecord> files;
  std::uint64_t bytes() const;                                   // The bytes of its files.
  std::uint64_t changed_bytes(std::uint64_t block_bytes) const;  // The bytes of its changed.bin.
  bool operator==(const RankRecord&) const = default;
};

struct CheckpointManifest {
  std::uint64_t step = 0;
  std::string model, layout;
  Parallelism parallelism;
  double weight_bytes = 2, optimizer_bytes = 12;
  double scale = 1;  // How much the dimensions of the model that is named were scaled.
  CheckpointContent content;
  bool emulated = true;  // False when the bytes are a user's; `content` then means nothing.
  // The size of the blocks that have checksums of their own; 0 when there are none.
  std::uint64_t sum_block_bytes = 0;
  // For an incremental one: the step that it builds upon, and the number of incremental ones from
  // here back to a whole one.
  std::optional<std::uint64_t> parent = {};
  std::uint64_t increments = 0;
  // The ranks that were written, which are fewer than all when only a subset was asked for.
  std::vector<RankRecord> ranks = {};
  std::uint64_t bytes() const;         // The bytes of its files as if it were whole.
  std::uint64_t stored_bytes() const;  // The bytes that are really stored.
  bool operator==(const CheckpointManifest&) const = default;
};

// Returns the number of blocks of a piece, of which the last may be shorter.
std::uint64_t block_count(std::uint64_t bytes, std::uint64_t block_bytes);

std::string checkpoint_to_json(const CheckpointManifest& manifest);
// Fails with kCorrupt when it is no manifest or its own checksum is wrong. The error names
// `origin`.
Result<CheckpointManifest> checkpoint_from_json(std::string_view text, std::string_view origin);

// Returns the folder of a step's checkpoint: "step-0000000100".
std::string step_folder(std::uint64_t step);

}  // namespace feedrate

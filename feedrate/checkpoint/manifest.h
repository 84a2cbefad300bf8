// What a checkpoint is, in one file of it: checkpoint.json. A checkpoint without a valid one does
// not exist; it is written last, when everything else is durable.
#pragma once

#include <cstdint>
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

struct PieceRecord {
  PlacedPiece placed;
  std::uint64_t checksum = 0;  // XXH3-64 of its bytes
  bool operator==(const PieceRecord&) const = default;
};
// One file, or one rank's part of a shared one.
struct FileRecord {
  std::string path;
  std::uint64_t begin = 0, bytes = 0;
  std::uint64_t frame_checksum = 0;  // XXH3-64 of what is no piece, in order
  std::vector<PieceRecord> pieces;
  bool operator==(const FileRecord&) const = default;
};
struct RankRecord {
  std::uint64_t rank = 0;
  std::vector<FileRecord> files;
  bool operator==(const RankRecord&) const = default;
};

struct CheckpointManifest {
  std::uint64_t step = 0;
  std::string model, layout;
  Parallelism parallelism;
  double weight_bytes = 2, optimizer_bytes = 12;
  double scale = 1;  // of the model's dimensions, against the one that is named
  CheckpointContent content;
  std::vector<RankRecord> ranks;  // those that were written: fewer than all with a subset
  std::uint64_t bytes() const;    // of files
  bool operator==(const CheckpointManifest&) const = default;
};

std::string checkpoint_to_json(const CheckpointManifest& manifest);
// kCorrupt when it is none, or its own checksum is wrong; `origin` is named.
Result<CheckpointManifest> checkpoint_from_json(std::string_view text, std::string_view origin);

// "step-0000000100": where a step's checkpoint lies.
std::string step_folder(std::uint64_t step);

}  // namespace feedrate

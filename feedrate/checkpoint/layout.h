// How the tensors of a checkpoint lie in files: pure, one class a layout, reached through the table
// in layouts.cc. A layout says what stands around the tensors (headers, indexes); their data are
// written by whoever has them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/workload/checkpoint_tensors.h"

namespace feedrate {

struct PlacedPiece {
  TensorPiece piece;
  std::uint64_t offset = 0;  // of its data in the file: contiguous, row by row
  bool operator==(const PlacedPiece&) const = default;
};

// Bytes that are known before the data are.
struct FileText {
  std::uint64_t offset = 0;
  std::string bytes;
};

// One file, or one rank's part of a file that all share.
struct FilePlan {
  std::string path;                 // within the checkpoint's directory
  std::uint64_t begin = 0;          // where this part begins in the file: a multiple of 4096
  bool shared = false;              // others write parts of the same file
  std::vector<PlacedPiece> pieces;  // by ascending offset; offsets count from `begin`
  std::vector<FileText> texts;      // between them; what neither covers is zero
  // From here to `bytes` stands what CheckpointLayout::trailer() gives; behind each piece, what
  // after_piece() gives.
  std::uint64_t trailer_offset = 0;
  std::uint64_t bytes = 0;  // of this part
};

struct WholeFile {
  std::string path, bytes;
};

// What one rank has to write, and where.
struct RankGroups {
  std::uint64_t rank = 0;
  std::vector<ShardGroup> groups;
};
struct RankFiles {
  std::uint64_t rank = 0;
  std::vector<FilePlan> files;
};

class CheckpointLayout {
 public:
  virtual ~CheckpointLayout() = default;
  virtual std::string_view name() const = 0;  // "safetensors", "torch", "dcp", ...

  // The files of all ranks, in the order given.
  virtual std::vector<RankFiles> place(std::span<const RankGroups> ranks) const = 0;
  // Whether after_piece() and trailer() need the CRC-32 of each piece (zlib's polynomial).
  virtual bool wants_crc32() const { return false; }
  // What stands directly behind the data of a piece and depends on them: as many bytes for any
  // `crc32`, which end where the next text, piece or the trailer begins, or before.
  virtual std::string after_piece(const FilePlan& file, std::size_t piece,
                                  std::uint32_t crc32) const;
  // Exactly file.bytes - file.trailer_offset bytes; `crc32` has one value a piece, in their order.
  virtual std::string trailer(const FilePlan& file, std::span<const std::uint32_t> crc32) const;
  // Small files of the checkpoint as a whole, written once when all ranks are done.
  virtual std::vector<WholeFile> common_files(std::span<const RankFiles> ranks) const;
};

// "rank-00007": where a rank's own files lie.
std::string rank_folder(std::uint64_t rank);

std::vector<std::string_view> checkpoint_layout_names();  // in the order of the documentation
// kUsage with a spelling hint when there is none; `flag` names the option.
Result<std::unique_ptr<CheckpointLayout>> make_checkpoint_layout(
    std::string_view name, std::string_view flag = "--layout");

}  // namespace feedrate

// Layouts: how the tensors of a checkpoint lie in files. They are pure, one class each, and reached
// through the table in layouts.cc. A layout says what stands around the tensors (headers, indexes);
// their data are written by whoever has them.
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
  // The offset of its data in the file, where they lie contiguously, row by row.
  std::uint64_t offset = 0;
  bool operator==(const PlacedPiece&) const = default;
};

// Bytes of a file that are known before the data are.
struct FileText {
  std::uint64_t offset = 0;
  std::string bytes;
};

// The plan of one file, or of one rank's part of a file that all share.
struct FilePlan {
  std::string path;  // Within the checkpoint's directory.
  // Where this part begins in the file; a multiple of 4096, as direct I/O needs it.
  std::uint64_t begin = 0;
  bool shared = false;              // Other ranks write parts of the same file.
  std::vector<PlacedPiece> pieces;  // By ascending offset. Offsets count from `begin`.
  std::vector<FileText> texts;      // The texts between the pieces. What neither covers is zero.
  // From here to `bytes` stands what CheckpointLayout::trailer() returns; behind each piece stands
  // what after_piece() returns.
  std::uint64_t trailer_offset = 0;
  std::uint64_t bytes = 0;  // The size of this part.
};

struct WholeFile {
  std::string path, bytes;
};

// What one rank has to write.
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
  virtual std::string_view name() const = 0;  // Such as "safetensors", "torch" or "dcp".

  // Returns the files of all ranks, in the order given.
  virtual std::vector<RankFiles> place(std::span<const RankGroups> ranks) const = 0;
  // Returns whether after_piece() and trailer() need the CRC-32 of each piece (zlib's polynomial).
  virtual bool wants_crc32() const { return false; }
  // Returns what stands directly behind the data of a piece and depends on them. Its length is the
  // same for any `crc32`, and it ends before the next text, piece or trailer begins.
  virtual std::string after_piece(const FilePlan& file, std::size_t piece,
                                  std::uint32_t crc32) const;
  // Returns exactly file.bytes - file.trailer_offset bytes. `crc32` has one value for each piece,
  // in their order.
  virtual std::string trailer(const FilePlan& file, std::span<const std::uint32_t> crc32) const;
  // Returns the small files of the checkpoint as a whole, which are written once when all ranks are
  // done.
  virtual std::vector<WholeFile> common_files(std::span<const RankFiles> ranks) const;
};

// Returns the folder of a rank's own files: "rank-00007".
std::string rank_folder(std::uint64_t rank);

std::vector<std::string_view> checkpoint_layout_names();  // In the order of the documentation.
// Fails with kUsage and a spelling hint when no layout has this name; `flag` names the option.
Result<std::unique_ptr<CheckpointLayout>> make_checkpoint_layout(
    std::string_view name, std::string_view flag = "--layout");

}  // namespace feedrate

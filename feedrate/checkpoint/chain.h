// Where the bytes of a checkpoint lie: in its own files, or, of an incremental one, in its changed
// blocks and in the steps it builds upon. Pure, but for load_chain().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/checkpoint/manifest.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/storage/stream_reader.h"

namespace feedrate {

// Reads, in order, from files below the directory of the checkpoints.
struct Gather {
  struct File {
    std::string path;       // "step-0000000100/rank-00000/optimizer.bin"
    std::uint64_t end = 0;  // bytes that it must have
  };
  std::vector<File> files;
  std::vector<StreamRead> reads;  // of at most a block each
  std::uint64_t bytes() const;
};

// A piece of the newest checkpoint, by rank, file and piece within them.
struct PiecePlace {
  std::size_t rank = 0, file = 0, piece = 0;
};

class CheckpointChain {
 public:
  // Newest first, each the parent of the one before it; the last is whole. kCorrupt when they do
  // not fit together.
  static Result<CheckpointChain> make(std::vector<CheckpointManifest> manifests);
  const CheckpointManifest& newest() const { return manifests_.front(); }
  std::size_t steps() const { return manifests_.size(); }

  // All bytes of a file, from first to last.
  Gather file(std::size_t rank, std::size_t file, std::uint64_t block_bytes) const;
  // Adds bytes [offset, offset + length) of a piece.
  void add_piece(const PiecePlace& place, std::uint64_t offset, std::uint64_t length,
                 std::uint64_t block_bytes, Gather& gather) const;

 private:
  // Blocks, and where in changed.bin the first lies.
  struct StoredRun {
    BlockRun run;
    std::uint64_t offset = 0;
  };
  struct StoredFile {
    std::vector<std::uint64_t> frames;           // before each piece, and the last behind them
    std::vector<std::vector<StoredRun>> pieces;  // ascending
  };
  // Of the incremental ones, by rank and file.
  using StoredStep = std::vector<std::vector<StoredFile>>;

  static StoredStep stored(const CheckpointManifest& manifest);
  std::size_t level_of(const PiecePlace& place, std::uint64_t block, std::uint64_t& offset) const;
  void add(std::size_t level, std::size_t rank, std::size_t file, std::uint64_t offset,
           std::uint64_t length, std::uint64_t block_bytes, Gather& gather) const;

  std::vector<CheckpointManifest> manifests_;
  std::vector<StoredStep> stored_;
};

// A step and all that it builds upon.
Task<Result<CheckpointChain>> load_chain(CheckpointStore& store, std::uint64_t step);

}  // namespace feedrate

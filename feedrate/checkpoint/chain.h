// Finds where the bytes of a checkpoint lie: in its own files or, for an incremental one, in its
// changed blocks and in the steps that it builds upon. Everything but load_chain() is pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "feedrate/checkpoint/manifest.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/storage/stream_reader.h"

namespace feedrate {

// A list of reads, in order, from files below the directory of the checkpoints.
struct Gather {
  struct File {
    std::string path;       // Like "step-0000000100/rank-00000/optimizer.bin".
    std::uint64_t end = 0;  // The bytes that the file must have at least.
  };
  std::vector<File> files;
  std::vector<StreamRead> reads;  // Each reads one block at most.
  std::uint64_t bytes() const;
};

// Names a piece of the newest checkpoint by the indexes of its rank, its file in that rank and
// itself in that file.
struct PiecePlace {
  std::size_t rank = 0, file = 0, piece = 0;
};

class CheckpointChain {
 public:
  // The manifests come newest first, each the parent of the one before it, and the last is whole.
  // Fails with kCorrupt when they do not fit together.
  static Result<CheckpointChain> make(std::vector<CheckpointManifest> manifests);
  const CheckpointManifest& newest() const { return manifests_.front(); }
  std::size_t steps() const { return manifests_.size(); }

  // Returns the reads of all bytes of a file, from first to last.
  Gather file(std::size_t rank, std::size_t file, std::uint64_t block_bytes) const;
  // Adds the reads of bytes [offset, offset + length) of a piece.
  void add_piece(const PiecePlace& place, std::uint64_t offset, std::uint64_t length,
                 std::uint64_t block_bytes, Gather& gather) const;

 private:
  // A run of blocks, and the offset of the first one in changed.bin.
  struct StoredRun {
    BlockRun run;
    std::uint64_t offset = 0;
  };
  struct StoredFile {
    // Offsets in changed.bin of what stands before each piece, and last of what stands behind them
    // all.
    std::vector<std::uint64_t> frames;
    std::vector<std::vector<StoredRun>> pieces;  // Ascending.
  };
  // What one incremental step stores, by rank and file.
  using StoredStep = std::vector<std::vector<StoredFile>>;

  static StoredStep stored(const CheckpointManifest& manifest);
  std::size_t level_of(const PiecePlace& place, std::uint64_t block, std::uint64_t& offset) const;
  void add(std::size_t level, std::size_t rank, std::size_t file, std::uint64_t offset,
           std::uint64_t length, std::uint64_t block_bytes, Gather& gather) const;

  std::vector<CheckpointManifest> manifests_;
  std::vector<StoredStep> stored_;
};

// Loads the manifests of a step and of all that it builds upon.
Task<Result<CheckpointChain>> load_chain(CheckpointStore& store, std::uint64_t step);

}  // namespace feedrate

// The bytes of one file of a checkpoint, from first to last: made for writing, checked when they
// come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/checkpoint/content.h"
#include "feedrate/checkpoint/layout.h"
#include "feedrate/checkpoint/manifest.h"

namespace feedrate {

// Fills `out` with the bytes from `offset` of a piece, which is given by its number in its file.
using PieceFill =
    std::function<void(std::size_t piece, std::uint64_t offset, std::span<std::byte> out)>;
// Returns the fill of an emulated checkpoint. `file` must outlive it.
PieceFill emulated_bytes(const FilePlan& file, const CheckpointContent& content,
                         std::uint64_t step);

// Makes the bytes of a file and computes their checksums on the way.
class FileRenderer {
 public:
  // `file` and `layout` must outlive it. Each block of `sum_block_bytes` gets a checksum of its
  // own, unless that is 0.
  FileRenderer(const FilePlan& file, const CheckpointLayout& layout, PieceFill fill,
               std::uint64_t sum_block_bytes);
  ~FileRenderer();
  FileRenderer(FileRenderer&&) noexcept;
  // Fills `out` from the current position and returns the bytes filled: fewer than fit only at the
  // end of the file, 0 after it.
  std::uint64_t next(std::span<std::byte> out);
  // Goes on without making bytes; the checksums in the record are then 0.
  std::uint64_t skip(std::uint64_t count);
  // May be called once next() or skip() has returned 0.
  FileRecord record() const;

  // Describes what comes next: the rest of a block of a piece, or of what stands between pieces (a
  // frame).
  struct Part {
    bool frame = true;
    std::size_t piece = 0;
    std::uint64_t block = 0;   // The block's index in the piece.
    std::uint64_t length = 0;  // 0 at the end of the file.
  };
  Part part() const;
  std::uint64_t last_block_sum() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Makes what an incremental checkpoint stores of a rank: of each file what stands around the
// pieces, and the blocks whose checksums differ from those of the parent.
class ChangedRenderer {
 public:
  // `files`, `layout` and `parent`, which is of the same files, must outlive it.
  ChangedRenderer(std::span<const FilePlan> files, const CheckpointLayout& layout,
                  std::function<PieceFill(std::size_t file)> fill, std::uint64_t sum_block_bytes,
                  const RankRecord& parent);
  std::uint64_t next(std::span<std::byte> out);
  // Goes on without making bytes: it only counts the sizes of an emulated checkpoint's blocks that
  // are new at `step`.
  std::uint64_t skip(std::uint64_t count, const CheckpointContent& content, std::uint64_t step);
  // May be called once next() or skip() has returned 0.
  std::vector<FileRecord> records() &&;

 private:
  // Puts the next bytes to give out into staging_; returns false when there are none.
  bool advance();
  void count_changed(const CheckpointContent& content, std::uint64_t step);

  std::span<const FilePlan> files_;
  const CheckpointLayout& layout_;
  std::function<PieceFill(std::size_t)> fill_;
  std::uint64_t block_bytes_;
  const RankRecord& parent_;
  std::vector<std::byte> staging_;
  std::span<const std::byte> pending_;
  std::unique_ptr<FileRenderer> renderer_;
  std::vector<std::vector<BlockRun>> changed_;  // By piece of the current file.
  std::vector<FileRecord> records_;
  std::uint64_t left_ = 0;  // For skip(): the bytes still to come.
  bool counted_ = false;
};

// Checks the bytes of a file against the checksums in its record.
class FileChecker {
 public:
  explicit FileChecker(const FileRecord& file);  // The record must outlive it.
  ~FileChecker();
  FileChecker(const FileChecker&) = delete;
  // Takes the bytes in order, from the first. The error is kCorrupt and names the file, the tensor
  // and where it lies.
  Result<> consume(std::span<const std::byte> bytes);
  Result<> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace feedrate

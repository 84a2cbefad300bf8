// The bytes of one file of a checkpoint, from first to last: made for writing, checked when they
// come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/checkpoint/content.h"
#include "feedrate/checkpoint/layout.h"
#include "feedrate/checkpoint/manifest.h"

namespace feedrate {

// Makes the bytes of an emulated checkpoint's file and sums them up on the way.
class FileRenderer {
 public:
  // `file` and `layout` must outlive it.
  FileRenderer(const FilePlan& file, const CheckpointLayout& layout,
               const CheckpointContent& content, std::uint64_t step);
  ~FileRenderer();
  FileRenderer(const FileRenderer&) = delete;
  // Fills `out` from the current position: less than all only at the end of the file, 0 after it.
  std::uint64_t next(std::span<std::byte> out);
  // Goes on without making bytes: their sums in the record are then 0.
  std::uint64_t skip(std::uint64_t count);
  // Once next() or skip() has given 0.
  FileRecord record() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Checks the bytes of a file against the sums in its record.
class FileChecker {
 public:
  explicit FileChecker(const FileRecord& file);  // which must outlive it
  ~FileChecker();
  FileChecker(const FileChecker&) = delete;
  // Bytes in order, from the first. kCorrupt names the file, the tensor and where it lies.
  Result<> consume(std::span<const std::byte> bytes);
  Result<> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace feedrate

// Support for tests: checkpoints of a tiny model on four ranks, in every layout, on real files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "feedrate/checkpoint/restore.h"
#include "feedrate/checkpoint/store.h"
#include "feedrate/checkpoint/write.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {

inline ModelShape tiny_model() {
  ModelShape model = find_model("llama3-8b").value();
  model.layers = 3;
  model.hidden = 64;
  model.feed_forward = 160;
  model.heads = 8;
  model.kv_heads = 2;
  model.vocabulary = 1003;
  return model;
}

// Passes every operation on to another storage; a test overrides what is to be different.
class ForwardingStorage : public Storage {
 public:
  explicit ForwardingStorage(std::unique_ptr<Storage> real)
      // Braces, unlike parentheses, make sure that facts() is asked before the move.
      : ForwardingStorage{real->facts(), std::move(real)} {}
  ForwardingStorage(const StorageFacts& facts, std::unique_ptr<Storage> real)
      : Storage(facts), real_(std::move(real)) {}

  Storage& real() { return *real_; }
  std::string_view name() const override { return real_->name(); }
  Reactor& reactor() override { return real_->reactor(); }
  Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) override {
    return real_->open(path, mode);
  }
  Task<Result<>> close(FileHandle file) override { return real_->close(std::move(file)); }
  Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                                 Buffer& buffer) override {
    return real_->read(file, offset, length, buffer);
  }
  Task<Result<ReadOutcome>> read_file(const std::string& path, std::uint64_t length,
                                      Buffer& buffer) override {
    return real_->read_file(path, length, buffer);
  }
  Task<Result<>> write(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                       Buffer& buffer) override {
    return real_->write(file, offset, length, buffer);
  }
  Task<Result<>> sync(StorageFile& file) override { return real_->sync(file); }
  Task<Result<std::vector<DirectoryEntry>>> list(const std::string& path) override {
    return real_->list(path);
  }
  Task<Result<FileStatus>> stat(const std::string& path) override { return real_->stat(path); }
  Task<Result<>> rename(const std::string& from, const std::string& to) override {
    return real_->rename(from, to);
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    return real_->sync_directory(path);
  }
  Task<Result<std::uint64_t>> free_bytes(const std::string& path) override {
    return real_->free_bytes(path);
  }
  Task<Result<>> remove(const std::string& path) override { return real_->remove(path); }
  Task<Result<>> make_directories(const std::string& path) override {
    return real_->make_directories(path);
  }
  Task<Result<DirectoryClaim>> claim(const std::string& directory) override {
    return real_->claim(directory);
  }

 private:
  std::unique_ptr<Storage> real_;
};

class CheckpointFiles : public testing::TestWithParam<std::string_view> {
 protected:
  CheckpointFiles() : layout_(make_checkpoint_layout(GetParam()).value()) {
    job_.directory = directory_.path() + "/c";
    job_.head.model = "tiny";
    job_.head.layout = std::string(layout_->name());
    job_.head.parallelism = {.tensor = 2, .pipeline = 1, .data = 2, .zero_stage = 1};
    job_.head.step = 1;
    job_.head.content.block_bytes = 4096;
    job_.layout = layout_.get();
    job_.block_bytes = 65536;
    std::vector<RankGroups> groups;
    for (std::uint64_t rank = 0; rank < 4; ++rank)
      groups.push_back({rank, checkpoint_tensors(tiny_model(), job_.head.parallelism, {},
                                                 place_of_rank(job_.head.parallelism, rank))});
    job_.ranks = layout_->place(groups);
  }

  Result<CheckpointWriteSummary> write() {
    auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2).value();
    CheckpointProgress progress;
    return write_checkpoints(*group, storage(), job_.local.empty() ? StorageFactory() : storage(),
                             job_, progress, {});
  }
  Result<CheckpointRestoreSummary> restore(CheckpointRestoreJob job = {}) {
    auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2).value();
    CheckpointProgress progress;
    job.directory = job_.directory;
    job.block_bytes = 65536;
    return restore_checkpoint(*group, storage(), job, progress, {});
  }
  virtual StorageFactory storage() {
    return make_storage_factory(local_files(), IoMode::kBuffered, directory_.path(), 1);
  }
  std::string folder(std::uint64_t step) const { return job_.directory + "/" + step_folder(step); }
  // Returns the first file of the step that holds tensors.
  std::string some_file(std::uint64_t step) const {
    return folder(step) + "/" + job_.ranks[0].files[0].path;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<CheckpointLayout> layout_;
  CheckpointWriteJob job_;
};

inline std::string layout_of(const testing::TestParamInfo<std::string_view>& layout) {
  return std::string(layout.param);
}

}  // namespace feedrate

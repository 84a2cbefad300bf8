// Lets every single call to storage fail once with an I/O error. The error is named, nothing of the
// checkpoint that was being written is seen, and what was whole before is whole after.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "feedrate/checkpoint/checkpoint_testing.h"
#include "feedrate/checkpoint/compact.h"

namespace feedrate {
namespace {

// Passes everything on except the call with a chosen number, which fails.
class FaultyStorage final : public ForwardingStorage {
 public:
  FaultyStorage(std::unique_ptr<Storage> real, std::atomic<std::int64_t>& calls_left)
      : ForwardingStorage(std::move(real)), calls_left_(calls_left) {}

  Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("open", path));
    co_return co_await real().open(path, mode);
  }
  Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                                 Buffer& buffer) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("read", file.path()));
    co_return co_await real().read(file, offset, length, buffer);
  }
  Task<Result<>> write(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                       Buffer& buffer) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("write", file.path()));
    co_return co_await real().write(file, offset, length, buffer);
  }
  Task<Result<>> sync(StorageFile& file) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("sync", file.path()));
    co_return co_await real().sync(file);
  }
  Task<Result<>> rename(const std::string& from, const std::string& to) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("rename", from));
    co_return co_await real().rename(from, to);
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("sync directory", path));
    co_return co_await real().sync_directory(path);
  }
  Task<Result<>> remove(const std::string& path) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("remove", path));
    co_return co_await real().remove(path);
  }
  Task<Result<>> make_directories(const std::string& path) override {
    if (fails()) co_return fail(ErrorKind::kIo, error("make directory", path));
    co_return co_await real().make_directories(path);
  }

 private:
  bool fails() { return calls_left_-- == 0; }
  static std::string error(const char* call, const std::string& path) {
    return fmt::format("{} \"{}\": Input/output error", call, path);
  }

  std::atomic<std::int64_t>& calls_left_;
};

class CheckpointFaults : public CheckpointFiles {
 protected:
  CheckpointFaults() {
    job_.ranks.resize(2);
    job_.keep = 3;
  }
  Result<CheckpointWriteSummary> write_with_fault(std::int64_t call) {
    calls_left_ = call;
    const StorageFactory real = storage();
    const StorageFactory faulty = [this, real](Reactor& reactor) -> std::unique_ptr<Storage> {
      return std::make_unique<FaultyStorage>(real(reactor), calls_left_);
    };
    auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2).value();
    CheckpointProgress progress;
    return write_checkpoints(*group, faulty, job_.local.empty() ? StorageFactory() : faulty, job_,
                             progress, {});
  }
  // Fails call after call until one run has none left to fail; returns how many there were.
  int try_all() {
    std::uint64_t newest = 0;
    for (std::int64_t call = 0; call < 2000; call += call < 40 ? 1 : 7) {
      const auto written = write_with_fault(call);
      if (written && calls_left_ >= 0) return static_cast<int>(call);
      if (!written) {
        EXPECT_NE(written.error().message().find("Input/output error"), std::string::npos)
            << written.error().message();
      }
      CheckpointRestoreJob job;
      job.local = job_.local;
      const auto restored = restore(job);
      if (!restored && newest == 0) continue;  // Nothing was whole yet.
      EXPECT_TRUE(restored) << restored.error().message();
      if (!restored) return -1;
      EXPECT_TRUE(restored->skipped.empty()) << call << ": " << restored->skipped[0].reason;
      EXPECT_GE(restored->manifest.step, newest) << call;
      newest = restored->manifest.step;
    }
    return -1;
  }

  std::atomic<std::int64_t> calls_left_ = 0;
};

TEST_P(CheckpointFaults, OfAPlainOne) { EXPECT_GT(try_all(), 20); }

TEST_P(CheckpointFaults, OfAnIncrementalOneWrittenBehindOnTwoLevels) {
  job_.local = directory_.path() + "/local";
  job_.asynchronous = true;
  job_.head.content.changed = 0.2;
  job_.head.sum_block_bytes = job_.head.content.block_bytes;
  EXPECT_GT(try_all(), 30);
}

INSTANTIATE_TEST_SUITE_P(Layouts, CheckpointFaults, testing::Values("raw", "shared", "dcp"),
                         layout_of);

}  // namespace
}  // namespace feedrate

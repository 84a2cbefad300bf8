// Storage that completes everything at once and moves no bytes: what remains is our own cost.
#include "feedrate/storage/backends.h"

namespace feedrate {
namespace {

class NullStorage final : public Storage {
 public:
  explicit NullStorage(Reactor& reactor) : reactor_(reactor) {}
  std::string_view name() const override { return "null"; }
  Reactor& reactor() override { return reactor_; }
  std::size_t slack_bytes() const override { return 0; }
  bool carries_data() const override { return false; }

  Task<Result<FileHandle>> open(const std::string& path, OpenMode) override {
    co_return std::make_unique<StorageFile>(path);
  }
  Task<Result<>> close(FileHandle) override { co_return Result<>{}; }
  Task<Result<ReadOutcome>> read(StorageFile&, std::uint64_t, std::uint64_t length,
                                 Buffer& buffer) override {
    FEEDRATE_ASSERT(length <= buffer.bytes().size());
    co_return ReadOutcome{buffer.bytes().first(length), length, {}, {}};
  }
  Task<Result<ReadOutcome>> read_file(const std::string&, std::uint64_t length,
                                      Buffer& buffer) override {
    FEEDRATE_ASSERT(length <= buffer.bytes().size());
    co_return ReadOutcome{buffer.bytes().first(length), length, reactor_.now(), {}};
  }
  Task<Result<>> write(StorageFile&, std::uint64_t, std::uint64_t, Buffer&) override {
    co_return Result<>{};
  }
  Task<Result<>> sync(StorageFile&) override { co_return Result<>{}; }
  Task<Result<std::vector<DirectoryEntry>>> list(const std::string&) override {
    co_return std::vector<DirectoryEntry>{};
  }
  Task<Result<FileStatus>> stat(const std::string& path) override {
    co_return fail(
        Error::storage(ErrorKind::kNotFound, "stat", path, 0, 0, "null storage keeps nothing"));
  }
  Task<Result<>> rename(const std::string&, const std::string&) override { co_return Result<>{}; }
  Task<Result<>> sync_directory(const std::string&) override { co_return Result<>{}; }
  Task<Result<std::uint64_t>> free_bytes(const std::string&) override { co_return UINT64_MAX; }
  Task<Result<>> remove(const std::string&) override { co_return Result<>{}; }
  Task<Result<>> make_directories(const std::string&) override { co_return Result<>{}; }

 private:
  Reactor& reactor_;
};

}  // namespace

std::unique_ptr<Storage> make_null_storage(Reactor& reactor) {
  return std::make_unique<NullStorage>(reactor);
}

}  // namespace feedrate

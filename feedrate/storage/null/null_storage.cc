// Storage that completes everything at once and moves no bytes: what remains is the cost of
// feedrate itself.
#include "feedrate/storage/backends.h"

namespace feedrate {
namespace {

class NullStorage final : public Storage {
 public:
  NullStorage(Reactor& reactor, const StorageFacts& facts) : Storage(facts), reactor_(reactor) {}
  std::string_view name() const override { return "null"; }
  Reactor& reactor() override { return reactor_; }

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
    co_return keeps_nothing(ErrorKind::kNotFound, "stat", path);
  }
  Task<Result<>> rename(const std::string& from, const std::string&) override {
    co_return keeps_nothing(ErrorKind::kUnsupported, "rename", from);
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    co_return keeps_nothing(ErrorKind::kUnsupported, "sync directory", path);
  }
  Task<Result<std::uint64_t>> free_bytes(const std::string&) override { co_return UINT64_MAX; }
  Task<Result<>> remove(const std::string&) override { co_return Result<>{}; }
  Task<Result<>> make_directories(const std::string& path) override {
    co_return keeps_nothing(ErrorKind::kUnsupported, "make directory", path);
  }
  Task<Result<DirectoryClaim>> claim(const std::string&) override { co_return nullptr; }

 private:
  static std::unexpected<Error> keeps_nothing(ErrorKind kind, std::string_view operation,
                                              const std::string& path) {
    return fail(Error::storage(kind, operation, path, 0, 0, "null storage keeps nothing"));
  }

  Reactor& reactor_;
};

}  // namespace

std::unique_ptr<Storage> make_null_storage(Reactor& reactor, const StorageFacts& facts) {
  return std::make_unique<NullStorage>(reactor, facts);
}

}  // namespace feedrate

// Reads and writes files of a mounted file system through the reactor's I/O driver.
//
// Direct reads of unaligned extents are rounded out to the file system's alignment; the bytes so
// moved are reported, so that the amplification can be counted. Directory operations are rare and
// run on a worker thread.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "feedrate/storage/backends.h"
#include "feedrate/storage/posix/own_directories.h"
#include "feedrate/storage/posix/posix_files.h"

namespace feedrate {
namespace {

class PosixFile final : public StorageFile {
 public:
  PosixFile(std::string path, IoFile file) : StorageFile(std::move(path)), file_(file) {}
  IoFile file() const { return file_; }

 private:
  IoFile file_;
};

IoFile io_file(StorageFile& file) { return static_cast<PosixFile&>(file).file(); }

// Runs `function` on a worker thread. The awaiter has a name because GCC 12 copies temporaries of a
// co_await expression bit by bit, which breaks strings captured in them.
template <class Function>
Task<std::invoke_result_t<Function>> blocking(Reactor& reactor, Function function) {
  auto job = reactor.offload(std::move(function));
  co_return co_await job;
}

class PosixStorage final : public Storage {
 public:
  PosixStorage(Reactor& reactor, IoMode mode, const StorageFacts& facts,
               std::shared_ptr<OwnDirectories> own)
      : Storage(facts),
        reactor_(reactor),
        own_(std::move(own)),
        direct_flag_(mode == IoMode::kDirect ? O_DIRECT : 0),
        alignment_(facts.alignment_bytes) {}

  std::string_view name() const override { return "posix"; }
  Reactor& reactor() override { return reactor_; }

  Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) override {
    if (mode != OpenMode::kRead) co_return co_await open_to_write(path, mode);
    IoRequest request;
    request.kind = IoKind::kOpen;
    request.path = path.c_str();
    request.for_reading = true;
    request.open_flags = O_RDONLY | O_CLOEXEC | direct_flag_;
    co_await reactor_.perform(request);
    if (request.result < 0) co_return fail(failed("open", path, 0, -request.result));
    co_return std::make_unique<PosixFile>(path, request.file);
  }

  Task<Result<>> close(FileHandle file) override {
    IoRequest request;
    request.kind = IoKind::kClose;
    request.file = io_file(*file);
    request.name = file->path().c_str();
    co_await reactor_.perform(request);
    if (request.result < 0) co_return fail(failed("close", file->path(), 0, -request.result));
    co_return Result<>{};
  }

  Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                                 Buffer& buffer) override {
    const Window window = window_of(offset, length, buffer);
    std::uint64_t done = 0, from = 0;
    while (done < window.needed) {
      IoRequest request = read_request(window, from, buffer);
      request.kind = IoKind::kRead;
      request.file = io_file(file);
      request.name = file.path().c_str();
      co_await reactor_.perform(request);
      // Some file systems end a direct read inside a block but continue only at the begin of one,
      // so the block is read again.
      if (request.result == -EINVAL && from % alignment_ != 0) {
        from -= from % alignment_;
        continue;
      }
      if (request.result < 0) co_return fail(failed("read", file.path(), offset, -request.result));
      from += static_cast<std::uint64_t>(request.result);
      if (from <= done)  // Only when nothing new came is it the end of the file.
        co_return fail(short_read(file.path(), offset, length, window, done));
      done = from;
    }
    co_return outcome(window, length, done, buffer);
  }

  Task<Result<ReadOutcome>> read_file(const std::string& path, std::uint64_t length,
                                      Buffer& buffer) override {
    const Window window = window_of(0, length, buffer);
    IoRequest request = read_request(window, 0, buffer);
    request.kind = IoKind::kReadFile;
    request.path = path.c_str();
    request.open_flags = O_RDONLY | O_CLOEXEC | direct_flag_;
    co_await reactor_.perform(request);
    if (request.open_result < 0) co_return fail(failed("open", path, 0, -request.open_result));
    if (request.result < 0) co_return fail(failed("read", path, 0, -request.result));
    const auto done = static_cast<std::uint64_t>(request.result);
    // Network and FUSE file systems may return less than was asked before the end of the file.
    if (done < window.needed) co_return co_await read_opened_file(path, length, buffer);
    ReadOutcome result = outcome(window, length, done, buffer);
    result.opened_at = request.opened_at;
    co_return result;
  }

  Task<Result<>> write(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                       Buffer& buffer) override {
    FEEDRATE_ASSERT(offset % alignment_ == 0);
    // Direct writes are of whole blocks: the end of a file is padded with zeros, which are cut off
    // again.
    const std::uint64_t padded = (length + alignment_ - 1) / alignment_ * alignment_;
    FEEDRATE_ASSERT(padded <= buffer.bytes().size() && padded <= 0x7FFFF000);
    std::memset(buffer.bytes().data() + length, 0, padded - length);
    std::uint64_t done = 0;
    while (done < padded) {
      IoRequest request;
      request.kind = IoKind::kWrite;
      request.file = io_file(file);
      request.name = file.path().c_str();
      request.buffer = buffer.bytes().data() + done;
      request.buffer_index = buffer.registered_index();
      request.length = static_cast<std::uint32_t>(padded - done);
      request.offset = offset + done;
      co_await reactor_.perform(request);
      if (request.result <= 0)
        co_return fail(failed("write", file.path(), offset + done,
                              request.result == 0 ? ENOSPC : -request.result));
      done += static_cast<std::uint64_t>(request.result);
    }
    if (padded == length) co_return Result<>{};
    co_return co_await truncate(file, offset + length);
  }

  Task<Result<>> sync(StorageFile& file) override {
    IoRequest request;
    request.kind = IoKind::kSync;
    request.file = io_file(file);
    request.name = file.path().c_str();
    co_await reactor_.perform(request);
    if (request.result < 0) co_return fail(failed("fsync", file.path(), 0, -request.result));
    co_return Result<>{};
  }

  Task<Result<std::vector<DirectoryEntry>>> list(const std::string& path) override {
    return blocking(reactor_, [path] { return list_directory(path); });
  }
  Task<Result<FileStatus>> stat(const std::string& path) override {
    return blocking(reactor_, [path] { return stat_file(path); });
  }
  Task<Result<>> rename(const std::string& from, const std::string& to) override {
    return blocking(reactor_, [own = own_, from, to] { return own->rename(from, to); });
  }
  Task<Result<>> sync_directory(const std::string& path) override {
    return blocking(reactor_, [own = own_, path] { return own->sync_directory(path); });
  }
  Task<Result<std::uint64_t>> free_bytes(const std::string& path) override {
    return blocking(reactor_, [path] { return free_space(path); });
  }
  Task<Result<>> remove(const std::string& path) override {
    return blocking(reactor_, [own = own_, path] { return own->remove(path); });
  }
  Task<Result<>> make_directories(const std::string& path) override {
    return blocking(reactor_, [own = own_, path] { return own->make_directories(path); });
  }
  Task<Result<DirectoryClaim>> claim(const std::string& directory) override {
    return blocking(reactor_, [own = own_, directory] { return own->claim(directory); });
  }

 private:
  Task<Result<FileHandle>> open_to_write(const std::string& path, OpenMode mode) {
    auto job = reactor_.offload([own = own_, path, flag = direct_flag_, mode] {
      return mode == OpenMode::kCreate ? own->create(path, flag) : own->open_to_write(path, flag);
    });
    const Result<int> file = co_await job;
    if (!file) co_return fail(file.error());
    co_return std::make_unique<PosixFile>(path, IoFile{*file, false});
  }

  Task<Result<ReadOutcome>> read_opened_file(const std::string& path, std::uint64_t length,
                                             Buffer& buffer) {
    Result<FileHandle> file = co_await open(path, OpenMode::kRead);
    if (!file) co_return fail(file.error());
    const Instant opened = reactor_.now();
    Result<ReadOutcome> outcome = co_await read(**file, 0, length, buffer);
    const Result<> closed = co_await close(std::move(*file));
    if (outcome && !closed) co_return fail(closed.error());
    if (outcome) outcome->opened_at = opened;
    co_return outcome;
  }

  Task<Result<>> truncate(StorageFile& file, std::uint64_t size) {
    const int fd = io_file(file).number;
    auto job = reactor_.offload(
        [fd, size] { return ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno; });
    const int code = co_await job;
    if (code != 0) co_return fail(failed("truncate", file.path(), size, code));
    co_return Result<>{};
  }

  // The aligned range of a file that covers what was asked for.
  struct Window {
    std::uint64_t offset, length, lead, needed;
  };
  Window window_of(std::uint64_t offset, std::uint64_t length, const Buffer& buffer) const {
    const std::uint64_t lead = offset % alignment_;
    // The kernel moves at most 0x7FFFF000 bytes in one call.
    const std::uint64_t covered = (lead + length + alignment_ - 1) / alignment_ * alignment_;
    FEEDRATE_ASSERT(covered <= buffer.bytes().size() && covered <= 0x7FFFF000);
    return {offset - lead, covered, lead, lead + length};
  }
  static IoRequest read_request(const Window& window, std::uint64_t done, const Buffer& buffer) {
    IoRequest request;
    request.offset = window.offset + done;
    request.buffer = buffer.bytes().data() + done;
    request.length = static_cast<std::uint32_t>(window.length - done);
    request.buffer_index = buffer.registered_index();
    return request;
  }
  static ReadOutcome outcome(const Window& window, std::uint64_t length, std::uint64_t done,
                             const Buffer& buffer) {
    return {buffer.bytes().subspan(window.lead, length), done, {}};
  }
  static Error failed(std::string_view operation, const std::string& path, std::uint64_t offset,
                      int code) {
    return Error::storage(Error::kind_of(code), operation, path, offset, code);
  }
  static Error short_read(const std::string& path, std::uint64_t offset, std::uint64_t length,
                          const Window& window, std::uint64_t done) {
    const std::uint64_t got = done > window.lead ? done - window.lead : 0;
    return Error::storage(
        ErrorKind::kShortRead, "read", path, offset, 0,
        "the file ended after " + std::to_string(got) + " of " + std::to_string(length) + " bytes");
  }

  Reactor& reactor_;
  std::shared_ptr<OwnDirectories> own_;
  int direct_flag_;
  std::uint64_t alignment_;
};

}  // namespace

std::unique_ptr<Storage> make_posix_storage(Reactor& reactor, IoMode mode,
                                            const StorageFacts& facts,
                                            std::shared_ptr<OwnDirectories> own) {
  return std::make_unique<PosixStorage>(reactor, mode, facts, std::move(own));
}

}  // namespace feedrate

// One suite for every storage backend of the table, on every reactor. It tries what the facts say
// that a backend can, and that the rest fails clearly. Everything else is the same promise for all.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "feedrate/base/random.h"
#include "feedrate/base/text.h"
#include "feedrate/runtime/reactor_test_support.h"
#include "feedrate/storage/conformance/conformance_testing.h"

namespace feedrate {
namespace {

constexpr std::size_t kBlockBytes = 64U << 10U;

class StorageConformance : public testing::TestWithParam<ConformanceRow> {
 protected:
  void SetUp() override {
    auto made = make_reactor(GetParam().reactor, offload_);
    if (!made) GTEST_SKIP() << made.error().message();
    reactor_ = std::move(*made);
    const DirectIoFacts direct = probe_direct_io(directory_.path());
    if (GetParam().direct() && !direct.works)
      GTEST_SKIP() << "no direct I/O in the temporary directory: " << direct.reason;
    storage_ = make_storage();
    alignment_ = storage_->facts().alignment_bytes;
    pool_ = make_pool();
  }
  void TearDown() override {
    pool_.reset();
    storage_.reset();
  }

  std::unique_ptr<Storage> make_storage() {
    return make_storage_factory(GetParam().spec(), GetParam().io, directory_.path(), 1)(*reactor_);
  }

  std::unique_ptr<BufferPool> make_pool() {
    return std::make_unique<BufferPool>(
        *reactor_, BufferPoolOptions{.block_bytes = kBlockBytes + 2 * alignment_,
                                     .blocks = 8,
                                     .will_carry_data = storage_->carries_data()});
  }

  Storage& storage() { return *storage_; }
  BufferPool& pool() { return *pool_; }
  std::uint64_t alignment() const { return alignment_; }
  std::string path(const std::string& name) const { return directory_.path(name); }
  void run(Task<> task) {
    reactor_->spawn(std::move(task));
    reactor_->run();
  }

  TemporaryDirectory directory_;
  OffloadPool offload_{4};
  std::unique_ptr<Reactor> reactor_;
  std::uint64_t alignment_ = 1;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<BufferPool> pool_;
};
INSTANTIATE_TEST_SUITE_P(, StorageConformance, testing::ValuesIn(all_rows()),
                         [](const auto& row) { return row_name(row.param); });

#define SKIP_WITHOUT_DATA() \
  if (!GetParam().facts().carries_data) GTEST_SKIP() << "this storage keeps nothing"

// ---- content ---------------------------------------------------------------------------------

std::byte content_at(std::uint64_t seed, std::uint64_t offset) {
  return static_cast<std::byte>(mix64(combine_seeds(seed, offset / 8)) >> (offset % 8 * 8));
}
bool has_content(std::span<const std::byte> bytes, std::uint64_t seed, std::uint64_t offset) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != content_at(seed, offset + i)) return false;
  return true;
}
std::string content(std::uint64_t seed, std::uint64_t length) {
  std::string text(length, '\0');
  for (std::uint64_t i = 0; i < length; ++i) text[i] = static_cast<char>(content_at(seed, i));
  return text;
}

// ---- writing and reading back ----------------------------------------------------------------

Task<> write_content(Storage& storage, BufferPool& pool, const std::string& path,
                     std::uint64_t seed, std::uint64_t length, bool durable = false) {
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kCreate);
  EXPECT_TRUE(file);
  if (!file) co_return;
  Buffer buffer = co_await pool.acquire();
  for (std::uint64_t offset = 0; offset < length; offset += kBlockBytes) {
    const std::uint64_t piece = std::min<std::uint64_t>(kBlockBytes, length - offset);
    for (std::uint64_t i = 0; storage.carries_data() && i < piece; ++i)
      buffer.bytes()[i] = content_at(seed, offset + i);
    const Result<> written = co_await storage.write(**file, offset, piece, buffer);
    EXPECT_TRUE(written) << written.error().message();
  }
  if (durable) {
    const Result<> synced = co_await storage.sync(**file);
    EXPECT_TRUE(synced);
  }
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
}

Task<> read_back(Storage& storage, BufferPool& pool, const std::string& path, std::uint64_t seed,
                 std::uint64_t length) {
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  EXPECT_TRUE(file);
  if (!file) co_return;
  EXPECT_EQ((*file)->path(), path);
  Buffer buffer = co_await pool.acquire();
  for (std::uint64_t offset = 0; offset < length; offset += kBlockBytes) {
    const std::uint64_t piece = std::min<std::uint64_t>(kBlockBytes, length - offset);
    const Result<ReadOutcome> got = co_await storage.read(**file, offset, piece, buffer);
    EXPECT_TRUE(got);
    if (!got) continue;
    EXPECT_EQ(got->bytes.size(), piece);
    if (storage.carries_data()) {
      EXPECT_TRUE(has_content(got->bytes, seed, offset));
    }
  }
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
}

// Expects success where the facts say that the storage can do this, and otherwise an error that
// says it is not supported.
void expect_done(const Result<>& outcome, bool can) {
  EXPECT_EQ(outcome.has_value(), can);
  if (!outcome) {
    EXPECT_EQ(to_string(outcome.error().kind()), to_string(ErrorKind::kUnsupported));
    EXPECT_FALSE(outcome.error().path().empty());
  }
}

Task<> write_rename_read(Storage& storage, BufferPool& pool, const std::string& directory,
                         std::uint64_t length) {
  const std::string partial = directory + "/partial";
  const std::string final = directory + "/final";
  co_await write_content(storage, pool, partial, length, length, true);
  const Result<> renamed = co_await storage.rename(partial, final);
  expect_done(renamed, storage.facts().atomic_rename);
  const Result<> durable = co_await storage.sync_directory(directory);
  expect_done(durable, storage.facts().directories);
  co_await read_back(storage, pool, final, length, length);
  if (!storage.carries_data()) co_return;
  const Result<FileStatus> status = co_await storage.stat(final);
  EXPECT_TRUE(status);
  EXPECT_EQ(status->bytes, length);
  const Result<FileStatus> gone = co_await storage.stat(partial);
  EXPECT_EQ(gone.error().kind(), ErrorKind::kNotFound);
}
Task<> write_rename_read_all(Storage& storage, BufferPool& pool, const std::string& directory) {
  for (const std::uint64_t length : {0U, 1U, 511U, 4096U, 4097U, 65536U, 200'001U})
    co_await write_rename_read(storage, pool, directory, length);
}
TEST_P(StorageConformance, WhatIsWrittenSyncedAndRenamedIsReadBack) {
  run(write_rename_read_all(storage(), pool(), directory_.path()));
}

Task<> shrink_by_rewriting(Storage& storage, BufferPool& pool, const std::string& path) {
  co_await write_content(storage, pool, path, 1, 50'000);
  co_await write_content(storage, pool, path, 2, 100);
  co_await read_back(storage, pool, path, 2, 100);
  const Result<FileStatus> status = co_await storage.stat(path);
  EXPECT_EQ(status->bytes, 100U);
}
TEST_P(StorageConformance, CreateEmptiesAnExistingFile) {
  SKIP_WITHOUT_DATA();
  run(shrink_by_rewriting(storage(), pool(), path("file")));
}

// ---- extents ---------------------------------------------------------------------------------

std::uint64_t aligned_bytes(std::uint64_t offset, std::uint64_t length, std::uint64_t alignment,
                            std::uint64_t file_bytes) {
  const std::uint64_t first = offset / alignment * alignment;
  const std::uint64_t end = (offset + length + alignment - 1) / alignment * alignment;
  return std::min(end, std::max(file_bytes, first)) - first;
}

Task<> read_every_extent(Storage& storage, BufferPool& pool, const std::string& path,
                         std::uint64_t file_bytes, std::uint64_t alignment) {
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  EXPECT_TRUE(file);
  Buffer buffer = co_await pool.acquire();
  static constexpr std::uint64_t kEdges[] = {0,    1,    7,    511,  512,  513,   1023,  4095,
                                             4096, 4097, 8191, 8192, 8193, 12287, 12288, 12410};
  for (const std::uint64_t offset : kEdges) {
    for (std::uint64_t length : kEdges) {
      length = std::min(std::max<std::uint64_t>(length, 1), file_bytes - offset);
      const Result<ReadOutcome> got = co_await storage.read(**file, offset, length, buffer);
      EXPECT_TRUE(got) << offset << " + " << length;
      if (!got) continue;
      EXPECT_EQ(got->bytes.size(), length);
      EXPECT_GE(got->bytes.data(), buffer.bytes().data());
      EXPECT_LE(got->bytes.data() + length, buffer.bytes().data() + buffer.bytes().size());
      EXPECT_EQ(got->moved_bytes, aligned_bytes(offset, length, alignment, file_bytes))
          << offset << " + " << length;
      if (storage.carries_data()) {
        EXPECT_TRUE(has_content(got->bytes, 5, offset)) << offset << " + " << length;
      }
    }
  }
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
}
TEST_P(StorageConformance, EveryExtentHasItsExactBytesAndItsAlignmentIsCounted) {
  constexpr std::uint64_t kFileBytes = 12'411;
  const std::string file = directory_.write("file", content(5, kFileBytes));
  run(read_every_extent(storage(), pool(), file, kFileBytes, alignment()));
}

TEST_P(StorageConformance, SaysWhatItNeedsAndCarries) {
  const StorageFacts row = GetParam().facts(), own = storage().facts();
  EXPECT_EQ(storage().slack_bytes(), GetParam().direct() ? 2 * alignment() : 0);
  EXPECT_EQ(std::tie(own.carries_data, own.persists, own.directories, own.atomic_rename, own.append,
                     own.takes_time, own.described),
            std::tie(row.carries_data, row.persists, row.directories, row.atomic_rename, row.append,
                     row.takes_time, row.described));
  EXPECT_LE(own.alignment_bytes, row.alignment_bytes);
  EXPECT_EQ(&storage().reactor(), reactor_.get());
}

Task<> read_whole_files(Storage& storage, BufferPool& pool, const std::string& path,
                        std::uint64_t file_bytes, std::uint64_t alignment) {
  Buffer buffer = co_await pool.acquire();
  for (const std::uint64_t length :
       {std::uint64_t{1}, std::uint64_t{4096}, file_bytes - 1, file_bytes}) {
    const Instant before = storage.reactor().refresh_now();
    const Result<ReadOutcome> got = co_await storage.read_file(path, length, buffer);
    EXPECT_TRUE(got);
    if (!got) continue;
    EXPECT_EQ(got->bytes.size(), length);
    EXPECT_EQ(got->moved_bytes, aligned_bytes(0, length, alignment, file_bytes));
    EXPECT_GE(got->opened_at, before);
    EXPECT_LE(got->opened_at, storage.reactor().refresh_now());
    if (storage.carries_data()) {
      EXPECT_TRUE(has_content(got->bytes, 5, 0));
    }
  }
}
TEST_P(StorageConformance, ReadFileGivesTheFirstBytesAndSaysWhenItWasOpen) {
  const std::string file = directory_.write("file", content(5, 10'001));
  run(read_whole_files(storage(), pool(), file, 10'001, alignment()));
}

struct Tally {
  std::size_t right = 0, wrong = 0;
};
Task<> read_some(Storage& storage, BufferPool& pool, const std::string& path,
                 std::uint64_t file_bytes, std::uint64_t seed, Tally& tally) {
  RandomStream random(seed);
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  EXPECT_TRUE(file);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t offset = random.below(file_bytes);
    const std::uint64_t length =
        1 + random.below(std::min<std::uint64_t>(kBlockBytes, file_bytes - offset));
    Buffer buffer = co_await pool.acquire();
    const Result<ReadOutcome> got = co_await storage.read(**file, offset, length, buffer);
    const bool right = got && got->bytes.size() == length &&
                       (!storage.carries_data() || has_content(got->bytes, 5, offset));
    ++(right ? tally.right : tally.wrong);
  }
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
}
TEST_P(StorageConformance, ManyReadsAtOnceKeepTheirBytesApart) {
  const std::string file = directory_.write("file", content(5, 300'000));
  Tally tally;
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    reactor_->spawn(read_some(storage(), pool(), file, 300'000, seed, tally));
  reactor_->run();
  EXPECT_EQ(tally.right, 600U);
  EXPECT_EQ(tally.wrong, 0U);
}

// ---- what goes wrong -------------------------------------------------------------------------

void expect_error(const Error& error, ErrorKind kind, const std::string& path, std::uint64_t offset,
                  const std::string& message) {
  EXPECT_EQ(to_string(error.kind()), to_string(kind));
  EXPECT_EQ(error.path(), path);
  EXPECT_EQ(error.offset(), offset);
  EXPECT_EQ(error.message(), message);
}

Task<> read_past_the_end(Storage& storage, BufferPool& pool, const std::string& path) {
  Buffer buffer = co_await pool.acquire();
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  const std::string quoted = quote_path(path);
  const Result<ReadOutcome> tail = co_await storage.read(**file, 4000, 2000, buffer);
  expect_error(tail.error(), ErrorKind::kShortRead, path, 4000,
               "read " + quoted + " at offset 4000: the file ended after 1000 of 2000 bytes");
  const Result<ReadOutcome> beyond = co_await storage.read(**file, 20'000, 10, buffer);
  expect_error(beyond.error(), ErrorKind::kShortRead, path, 20'000,
               "read " + quoted + " at offset 20000: the file ended after 0 of 10 bytes");
  const Result<ReadOutcome> whole = co_await storage.read_file(path, 5001, buffer);
  expect_error(whole.error(), ErrorKind::kShortRead, path, 0,
               "read " + quoted + ": the file ended after 5000 of 5001 bytes");
  const Result<ReadOutcome> exact = co_await storage.read(**file, 4999, 1, buffer);
  EXPECT_TRUE(exact);
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
}
TEST_P(StorageConformance, AReadBeyondTheEndIsAShortRead) {
  SKIP_WITHOUT_DATA();
  run(read_past_the_end(storage(), pool(), directory_.write("file", content(5, 5000))));
}

Task<> truncate_while_open(Storage& storage, BufferPool& pool, const std::string& path) {
  Buffer buffer = co_await pool.acquire();
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kRead);
  const Result<ReadOutcome> before = co_await storage.read(**file, 8192, 4096, buffer);
  EXPECT_TRUE(before);
  std::filesystem::resize_file(path, 8200);
  const Result<ReadOutcome> after = co_await storage.read(**file, 8192, 4096, buffer);
  expect_error(
      after.error(), ErrorKind::kShortRead, path, 8192,
      "read " + quote_path(path) + " at offset 8192: the file ended after 8 of 4096 bytes");
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
}
TEST_P(StorageConformance, AFileCutShortAfterItWasOpenedIsAShortRead) {
  SKIP_WITHOUT_DATA();
  run(truncate_while_open(storage(), pool(), directory_.write("file", content(5, 40'000))));
}

Task<> use_missing(Storage& storage, BufferPool& pool, const std::string& path) {
  const std::string cause = quote_path(path) + ": No such file or directory";
  Buffer buffer = co_await pool.acquire();
  const Result<FileHandle> opened = co_await storage.open(path, OpenMode::kRead);
  expect_error(opened.error(), ErrorKind::kNotFound, path, 0, "open " + cause);
  const Result<ReadOutcome> read = co_await storage.read_file(path, 10, buffer);
  expect_error(read.error(), ErrorKind::kNotFound, path, 0, "open " + cause);
  const Result<FileStatus> status = co_await storage.stat(path);
  expect_error(status.error(), ErrorKind::kNotFound, path, 0, "stat " + cause);
  const Result<std::vector<DirectoryEntry>> listed = co_await storage.list(path);
  expect_error(listed.error(), ErrorKind::kNotFound, path, 0, "list " + cause);
  const Result<> removed = co_await storage.remove(path);
  expect_error(removed.error(), ErrorKind::kNotFound, path, 0, "remove " + cause);
  const Result<> renamed = co_await storage.rename(path, path + "2");
  expect_error(renamed.error(), ErrorKind::kNotFound, path, 0,
               "rename to " + quote_path(path + "2") + " from " + cause);
  const Result<> synced = co_await storage.sync_directory(path);
  expect_error(synced.error(), ErrorKind::kNotFound, path, 0, "open directory " + cause);
  const Result<std::uint64_t> room = co_await storage.free_bytes(path);
  expect_error(room.error(), ErrorKind::kNotFound, path, 0, "statvfs " + cause);
}
TEST_P(StorageConformance, WhatIsMissingIsNotFound) {
  SKIP_WITHOUT_DATA();
  run(use_missing(storage(), pool(), path("missing")));
}

Task<> use_file_as_directory(Storage& storage, const std::string& file) {
  const std::string below = file + "/below";
  const Result<FileHandle> opened = co_await storage.open(below, OpenMode::kRead);
  expect_error(opened.error(), ErrorKind::kNotFound, below, 0,
               "open " + quote_path(below) + ": Not a directory");
  const Result<std::vector<DirectoryEntry>> listed = co_await storage.list(file);
  EXPECT_EQ(listed.error().os_error(), ENOTDIR);
  const Result<> made = co_await storage.make_directories(below);
  EXPECT_EQ(made.error().os_error(), ENOTDIR);
  const Result<> over = co_await storage.make_directories(file);
  EXPECT_EQ(over.error().os_error(), ENOTDIR);
}
TEST_P(StorageConformance, AFileIsNoDirectory) {
  SKIP_WITHOUT_DATA();
  run(use_file_as_directory(storage(), directory_.write("file", "x")));
}

Task<> use_directory_as_file(Storage& storage, BufferPool& pool, const std::string& directory) {
  Buffer buffer = co_await pool.acquire();
  const Result<FileHandle> created = co_await storage.open(directory, OpenMode::kCreate);
  expect_error(created.error(), ErrorKind::kIo, directory, 0,
               "open " + quote_path(directory) + ": Is a directory");
  const Result<ReadOutcome> read = co_await storage.read_file(directory, 10, buffer);
  EXPECT_EQ(read.error().kind(), ErrorKind::kIo);
  EXPECT_EQ(read.error().path(), directory);
  // Only an empty directory is removed.
  const std::string inner = directory + "/full/inner";
  const std::string full = directory + "/full";
  const Result<> made = co_await storage.make_directories(inner);
  EXPECT_TRUE(made);
  Result<> removed = co_await storage.remove(full);
  expect_error(removed.error(), ErrorKind::kIo, full, 0,
               "remove " + quote_path(full) + ": Directory not empty");
  removed = co_await storage.remove(inner);
  EXPECT_TRUE(removed);
  removed = co_await storage.remove(full);
  EXPECT_TRUE(removed);
}

Task<> write_two_parts(Storage& storage, BufferPool& pool, const std::string& path) {
  Buffer buffer = co_await pool.acquire();
  const Result<FileHandle> missing = co_await storage.open(path, OpenMode::kWrite);
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  for (const OpenMode mode : {OpenMode::kCreate, OpenMode::kWrite}) {
    Result<FileHandle> file = co_await storage.open(path, mode);
    EXPECT_TRUE(file);
    std::memset(buffer.bytes().data(), mode == OpenMode::kCreate ? 'a' : 'b', 4096);
    const std::uint64_t offset = mode == OpenMode::kCreate ? 0 : 4096;
    const Result<> written = co_await storage.write(**file, offset, 4096, buffer);
    EXPECT_TRUE(written);
    const Result<> closed = co_await storage.close(std::move(*file));
    EXPECT_TRUE(closed);
  }
  const Result<ReadOutcome> read = co_await storage.read_file(path, 8192, buffer);
  EXPECT_TRUE(read);
  EXPECT_EQ(static_cast<char>(read->bytes[0]), 'a');
  EXPECT_EQ(static_cast<char>(read->bytes[4096]), 'b');
}
TEST_P(StorageConformance, SeveralWriteTheirPartsOfOneFile) {
  SKIP_WITHOUT_DATA();
  if (!GetParam().facts().append) GTEST_SKIP() << "this storage takes a file as a whole";
  run(write_two_parts(storage(), pool(), directory_.path() + "/shared"));
}

TEST_P(StorageConformance, ADirectoryIsNoFile) {
  SKIP_WITHOUT_DATA();
  run(use_directory_as_file(storage(), pool(), directory_.path()));
}

// Makes a file immutable, because the tests may run as root, whom nothing else keeps out.
class Immutable {
 public:
  explicit Immutable(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    works_ = set(FS_IMMUTABLE_FL);
  }
  Immutable(const Immutable&) = delete;
  ~Immutable() {
    if (works_) set(0);
    close(fd_);
  }
  bool works() const { return works_; }

 private:
  bool set(int flag) const {
    int flags = 0;
    if (ioctl(fd_, FS_IOC_GETFLAGS, &flags) != 0) return false;
    flags = (flags & ~FS_IMMUTABLE_FL) | flag;
    return ioctl(fd_, FS_IOC_SETFLAGS, &flags) == 0;
  }
  int fd_;
  bool works_ = false;
};
Task<> use_forbidden(Storage& storage, const std::string& path) {
  const Result<FileHandle> opened = co_await storage.open(path, OpenMode::kCreate);
  expect_error(opened.error(), ErrorKind::kPermission, path, 0,
               "open " + quote_path(path) + ": Operation not permitted");
  const Result<> removed = co_await storage.remove(path);
  EXPECT_EQ(removed.error().kind(), ErrorKind::kPermission);
}
TEST_P(StorageConformance, WhatIsForbiddenIsAPermissionError) {
  SKIP_WITHOUT_DATA();
  const std::string file = directory_.write("file", "x");
  const Immutable immutable(file);
  if (!immutable.works()) GTEST_SKIP() << "files cannot be made immutable here";
  run(use_forbidden(storage(), file));
}

class SmallFileSystem {
 public:
  explicit SmallFileSystem(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    works_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=256k") == 0;
  }
  SmallFileSystem(const SmallFileSystem&) = delete;
  ~SmallFileSystem() {
    if (works_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool works() const { return works_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool works_;
};
Task<> fill(Storage& storage, BufferPool& pool, const std::string& path) {
  Result<FileHandle> file = co_await storage.open(path, OpenMode::kCreate);
  EXPECT_TRUE(file) << file.error().message();
  if (!file) co_return;
  Buffer buffer = co_await pool.acquire();
  std::memset(buffer.bytes().data(), 1, buffer.bytes().size());
  bool full = false;
  for (std::uint64_t offset = 0; !full && offset < (1U << 20U); offset += kBlockBytes) {
    const Result<> written = co_await storage.write(**file, offset, kBlockBytes, buffer);
    full = !written;
    if (!full) continue;
    const Error& error = written.error();
    expect_error(error, ErrorKind::kNoSpace, path, error.offset(),
                 "write " + quote_path(path) + " at offset " + std::to_string(error.offset()) +
                     ": No space left on device");
    EXPECT_GE(error.offset(), offset);
  }
  EXPECT_TRUE(full);
  const Result<> closed = co_await storage.close(std::move(*file));
  EXPECT_TRUE(closed);
  const Result<std::uint64_t> room = co_await storage.free_bytes(path);
  EXPECT_EQ(*room, 0U);
}
TEST_P(StorageConformance, AFullFileSystemIsNoSpace) {
  SKIP_WITHOUT_DATA();
  const SmallFileSystem small(path("small"));
  if (!small.works()) GTEST_SKIP() << "mounting a tmpfs is not allowed here";
  if (GetParam().direct() && !probe_direct_io(small.path()).works)
    GTEST_SKIP() << "no direct I/O on tmpfs: " << probe_direct_io(small.path()).reason;
  run(fill(storage(), pool(), small.path() + "/file"));
}

// ---- directories and names -------------------------------------------------------------------

Task<> walk_directories(Storage& storage, const std::string& root) {
  const std::string deep = root + "/a//b/c/";
  for (int twice = 0; twice < 2; ++twice) {
    const Result<> made = co_await storage.make_directories(deep);
    EXPECT_TRUE(made);
  }
  std::filesystem::create_symlink("a", root + "/link");
  std::filesystem::resize_file((std::ofstream(root + "/file"), root + "/file"), 1234);
  Result<std::vector<DirectoryEntry>> entries = co_await storage.list(root);
  EXPECT_TRUE(entries);
  std::sort(entries->begin(), entries->end(),
            [](const auto& one, const auto& other) { return one.name < other.name; });
  EXPECT_EQ(entries->size(), 3U);
  EXPECT_EQ(entries->at(0).name, "a");
  EXPECT_EQ(entries->at(0).kind, EntryKind::kDirectory);
  EXPECT_EQ(entries->at(1).name, "file");
  EXPECT_EQ(entries->at(1).kind, EntryKind::kFile);
  EXPECT_EQ(entries->at(2).name, "link");
  EXPECT_EQ(entries->at(2).kind, EntryKind::kSymlink);
}
Task<> look_at_directories(Storage& storage, const std::string& root) {
  co_await walk_directories(storage, root);
  const std::string link = root + "/link";
  const std::string file = root + "/file";
  const Result<FileStatus> followed = co_await storage.stat(link);
  EXPECT_EQ(followed->kind, EntryKind::kDirectory);
  const Result<FileStatus> status = co_await storage.stat(file);
  EXPECT_EQ(status->kind, EntryKind::kFile);
  EXPECT_EQ(status->bytes, 1234U);
  EXPECT_GT(status->modified_ns, 1'600'000'000LL * 1'000'000'000);
  EXPECT_NE(status->inode, followed->inode);
  const Result<> removed = co_await storage.remove(file);
  EXPECT_TRUE(removed);
  EXPECT_FALSE(std::filesystem::exists(file));
  const Result<std::uint64_t> room = co_await storage.free_bytes(root);
  EXPECT_GT(*room, 0U);
}
TEST_P(StorageConformance, DirectoriesAreMadeListedAndLookedAt) {
  if (!GetParam().facts().directories) GTEST_SKIP() << "this storage has none";
  run(look_at_directories(storage(), directory_.path()));
}

const std::string kStrangeNames[] = {
    "two words", "line\nbreak", "caf\xE9 latin",      "\xFF\xFE\x01", "quote\"and\\slash",
    "-rf",       " ",           std::string(255, 'x')};

Task<> use_strange_names(Storage& storage, BufferPool& pool, const std::string& root) {
  std::vector<std::string> expected;
  for (const std::string& name : kStrangeNames) {
    const std::string path = root + "/" + name;
    co_await write_content(storage, pool, path, 9, 4097);
    co_await read_back(storage, pool, path, 9, 4097);
    expected.push_back(name);
  }
  if (!storage.carries_data()) co_return;
  const Result<std::vector<DirectoryEntry>> entries = co_await storage.list(root);
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names, expected);
  const std::string missing = root + "/no\nsuch \xFF";
  const Result<FileHandle> opened = co_await storage.open(missing, OpenMode::kRead);
  EXPECT_EQ(opened.error().message(),
            "open \"" + root + "/no\\x0asuch \\xff\": No such file or directory");
}
TEST_P(StorageConformance, NamesAreBytes) {
  run(use_strange_names(storage(), pool(), directory_.path()));
}

// ---- storage that keeps nothing --------------------------------------------------------------

// Checks that a directory moves with all that is in it, and that a file replaces another.
Task<> move_whole(Storage& storage, BufferPool& pool, const std::string& root) {
  const std::string from = root + "/from", to = root + "/to", inner = from + "/file";
  const std::string old_file = root + "/old", new_file = root + "/new";
  const Result<> made = co_await storage.make_directories(from);
  EXPECT_TRUE(made);
  co_await write_content(storage, pool, inner, 3, 5000);
  Result<> moved = co_await storage.rename(from, to);
  EXPECT_TRUE(moved);
  const std::string there = to + "/file";
  co_await read_back(storage, pool, there, 3, 5000);
  const Result<FileStatus> gone = co_await storage.stat(from);
  EXPECT_EQ(gone.error().kind(), ErrorKind::kNotFound);
  co_await write_content(storage, pool, old_file, 4, 9000);
  co_await write_content(storage, pool, new_file, 5, 100);
  moved = co_await storage.rename(new_file, old_file);
  EXPECT_TRUE(moved);
  co_await read_back(storage, pool, old_file, 5, 100);
}
TEST_P(StorageConformance, ARenameMovesWhole) {
  if (!GetParam().facts().atomic_rename || !GetParam().facts().directories)
    GTEST_SKIP() << "this storage moves nothing";
  run(move_whole(storage(), pool(), directory_.path()));
}

Task<> look_again(Storage& storage, BufferPool& pool, const std::string& path, bool persists) {
  const Result<FileStatus> status = co_await storage.stat(path);
  EXPECT_EQ(status.has_value(), persists);
  if (status) {
    EXPECT_EQ(status->bytes, 70'000U);
    co_await read_back(storage, pool, path, 6, 70'000);
  }
}
TEST_P(StorageConformance, WhatPersistsIsThereForTheNextOne) {
  const std::string file = path("kept");
  run(write_content(storage(), pool(), file, 6, 70'000, true));
  pool_.reset();
  storage_.reset();
  auto next = make_reactor(GetParam().reactor, offload_);
  ASSERT_TRUE(next);
  reactor_ = std::move(*next);
  storage_ = make_storage();
  pool_ = make_pool();
  run(look_again(storage(), pool(), file, GetParam().facts().persists));
}

Task<> ask_for_nothing(Storage& storage) {
  const std::string anywhere = "/no/such/place";
  const Result<std::vector<DirectoryEntry>> listed = co_await storage.list(anywhere);
  EXPECT_TRUE(listed && listed->empty());
  const Result<FileStatus> status = co_await storage.stat(anywhere);
  expect_error(status.error(), ErrorKind::kNotFound, anywhere, 0,
               "stat \"/no/such/place\": null storage keeps nothing");
  const Result<> made = co_await storage.make_directories(anywhere);
  expect_done(made, storage.facts().directories);
  const Result<> removed = co_await storage.remove(anywhere);
  EXPECT_TRUE(removed);
  EXPECT_FALSE(std::filesystem::exists("/no"));
}
TEST_P(StorageConformance, StorageWithoutDataTouchesNothing) {
  if (GetParam().facts().carries_data) GTEST_SKIP() << "this storage keeps data";
  run(ask_for_nothing(storage()));
}

}  // namespace
}  // namespace feedrate

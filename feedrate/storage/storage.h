// A Storage is a place where bytes are kept. Every backend has this interface and a folder of its
// own (posix/, null/, model/), and is reached only through this header and the table in
// backends.cc.
//
// A Storage belongs to one Reactor and is used on its thread. All operations are coroutines and may
// be in flight together. Paths are byte strings as the system has them, and must stay alive until
// the operation is done: name them, since GCC 12 breaks a std::string that is a by-value argument
// inside a co_await expression. Errors name the operation, the path, the offset and the cause; a
// read that ends early is kShortRead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"
#include "feedrate/runtime/buffers.h"
#include "feedrate/runtime/reactor.h"
#include "feedrate/runtime/task.h"

namespace feedrate {

struct StorageModel;

// kAuto is resolved before a run (resolve_io_mode); a Storage only ever has one of the others.
enum class IoMode : std::uint8_t { kDirect, kBuffered, kAuto };
std::string_view to_string(IoMode mode);  // "direct", "buffered", "auto"
Result<IoMode> parse_io_mode(std::string_view text, std::string_view flag);

enum class OpenMode : std::uint8_t {
  kRead,    // The file must exist.
  kCreate,  // The file is created; an older file or link of that name is removed.
  // The file must exist and keeps its content, since several write their parts of one file.
  kWrite,
};

class StorageFile {
 public:
  explicit StorageFile(std::string path) : path_(std::move(path)) {}
  virtual ~StorageFile() = default;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
using FileHandle = std::unique_ptr<StorageFile>;

struct ReadOutcome {
  std::span<const std::byte> bytes;  // Exactly what was asked for, inside the caller's buffer.
  std::uint64_t moved_bytes = 0;     // What the call moved, with alignment.
  Instant opened_at{};               // When the file was open; set by read_file() only.
  Instant first_byte_at{};           // Set only by storages that know it, such as a model.
};

enum class EntryKind : std::uint8_t { kFile, kDirectory, kSymlink, kOther };
struct DirectoryEntry {
  std::string name;
  EntryKind kind = EntryKind::kOther;
};
struct FileStatus {
  EntryKind kind = EntryKind::kOther;  // Links are followed.
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // In ns since 1970.
  std::uint64_t device = 0, inode = 0;
};

// What a storage can do: the row of its backend in the table of backends.cc, known before a reactor
// exists, and what each Storage says about itself. Code asks these facts and never for a backend's
// name.
struct StorageFacts {
  bool carries_data = false;   // Reads return the bytes that are stored; otherwise they move none.
  bool persists = false;       // What was written still exists after the process has ended.
  bool directories = false;    // Names lie in directories, which have to be made and synced.
  bool atomic_rename = false;  // rename() moves a file or directory whole or not at all.
  bool append = false;         // Several may write their parts of one file, in any order.
  bool simulable = false;      // It runs on the virtual clock.
  // False for null storage, which answers at once, so that feedrate itself is measured.
  bool takes_time = false;
  bool described = false;  // A model describes it, whose limits all users share.
  // In a backend's row: the alignment of direct I/O, where the file system does not ask for less.
  // In a Storage: what its reads are rounded to, 1 for not at all.
  std::uint32_t alignment_bytes = 1;
  // Says whose counters prove its bytes: "device", or "" where none do.
  std::string_view moved_by = "";
};

// A directory that this process alone writes in. It is let go when this is destroyed, which may be
// on any thread.
class ClaimedDirectory {
 public:
  ClaimedDirectory() = default;
  ClaimedDirectory(const ClaimedDirectory&) = delete;
  ClaimedDirectory& operator=(const ClaimedDirectory&) = delete;
  virtual ~ClaimedDirectory() = default;
};
using DirectoryClaim = std::unique_ptr<ClaimedDirectory>;
inline constexpr std::string_view kLockName = ".feedrate-lock";  // The lock's file in it.

class Storage {
 public:
  explicit Storage(const StorageFacts& facts) : facts_(facts) {}
  virtual ~Storage() = default;
  virtual std::string_view name() const = 0;  // "posix", "null" or "model".
  virtual Reactor& reactor() = 0;
  const StorageFacts& facts() const { return facts_; }
  // Returns false when reads move no bytes (null): there is then nothing to verify and no page to
  // touch.
  bool carries_data() const { return facts_.carries_data; }
  // Returns the most room that a buffer needs beyond the bytes asked for, because a read is rounded
  // out at both ends.
  std::size_t slack_bytes() const {
    return facts_.alignment_bytes == 1 ? 0 : std::size_t{2} * facts_.alignment_bytes;
  }

  virtual Task<Result<FileHandle>> open(const std::string& path, OpenMode mode) = 0;
  virtual Task<Result<>> close(FileHandle file) = 0;
  // Reads [offset, offset + length) into `buffer`, which has room for length + slack_bytes().
  virtual Task<Result<ReadOutcome>> read(StorageFile& file, std::uint64_t offset,
                                         std::uint64_t length, Buffer& buffer) = 0;
  // Opens a file, reads its first `length` bytes and closes it, as a loader does with a file that
  // is a sample.
  virtual Task<Result<ReadOutcome>> read_file(const std::string& path, std::uint64_t length,
                                              Buffer& buffer) = 0;
  // Writes the first `length` bytes of `buffer` at `offset`, a multiple of the direct-I/O
  // alignment. A length that is not one is only allowed at the end of the file.
  virtual Task<Result<>> write(StorageFile& file, std::uint64_t offset, std::uint64_t length,
                               Buffer& buffer) = 0;
  virtual Task<Result<>> sync(StorageFile& file) = 0;

  // Operations that the facts rule out fail with kUnsupported.
  virtual Task<Result<std::vector<DirectoryEntry>>> list(const std::string& path) = 0;
  virtual Task<Result<FileStatus>> stat(const std::string& path) = 0;
  virtual Task<Result<>> rename(const std::string& from, const std::string& to) = 0;
  virtual Task<Result<>> sync_directory(
      const std::string& path) = 0;  // Makes renames in it durable.
  virtual Task<Result<std::uint64_t>> free_bytes(const std::string& path) = 0;
  // Removes a file or an empty directory.
  virtual Task<Result<>> remove(const std::string& path) = 0;
  // Makes names durable, too, but below a claimed directory, where sync_directory() does.
  virtual Task<Result<>> make_directories(const std::string& path) = 0;
  // Claims a directory that is there before anything is written in it. Until the claim is let go,
  // all storages of this factory reach what lies below it from the directory as it was then, and
  // follow no symbolic link below it to write, move or remove. Fails with kEnvironment where
  // another process or claim has it. Null where nothing persists; a file system without locks gives
  // a claim that does not keep others out.
  virtual Task<Result<DirectoryClaim>> claim(const std::string& directory) = 0;

 private:
  StorageFacts facts_;
};

// Makes the storage of one reactor. It is called once for each reactor, on any thread, before the
// reactor runs.
using StorageFactory = std::function<std::unique_ptr<Storage>(Reactor&)>;

// A value of --storage, parsed once: "posix", "null", or "model:FILE.yaml" for a described storage
// in front of its `backing`.
struct StorageSpec {
  std::string word;
  StorageFacts facts;
  std::string backend;                        // The name of the backend's row.
  std::shared_ptr<const StorageModel> model;  // The model in front of it; null where there is none.
};
Result<StorageSpec> parse_storage(std::string_view word, std::string_view flag = "--storage");
std::vector<std::string> backend_names();  // Like "posix" and "null".
StorageSpec local_files();                 // The file systems that the kernel has mounted.
StorageSpec costs_nothing();               // Storage that takes no time and moves no bytes.

// `mode` must be resolved. All reactors of one factory share the model's limits.
StorageFactory make_storage_factory(const StorageSpec& spec, IoMode mode,
                                    std::string_view directory, std::uint64_t seed);

// Returns the same storage with a limit on what all its users together read and write in a second.
StorageSpec limit_rate(const StorageSpec& spec, double bytes_per_second);

// Says whether direct I/O works in a directory. It is found by asking the file system and, where a
// file is given, by trying.
struct DirectIoFacts {
  bool works = false;
  std::optional<std::uint32_t> alignment_bytes;  // Set where the file system tells it.
  std::string reason;                            // Says why it does not work.
};
DirectIoFacts probe_direct_io(const std::string& directory);
Result<IoMode> resolve_io_mode(IoMode wanted, const std::string& directory);

}  // namespace feedrate

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "feedrate/base/text.h"
#include "feedrate/storage/posix/posix_files.h"
#include "feedrate/storage/storage.h"

namespace feedrate {
namespace {

// Returns some regular file below `directory`, at most `depth` levels down; "" where it finds none.
std::string find_a_file(const std::string& directory, int depth) {
  const auto entries = list_directory(directory);
  if (!entries) return {};
  for (const DirectoryEntry& entry : *entries)
    if (entry.kind == EntryKind::kFile) return directory + "/" + entry.name;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::kDirectory || depth == 0) continue;
    std::string found = find_a_file(directory + "/" + entry.name, depth - 1);
    if (!found.empty()) return found;
  }
  return {};
}

std::optional<std::uint32_t> alignment_of(int fd) {
  struct statx status{};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0) return std::nullopt;
  if ((status.stx_mask & STATX_DIOALIGN) == 0 || status.stx_dio_offset_align == 0)
    return std::nullopt;
  return status.stx_dio_offset_align;
}

DirectIoFacts try_file(const std::string& path, int open_flags) {
  const int fd = open(path.c_str(), open_flags | O_DIRECT | O_CLOEXEC, 0600);
  if (fd < 0) return {false, {}, std::string("open with O_DIRECT: ") + std::strerror(errno)};
  DirectIoFacts facts{true, alignment_of(fd), {}};
  // Some file systems accept O_DIRECT when opening and fail only when reading.
  std::unique_ptr<void, decltype(&std::free)> block(std::aligned_alloc(65536, 65536), &std::free);
  if (pread(fd, block.get(), facts.alignment_bytes.value_or(4096), 0) < 0)
    facts = {false, {}, std::string("read with O_DIRECT: ") + std::strerror(errno)};
  close(fd);
  return facts;
}

}  // namespace

DirectIoFacts probe_direct_io(const std::string& directory) {
  struct stat status{};
  if (stat(directory.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    return try_file(directory, O_RDONLY);
  const std::string file = find_a_file(directory, 3);
  if (!file.empty()) return try_file(file, O_RDONLY);
  return try_file(directory, O_TMPFILE | O_RDWR);
}

Result<IoMode> resolve_io_mode(IoMode wanted, const std::string& directory) {
  if (wanted == IoMode::kBuffered) return wanted;
  const DirectIoFacts facts = probe_direct_io(directory);
  if (facts.works) return IoMode::kDirect;
  if (wanted == IoMode::kAuto) return IoMode::kBuffered;
  return fail(
      ErrorKind::kEnvironment,
      "--io: direct I/O does not work in " + quote_path(directory) + " (" + facts.reason + ")",
      "use --io=buffered to go through the page cache");
}

}  // namespace feedrate

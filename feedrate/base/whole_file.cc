#include "feedrate/base/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace feedrate {
namespace {

int write_and_sync(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = write(file, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  // EINVAL means that this file system needs no sync.
  return fsync(file) == 0 || errno == EINVAL ? 0 : errno;
}

}  // namespace

int write_whole_file(const std::string& path, std::string_view bytes) {
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) return errno;
  const std::string part = fmt::format("{}.{:016x}.part", path, random);
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return errno;
  int code = write_and_sync(file, bytes);
  // What replaces a file is read by whoever could read that one, and by nobody else.
  struct stat older{};
  if (code == 0 && lstat(path.c_str(), &older) == 0 && S_ISREG(older.st_mode)) {
    const bool same_owner = fchown(file, older.st_uid, older.st_gid) == 0;
    const mode_t kept = same_owner ? 0777 : 0700;  // Its group is another one then.
    if (fchmod(file, older.st_mode & kept) != 0) code = errno;
  }
  if (close(file) != 0 && code == 0) code = errno;
  if (code == 0 && std::rename(part.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) unlink(part.c_str());
  return code;
}

std::expected<std::string, int> read_whole_file(const std::string& path, std::uint64_t bytes_max) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0) return std::unexpected(errno);
  struct stat status{};
  int code = fstat(file, &status) == 0 ? 0 : errno;
  if (code == 0 && !S_ISREG(status.st_mode)) code = EINVAL;
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (code == 0 && bytes > bytes_max) code = EFBIG;
  std::string text(code == 0 ? bytes : 0, '\0');
  std::size_t done = 0;
  while (code == 0 && done < text.size()) {
    const ssize_t got = read(file, text.data() + done, text.size() - done);
    if (got == 0) break;  // It has become shorter meanwhile.
    if (got < 0 && errno != EINTR) code = errno;
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  close(file);
  if (code != 0) return std::unexpected(code);
  text.resize(done);
  return text;
}

}  // namespace feedrate

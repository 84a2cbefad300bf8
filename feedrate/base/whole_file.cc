#include "feedrate/base/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
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
  if (close(file) != 0 && code == 0) code = errno;
  if (code == 0 && std::rename(part.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) unlink(part.c_str());
  return code;
}

}  // namespace feedrate

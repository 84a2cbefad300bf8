#include "feedrate/storage/posix/posix_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

Error failed(std::string_view operation, const std::string& path, int code) {
  return Error::storage(Error::kind_of(code), operation, path, 0, code);
}

EntryKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::kFile;
  if (S_ISDIR(mode)) return EntryKind::kDirectory;
  if (S_ISLNK(mode)) return EntryKind::kSymlink;
  return EntryKind::kOther;
}

EntryKind kind_of_entry(int directory_fd, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::kFile;
    case DT_DIR:
      return EntryKind::kDirectory;
    case DT_LNK:
      return EntryKind::kSymlink;
    case DT_UNKNOWN: {
      struct stat status{};
      if (fstatat(directory_fd, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return EntryKind::kOther;
      return kind_of(status.st_mode);
    }
    default:
      return EntryKind::kOther;
  }
}

}  // namespace

Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) {
  struct Closer {
    void operator()(DIR* directory) const { closedir(directory); }
  };
  const std::unique_ptr<DIR, Closer> directory(opendir(path.c_str()));
  if (!directory) return fail(failed("list", path, errno));
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return fail(failed("list", path, errno));
    if (entry == nullptr) return entries;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({std::move(name), kind_of_entry(dirfd(directory.get()), *entry)});
  }
}

Result<FileStatus> stat_file(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return fail(failed("stat", path, errno));
  return FileStatus{kind_of(status.st_mode), static_cast<std::uint64_t>(status.st_size),
                    status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_dev,
                    status.st_ino};
}

Result<> rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0)
    return fail(failed("rename to " + quote_path(to) + " from", from, errno));
  return {};
}

Result<> sync_directory_entries(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(failed("open directory", path, errno));
  // EINVAL means that this file system needs no sync of directories.
  const int code = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
  close(fd);
  if (code != 0) return fail(failed("fsync directory", path, code));
  return {};
}

Result<std::uint64_t> free_space(const std::string& path) {
  struct statvfs status{};
  if (statvfs(path.c_str(), &status) != 0) return fail(failed("statvfs", path, errno));
  if (status.f_blocks == 0) return UINT64_MAX;  // ramfs and some FUSE file systems do not know.
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Result<> remove_file(const std::string& path) {
  // For a directory unlink() fails with EISDIR on Linux, and with EPERM by POSIX.
  if (unlink(path.c_str()) == 0) return {};
  const int why = errno;
  if ((why == EISDIR || why == EPERM) && rmdir(path.c_str()) == 0) return {};
  if (why == EISDIR) return fail(failed("remove", path, errno));
  if (why != 0) return fail(failed("remove", path, why));
  return {};
}

Result<> make_directory_tree(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); true; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST)
      return fail(failed("make directory", part, errno));
    if (slash == std::string::npos) break;
  }
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return fail(failed("stat", path, errno));
  if (!S_ISDIR(status.st_mode)) return fail(failed("make directory", path, ENOTDIR));
  return {};
}

}  // namespace feedrate

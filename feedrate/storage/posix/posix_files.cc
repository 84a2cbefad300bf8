#include "feedrate/storage/posix/posix_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <memory>

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

Result<std::uint64_t> free_space(const std::string& path) {
  struct statvfs status{};
  if (statvfs(path.c_str(), &status) != 0) return fail(failed("statvfs", path, errno));
  if (status.f_blocks == 0) return UINT64_MAX;  // ramfs and some FUSE file systems do not know.
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace feedrate

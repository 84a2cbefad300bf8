#include "feedrate/dataset/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <string_view>

#include "feedrate/base/text.h"
#include "feedrate/dataset/dataset.h"
#include "feedrate/dataset/index_cache.h"
#include "feedrate/storage/storage.h"

namespace feedrate {
namespace {

Error failed(std::string_view operation, const std::string& path, int code) {
  return Error::storage(Error::kind_of(code), operation, path, 0, code);
}

// Visits each directory once. It has a stack of its own, so that the depth of a tree costs none of
// the thread's.
class Walk {
 public:
  Walk(const std::string& root, Skipped& skipped) : root_(root), skipped_(skipped) {}

  Result<> run(const std::stop_token& stop) {
    std::vector<std::string> directories{""};
    while (!directories.empty()) {
      if (stop.stop_requested()) return scan_interrupted();
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      const auto visited = visit(directory, directories);
      if (visited) continue;
      if (directory.empty()) return visited;
      skipped_.add("directories that could not be read (" + visited.error().message() + ")",
                   directory);
    }
    return {};
  }
  std::vector<FoundFile> files;

 private:
  struct Closer {
    void operator()(DIR* handle) const { closedir(handle); }
  };

  Result<> visit(const std::string& directory, std::vector<std::string>& directories) {
    const std::string full = directory.empty() ? root_ : root_ + "/" + directory;
    const std::unique_ptr<DIR, Closer> handle(opendir(full.c_str()));
    if (!handle) return fail(failed("list", full, errno));
    struct stat status{};
    if (fstat(dirfd(handle.get()), &status) != 0) return fail(failed("stat", full, errno));
    if (!seen_.insert({status.st_dev, status.st_ino}).second) {
      skipped_.add("directories reached again through links", directory);
      return {};
    }
    const std::string prefix = directory.empty() ? "" : directory + "/";
    // In the order of inode numbers the inode tables are read front to back. With a cold cache that
    // is most of the time of a scan.
    std::vector<std::pair<ino_t, std::string>> names;
    while (const dirent* entry = readdir(handle.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (directory.empty() && (name == kManifestName || name == kIndexName || name == kLockName))
        continue;  // ours
      if (name.front() == '.')
        skipped_.add("hidden entries left out", prefix + entry->d_name);
      else if (entry->d_type == DT_DIR)
        directories.push_back(prefix + entry->d_name);
      else
        names.emplace_back(entry->d_ino, name);
    }
    std::ranges::sort(names, {}, &std::pair<ino_t, std::string>::first);
    for (auto& [inode, name] : names) look_at(dirfd(handle.get()), prefix, name, directories);
    return {};
  }

  void look_at(int directory, const std::string& prefix, const std::string& name,
               std::vector<std::string>& directories) {
    struct stat status{};
    std::string relative = prefix + name;
    if (fstatat(directory, name.c_str(), &status, 0) != 0)
      skipped_.add(
          errno == ELOOP ? "links that lead in a circle" : "entries that could not be opened",
          relative);
    else if (S_ISDIR(status.st_mode))
      directories.push_back(std::move(relative));
    else if (!S_ISREG(status.st_mode))
      skipped_.add("entries that are not regular files", relative);
    else if (status.st_size == 0)
      skipped_.add("empty files left out", relative);
    else
      files.push_back(
          {std::move(relative), static_cast<std::uint64_t>(status.st_size),
           std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
  }

  const std::string& root_;
  Skipped& skipped_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

void Skipped::add(const std::string& reason, const std::string& path) {
  auto& entry = reasons_[reason];
  if (entry.first++ == 0) entry.second = path;
}

std::vector<std::string> Skipped::lines() const {
  std::vector<std::string> lines;
  for (const auto& [reason, entry] : reasons_)
    lines.push_back(fmt::format("{}: {}, e.g. {}", reason, entry.first, quote_path(entry.second)));
  return lines;
}

std::unexpected<Error> scan_interrupted() {
  return fail(ErrorKind::kCancelled, "interrupted while looking through --data; nothing was run",
              "run the same command again");
}

Result<std::vector<FoundFile>> walk_files(const std::string& root, Skipped& skipped,
                                          const std::stop_token& stop) {
  Walk walk(root, skipped);
  FEEDRATE_CHECK(walk.run(stop));
  std::ranges::sort(walk.files, {}, &FoundFile::path);
  return std::move(walk.files);
}

}  // namespace feedrate

#include "feedrate/dataset/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/dataset/manifest.h"

namespace feedrate {
namespace {

constexpr std::size_t kHeadBytes = 512;  // a tar names itself at 257

Error failed(std::string_view operation, const std::string& path, int code) {
  return Error::storage(Error::kind_of(code), operation, path, 0, code);
}

std::unexpected<Error> interrupted() {
  return fail(ErrorKind::kCancelled, "interrupted while looking through --data; nothing was run",
              "run the same command again");
}

class FileOnDisk final : public RandomAccess {
 public:
  static Result<FileOnDisk> open(const std::string& path, const std::stop_token& stop) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(failed("open", path, errno));
    struct stat status{};
    FileOnDisk file(path, fd, stop);
    if (fstat(fd, &status) != 0) return fail(failed("stat", path, errno));
    file.size_ = static_cast<std::uint64_t>(status.st_size);
    return file;
  }
  FileOnDisk(FileOnDisk&& other) noexcept
      : path_(std::move(other.path_)),
        stop_(std::move(other.stop_)),
        fd_(std::exchange(other.fd_, -1)),
        size_(other.size_) {}
  ~FileOnDisk() override {
    if (fd_ >= 0) close(fd_);
  }
  std::uint64_t size() const override { return size_; }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (stop_.stop_requested()) return interrupted();
    while (!out.empty()) {
      const ssize_t got = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Error::storage(Error::kind_of(errno), "read", path_, offset, errno));
      if (got == 0)
        return fail(
            Error::storage(ErrorKind::kShortRead, "read", path_, offset, 0, "the file ends here"));
      out = out.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  FileOnDisk(std::string path, int fd, std::stop_token stop)
      : path_(std::move(path)), stop_(std::move(stop)), fd_(fd) {}
  std::string path_;
  std::stop_token stop_;
  int fd_;
  std::uint64_t size_ = 0;
};

// Counts of what was left out, with one example each: a folder may hold a million of them.
class Skipped {
 public:
  void add(const std::string& reason, const std::string& path) {
    auto& entry = reasons_[reason];
    if (entry.first++ == 0) entry.second = path;
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const auto& [reason, entry] : reasons_)
      lines.push_back(
          fmt::format("{}: {}, e.g. {}", reason, entry.first, quote_path(entry.second)));
    return lines;
  }

 private:
  std::map<std::string, std::pair<std::uint64_t, std::string>> reasons_;
};

struct FoundFile {
  std::string path;  // relative
  std::uint64_t bytes;
};

// Walks a tree without recursion, so that its depth costs no stack; visits each directory once.
class Walk {
 public:
  explicit Walk(std::string root) : root_(std::move(root)) {}

  Result<> run(Skipped& skipped, const std::stop_token& stop) {
    std::vector<std::string> directories{""};
    while (!directories.empty()) {
      if (stop.stop_requested()) return interrupted();
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      const auto visited = visit(directory, directories, skipped);
      if (visited) continue;
      if (directory.empty()) return visited;
      skipped.add("directories that could not be read (" + visited.error().message() + ")",
                  directory);
    }
    std::ranges::sort(files, {}, &FoundFile::path);
    return {};
  }
  std::vector<FoundFile> files;

 private:
  Result<> visit(const std::string& directory, std::vector<std::string>& directories,
                 Skipped& skipped) {
    const std::string full = directory.empty() ? root_ : root_ + "/" + directory;
    struct Closer {
      void operator()(DIR* handle) const { closedir(handle); }
    };
    const std::unique_ptr<DIR, Closer> handle(opendir(full.c_str()));
    if (!handle) return fail(failed("list", full, errno));
    const int fd = dirfd(handle.get());
    struct stat status{};
    if (fstat(fd, &status) != 0) return fail(failed("stat", full, errno));
    if (!seen_.insert({status.st_dev, status.st_ino}).second) {
      skipped.add("directories reached again through links", directory);
      return {};
    }
    while (const dirent* entry = readdir(handle.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (directory.empty() && name == kManifestName) continue;  // ours, and no sample
      const std::string relative = directory.empty() ? name : directory + "/" + name;
      if (name.front() == '.')
        skipped.add("hidden entries left out", relative);
      else if (fstatat(fd, name.c_str(), &status, 0) != 0)
        skipped.add(
            errno == ELOOP ? "links that lead in a circle" : "entries that could not be opened",
            relative);
      else if (S_ISDIR(status.st_mode))
        directories.push_back(relative);
      else if (!S_ISREG(status.st_mode))
        skipped.add("entries that are not regular files", relative);
      else if (status.st_size == 0)
        skipped.add("empty files left out", relative);
      else
        files.push_back({relative, static_cast<std::uint64_t>(status.st_size)});
    }
    return {};
  }

  std::string root_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

Result<const Format*> choose_format(const std::string& root, const std::vector<FoundFile>& files,
                                    const ScanOptions& options) {
  if (!options.format.empty()) {
    const auto format = find_format(options.format);
    if (!format) return fail(format.error().with_context("--format"));
    return format;
  }
  std::optional<Error> first_error;
  for (const FoundFile& found : files) {  // by the first that can be read
    std::byte head[kHeadBytes];
    auto file = FileOnDisk::open(root + "/" + found.path, options.stop);
    const std::size_t length = std::min<std::uint64_t>(kHeadBytes, file ? file->size() : 0);
    const Result<> read = file ? file->read_at(0, {head, length}) : fail(file.error());
    if (read) return &recognise_format(found.path, {head, length});
    if (read.error().kind() == ErrorKind::kCancelled) return fail(read.error());
    if (!first_error) first_error = read.error();
  }
  return fail(first_error->with_context("--data").with_hint(
      "none of the files can be read; give one that this user may read"));
}

std::string class_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  const auto parent = path.rfind('/', slash - 1);
  return path.substr(parent == std::string::npos ? 0 : parent + 1,
                     slash - (parent == std::string::npos ? 0 : parent + 1));
}

// The index of one file; whole-file formats need no look inside.
Result<std::shared_ptr<const FileIndex>> index_file(const Format& format, const std::string& path,
                                                    std::uint64_t bytes,
                                                    const std::stop_token& stop) {
  if (stop.stop_requested()) return interrupted();
  if (format.whole_file())
    return std::make_shared<const FileIndex>(FileIndex{bytes, {}, {{0, bytes}}, {}, {}});
  FEEDRATE_TRY(FileOnDisk file, FileOnDisk::open(path, stop));
  auto index = format.index(file);
  if (!index) return fail(index.error());
  return std::make_shared<const FileIndex>(std::move(*index));
}

}  // namespace

Result<std::shared_ptr<const Dataset>> open_dataset(const std::string& directory) {
  FEEDRATE_TRY(const Manifest manifest, read_manifest(directory));
  if (!manifest.complete)
    return fail(ErrorKind::kUsage,
                fmt::format("the data set in {} is not complete", quote_path(directory)),
                fmt::format("go on with 'feedrate datagen {} {}' and the same --size",
                            manifest.plan.workload, directory));
  return Dataset::from_plan(manifest.plan, directory);
}

Result<ScanOutcome> scan_dataset(const std::string& path, const ScanOptions& options) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0)
    return fail(failed("open", path, errno)
                    .with_context("--data")
                    .with_hint("give a folder or a file that exists"));
  std::string root = path;
  Skipped skipped;
  std::vector<FoundFile> files;
  if (S_ISDIR(status.st_mode)) {
    Walk walk(root);
    FEEDRATE_CHECK(walk.run(skipped, options.stop));
    files = std::move(walk.files);
  } else if (S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto slash = path.rfind('/');
    root = slash == std::string::npos ? "." : path.substr(0, slash);
    files.push_back({slash == std::string::npos ? path : path.substr(slash + 1),
                     static_cast<std::uint64_t>(status.st_size)});
  }
  const auto nothing = [&] {
    std::string why = join(skipped.lines(), "; ");
    return fail(ErrorKind::kUsage,
                fmt::format("--data: {} holds no files to read{}", quote_path(path),
                            why.empty() ? "" : " (" + why + ")"),
                "give a folder with regular, non-empty files");
  };
  if (files.empty()) return nothing();
  FEEDRATE_TRY(const Format* format, choose_format(root, files, options));

  std::vector<Dataset::ScannedFile> scanned;
  std::map<std::string, std::uint32_t> labels;
  for (const FoundFile& file : files) {
    const std::string label = class_of(file.path);
    auto index = index_file(*format, root + "/" + file.path, file.bytes, options.stop);
    if (!index && index.error().kind() == ErrorKind::kCancelled) return fail(index.error());
    if (!index) {
      skipped.add(
          fmt::format("files not readable as {} ({})", format->name(), index.error().message()),
          file.path);
      continue;
    }
    if ((*index)->sample_count() == 0) {
      skipped.add("files without samples", file.path);
      continue;
    }
    const auto [entry, added] = labels.emplace(label, static_cast<std::uint32_t>(labels.size()));
    scanned.push_back({file.path, entry->second, std::move(*index)});
  }
  if (scanned.empty()) return nothing();
  std::vector<std::string> classes(labels.size());
  for (const auto& [name, number] : labels) classes[number] = name;
  return ScanOutcome{Dataset::from_scan(*format, root, std::move(scanned), std::move(classes)),
                     skipped.lines()};
}

void drop_page_cache(const Dataset& dataset) {
  for (std::uint64_t file = 0; file < dataset.files(); ++file) {
    const int fd = open(dataset.full_path(file).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;  // reading it will say so
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
  }
}

}  // namespace feedrate

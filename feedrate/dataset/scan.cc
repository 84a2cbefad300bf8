#include "feedrate/dataset/scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "feedrate/base/text.h"
#include "feedrate/dataset/index_cache.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/dataset/walk.h"

namespace feedrate {
namespace {

constexpr std::size_t kHeadBytes = 512;  // a tar names itself at 257

Error failed(std::string_view operation, const std::string& path, int code) {
  return Error::storage(Error::kind_of(code), operation, path, 0, code);
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
        companion_(std::move(other.companion_)),
        fd_(std::exchange(other.fd_, -1)),
        size_(other.size_) {}
  ~FileOnDisk() override {
    if (fd_ >= 0) close(fd_);
  }
  std::uint64_t size() const override { return size_; }
  // Opens the file beside it, if there is one.
  void open_companion(const Format& format) {
    if (format.companion_extension().empty()) return;
    auto beside = open(companion_path(path_, format), stop_);
    if (beside) companion_ = std::make_unique<FileOnDisk>(std::move(*beside));
  }
  RandomAccess* companion() override { return companion_.get(); }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (stop_.stop_requested()) return scan_interrupted();
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
  std::unique_ptr<FileOnDisk> companion_;
  int fd_;
  std::uint64_t size_ = 0;
};

Result<std::shared_ptr<const Format>> choose_format(const std::string& root,
                                                    const std::vector<FoundFile>& files,
                                                    const ScanOptions& options) {
  const auto options_of = [&](std::string_view name) {
    return options.options_format.empty() || options.options_format == name ? options.format_options
                                                                            : FormatOptions{};
  };
  if (!options.format.empty()) {
    auto format = make_format(options.format, options_of(options.format));
    if (!format) return fail(format.error().with_context("--format"));
    return format;
  }
  std::optional<Error> first_error;
  for (const FoundFile& found : files) {  // the first file that can be read decides
    std::byte head[kHeadBytes];
    auto file = FileOnDisk::open(root + "/" + found.path, options.stop);
    const std::size_t length = std::min<std::uint64_t>(kHeadBytes, file ? file->size() : 0);
    const Result<> read = file ? file->read_at(0, {head, length}) : fail(file.error());
    if (read) {
      const std::string_view name = recognise_format(found.path, {head, length}).name();
      return make_format(name, options_of(name));
    }
    if (read.error().kind() == ErrorKind::kCancelled) return fail(read.error());
    if (!first_error) first_error = read.error();
  }
  return fail(first_error->with_context("--data").with_hint(
      "none of the files can be read; give one that this user may read"));
}

// Returns the time of the second file, since a cached index must not be older than the files that
// it was made from.
std::int64_t companion_time(const Format& format, const std::string& path) {
  struct stat status{};
  if (format.companion_extension().empty() ||
      stat(companion_path(path, format).c_str(), &status) != 0)
    return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// Returns where the cache of the data set at `root` lies.
std::string cache_path(const std::string& root, const std::string& index_directory) {
  if (index_directory.empty()) return root + "/" + std::string(kIndexName);
  char resolved[PATH_MAX];
  const std::string absolute = realpath(root.c_str(), resolved) != nullptr ? resolved : root;
  return fmt::format("{}/feedrate-index-{:016x}", index_directory,
                     std::hash<std::string>{}(absolute));
}

std::string cache_key(const Format& format, const FormatOptions& options) {
  std::string key(format.name());
  for (const auto& [name, value] : options) key += fmt::format(" {}={}", name, value);
  return key;
}

using IndexResult = Result<std::shared_ptr<const FileIndex>>;

IndexResult index_file(const Format& format, const std::string& path, const std::stop_token& stop) {
  FEEDRATE_TRY(FileOnDisk file, FileOnDisk::open(path, stop));
  file.open_companion(format);
  auto index = format.index(file);
  if (!index) return fail(index.error());
  return std::make_shared<const FileIndex>(std::move(*index));
}

// The indexes of files that must be looked into. They come from the cache, or are made by several
// threads at once, since most of the time is waiting for storage.
class Indexer {
 public:
  Indexer(const Format& format, const std::string& root, const ScanOptions& options)
      : format_(format),
        root_(root),
        options_(options),
        cached_(cache_key(format, options.format_options)),
        fresh_(cache_key(format, options.format_options)) {}

  std::vector<IndexResult> run(std::vector<FoundFile> files, std::vector<std::string>& warnings) {
    const std::string cache = cache_path(root_, options_.index_directory);
    cached_.load(cache);
    files_ = std::move(files);
    for (FoundFile& file : files_)
      file.modified_ns =
          std::max(file.modified_ns, companion_time(format_, root_ + "/" + file.path));
    results_.assign(files_.size(), std::shared_ptr<const FileIndex>());
    {
      std::vector<std::jthread> threads;
      const std::size_t wanted = std::min<std::size_t>(kThreads, files_.size());
      for (std::size_t i = 0; i < wanted; ++i) threads.emplace_back([this] { work(); });
    }
    if (changed_ && !options_.stop.stop_requested()) save(cache, warnings);
    return std::move(results_);
  }
  bool changed() const { return changed_; }  // files were looked into

 private:
  static constexpr std::size_t kThreads = 16;  // reads in flight

  void work() {
    for (std::size_t i = next_++; i < files_.size(); i = next_++) {
      if (auto known = cached_.find(files_[i])) {
        results_[i] = std::move(known);
        continue;
      }
      if (options_.stop.stop_requested())
        results_[i] = scan_interrupted();
      else
        results_[i] = index_file(format_, root_ + "/" + files_[i].path, options_.stop);
      changed_ = true;
    }
  }
  void save(const std::string& cache, std::vector<std::string>& warnings) {
    if (options_.one_file) fresh_ = cached_;  // for a folder that is read one file at a time
    for (std::size_t i = 0; i < files_.size(); ++i)
      if (results_[i]) fresh_.put(files_[i], *results_[i]);
    const Result<> saved = fresh_.save(cache);
    if (!saved)
      warnings.push_back(
          fmt::format("the index of the files could not be kept for the next run "
                      "({}); --index-dir names another place for it",
                      saved.error().message()));
  }

  const Format& format_;
  const std::string& root_;
  const ScanOptions& options_;
  IndexCache cached_, fresh_;
  std::vector<FoundFile> files_;
  std::vector<IndexResult> results_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> changed_ = false;
};

// The labels beside the samples: a directory with a file of the same path (any extension) for each
// sample, or one file for all.
class LabelSource {
 public:
  static Result<LabelSource> open(const std::string& path, const std::stop_token& stop) {
    LabelSource source;
    if (path.empty()) return source;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0)
      return fail(failed("open", path, errno)
                      .with_context("--labels")
                      .with_hint("give a folder with a label file for each sample, or one file"));
    // Labels may lie outside of the data set's directory, so their paths are absolute.
    char resolved[PATH_MAX];
    const std::string absolute = realpath(path.c_str(), resolved) != nullptr ? resolved : path;
    if (!S_ISDIR(status.st_mode)) {
      source.manifest = {absolute, static_cast<std::uint64_t>(status.st_size)};
      return source;
    }
    Skipped ignored;
    FEEDRATE_TRY(const auto files, walk_files(absolute, ignored, stop));
    for (const FoundFile& file : files)
      source.by_stem_[stem_of(file.path)] = {absolute + "/" + file.path, file.bytes};
    source.by_file_ = true;
    return source;
  }
  bool by_file() const { return by_file_; }
  Dataset::SideFile of(const std::string& path) const {
    const auto found = by_stem_.find(stem_of(path));
    return found == by_stem_.end() ? Dataset::SideFile{} : found->second;
  }
  Dataset::SideFile manifest;

 private:
  static std::string stem_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t dot = path.find('.', slash == std::string::npos ? 0 : slash + 1);
    return path.substr(0, dot);
  }
  std::unordered_map<std::string, Dataset::SideFile> by_stem_;
  bool by_file_ = false;
};

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

namespace {

// Turns the files that were found into samples.
class Scan {
 public:
  Scan(std::string root, const ScanOptions& options) : root_(std::move(root)), options_(options) {}
  Skipped skipped;

  Result<ScanOutcome> run(std::vector<FoundFile> files) {
    if (files.empty()) return nothing();
    FEEDRATE_TRY(format_, choose_format(root_, files, options_));
    FEEDRATE_TRY(const LabelSource labels, LabelSource::open(options_.labels, options_.stop));
    // A companion is read with its file, and is no sample by itself.
    if (const std::string_view beside = format_->companion_extension(); !beside.empty())
      std::erase_if(files, [&](const FoundFile& file) { return file.path.ends_with(beside); });
    if (options_.format.empty() && format_->whole_file()) leave_out_other_formats(files);
    std::vector<IndexResult> indexes;
    std::vector<std::string> warnings;
    bool index_made = false;
    if (!format_->whole_file()) {
      Indexer indexer(*format_, root_, options_);
      indexes = indexer.run(files, warnings);
      index_made = indexer.changed();
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (options_.stop.stop_requested()) return scan_interrupted();
      FEEDRATE_CHECK(
          add(files[i], indexes.empty() ? whole(files[i]) : std::move(indexes[i]), labels));
    }
    if (scanned_.empty()) return nothing();
    const auto lines = skipped.lines();
    warnings.insert(warnings.end(), lines.begin(), lines.end());
    return ScanOutcome{Dataset::from_scan(format_, root_, std::move(scanned_), labels.manifest),
                       std::move(warnings), index_made};
  }

  std::unexpected<Error> nothing() const {
    std::string why = join(skipped.lines(), "; ");
    return fail(ErrorKind::kUsage,
                fmt::format("--data: {} holds no files to read{}", quote_path(options_.path),
                            why.empty() ? "" : " (" + why + ")"),
                "give a folder with regular, non-empty files");
  }

 private:
  // No file is looked into here, so if the name of the first file is one of its format, the others'
  // names must be, too.
  void leave_out_other_formats(std::vector<FoundFile>& files) {
    const auto is_ours = [&](const FoundFile& file) {
      return recognise_format(file.path, {}).name() == format_->name();
    };
    if (format_->name() == file_format().name() || !is_ours(files.front())) return;
    std::erase_if(files, [&](const FoundFile& file) {
      if (is_ours(file)) return false;
      skipped.add("files of another format left out", file.path);
      return true;
    });
  }

  static IndexResult whole(const FoundFile& file) {
    return std::make_shared<const FileIndex>(FileIndex{file.bytes, {}, {{0, file.bytes}}, {}, {}});
  }

  Result<> add(const FoundFile& file, IndexResult index, const LabelSource& labels) {
    if (!index && index.error().kind() == ErrorKind::kCancelled) return fail(index.error());
    if (!index && index.error().kind() == ErrorKind::kUsage) return fail(index.error());
    if (!index) {
      skipped.add(
          fmt::format("files not readable as {} ({})", format_->name(), index.error().message()),
          file.path);
      return {};
    }
    if ((*index)->sample_count() == 0) {
      skipped.add("files without samples", file.path);
      return {};
    }
    Dataset::SideFile side = side_of(file, labels);
    if (labels.by_file() && side.path.empty())
      skipped.add("files without a label file, read all the same", file.path);
    scanned_.push_back({file.path, std::move(*index), std::move(side)});
    return {};
  }
  Dataset::SideFile side_of(const FoundFile& file, const LabelSource& labels) const {
    if (labels.by_file()) return labels.of(file.path);
    if (format_->companion_extension().empty()) return {};
    const std::string path = companion_path(file.path, *format_);
    struct stat status{};
    if (stat((root_ + "/" + path).c_str(), &status) != 0) return {};
    return {path, static_cast<std::uint64_t>(status.st_size)};
  }

  const std::string root_;
  const ScanOptions& options_;
  std::shared_ptr<const Format> format_;
  std::vector<Dataset::ScannedFile> scanned_;
};

}  // namespace

Result<ScanOutcome> scan_dataset(const std::string& path, const ScanOptions& given) {
  ScanOptions options = given;
  options.path = path;
  struct stat status{};
  if (stat(path.c_str(), &status) != 0)
    return fail(failed("open", path, errno)
                    .with_context("--data")
                    .with_hint("give a folder or a file that exists"));
  const auto slash = path.rfind('/');
  std::string root = path;
  options.one_file = !S_ISDIR(status.st_mode);
  if (options.one_file) root = slash == std::string::npos ? "." : path.substr(0, slash);
  Scan scan(root, options);
  std::vector<FoundFile> files;
  if (S_ISDIR(status.st_mode)) {
    FEEDRATE_TRY(files, walk_files(root, scan.skipped, options.stop));
  } else if (S_ISREG(status.st_mode) && status.st_size > 0) {
    files.push_back({slash == std::string::npos ? path : path.substr(slash + 1),
                     static_cast<std::uint64_t>(status.st_size),
                     std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
  }
  return scan.run(std::move(files));
}

}  // namespace feedrate

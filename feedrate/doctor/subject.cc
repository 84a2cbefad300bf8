#include "feedrate/doctor/subject.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/dataset/residency.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOwnFilesMax =
    5000;  // enough to judge by, and found in a fraction of a second
constexpr std::uint64_t kExampleTriesMax = 100;

bool allows(const std::string& path, int mode) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

// Returns the path itself, or the nearest one above it that exists.
std::string nearest(const std::string& asked) {
  std::error_code ignored;
  if (fs::exists(asked, ignored)) return asked;
  fs::path path = fs::absolute(asked, ignored).lexically_normal();
  while (!fs::exists(path, ignored) && path != path.parent_path()) path = path.parent_path();
  return path.string();
}

void add_file(const std::string& path, Subject& subject) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  subject.own_files.push_back(path);
  subject.bytes += static_cast<std::uint64_t>(status.st_size);
}

// Stops at kOwnFilesMax. Folders below that are closed to us are left out.
void add_folder(Subject& subject) {
  std::error_code code;
  fs::recursive_directory_iterator entry(subject.looked_at,
                                         fs::directory_options::skip_permission_denied, code);
  for (const fs::recursive_directory_iterator end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with(".")) {
      if (entry->is_directory(ignored)) entry.disable_recursion_pending();
      continue;
    }
    if (name == kManifestName) continue;
    if (subject.own_files.size() == kOwnFilesMax) {
      subject.more = true;
      return;
    }
    add_file(entry->path().string(), subject);
  }
}

}  // namespace

FileList Subject::files() const {
  if (dataset) return files_of(*dataset);
  return {own_files.size(), [this](std::uint64_t number) { return own_files[number]; }};
}

std::string Subject::example() const {
  const FileList list = files();
  for (std::uint64_t number = 0; number < std::min(list.count, kExampleTriesMax); ++number) {
    struct stat status{};
    std::string path = list.path(number);
    if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
      return path;
  }
  return {};
}

std::string Subject::describe() const {
  if (!trouble.empty()) return trouble;
  if (!exists) return fmt::format("it does not exist yet; looked at {}", quote_path(looked_at));
  const std::string amount = fmt::format("{}{}, {}", more ? "more than " : "",
                                         format_counted(file_count(), "file"), format_bytes(bytes));
  if (dataset) return fmt::format("a data set of ours: {}, {}", workload, amount);
  if (!workload.empty())
    return fmt::format("a data set of ours that is not complete: {}, {}", workload, amount);
  return has_files() ? amount : "empty";
}

Subject look_at(const std::string& directory) {
  Subject subject;
  subject.remedy = "run it as a user who may read it, or change its permissions ('ls -ld')";
  subject.asked = directory;
  subject.looked_at = nearest(directory);
  std::error_code ignored;
  struct stat status{};
  subject.exists = stat(directory.c_str(), &status) == 0;
  if (!subject.exists && errno != ENOENT)
    subject.trouble = fmt::format("it cannot be looked at: {}", std::strerror(errno));
  const bool is_folder = fs::is_directory(subject.looked_at, ignored);
  subject.writable = is_folder && allows(subject.looked_at, W_OK | X_OK);
  // A directory that is not there yet is fine: a data set can be made in it.
  if (!subject.exists) return subject;
  if (!is_folder) {
    add_file(directory, subject);
    if (!allows(directory, R_OK))
      subject.trouble = fmt::format("it cannot be read: {}", std::strerror(errno));
    return subject;
  }
  if (!allows(directory, R_OK | X_OK)) {
    subject.trouble = fmt::format("it cannot be listed: {}", std::strerror(errno));
    return subject;
  }
  const auto manifest = read_manifest(directory);
  if (manifest) subject.workload = manifest->plan.workload;
  if (!manifest && manifest.error().kind() != ErrorKind::kNotFound)
    subject.trouble = manifest.error().message(), subject.remedy = manifest.error().hint();
  // An incomplete data set is looked at as any other folder, since some of its files are missing.
  if (manifest && manifest->complete) {
    if (auto dataset = Dataset::from_plan(manifest->plan, directory)) {
      subject.dataset = std::move(*dataset);
      subject.bytes = subject.dataset->bytes();
      return subject;
    }
  }
  add_folder(subject);
  return subject;
}

}  // namespace feedrate

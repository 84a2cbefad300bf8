#include "feedrate/host/page_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/host/mounts.h"

namespace feedrate {
namespace {

// The call of <linux/mman.h> of Linux 6.5; its number is the same on every architecture but alpha.
constexpr long kCachestatCall = 451;
struct CachestatRange {
  std::uint64_t offset, length;  // length 0: to the end
};
struct Cachestat {
  std::uint64_t cache, dirty, writeback, evicted, recently_evicted;  // pages
};

constexpr std::uint64_t kMapBytes = std::uint64_t{1} << 30U;  // looked at with one mincore
constexpr std::size_t kKeptExamples = 3;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

Error failed(std::string_view operation, const std::string& path, int code) {
  return Error::storage(Error::kind_of(code), operation, path, 0, code);
}

std::uint64_t page_bytes() { return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); }

struct OpenFile {
  std::unique_ptr<Descriptor> descriptor;
  struct stat status{};
  int number() const { return descriptor->number(); }
  std::uint64_t bytes() const { return static_cast<std::uint64_t>(status.st_size); }
};

Result<OpenFile> open_file(const std::string& path) {
  OpenFile file;
  file.descriptor = std::make_unique<Descriptor>(path);
  if (file.number() < 0) return fail(failed("open", path, errno));
  if (fstat(file.number(), &file.status) != 0) return fail(failed("stat", path, errno));
  if (!S_ISREG(file.status.st_mode))
    return fail(ErrorKind::kUnsupported, fmt::format("{} is not a regular file", quote_path(path)),
                "give the files of a data set");
  return file;
}

// Applies the kernel's own rule (can_do_mincore): owners and those who may write are told the
// truth.
bool may_ask(const OpenFile& file, const std::string& path) {
  return geteuid() == file.status.st_uid || geteuid() == 0 ||
         faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

std::unexpected<Error> not_ours(const std::string& path) {
  return fail(ErrorKind::kPermission,
              fmt::format("the page cache of {} cannot be looked at: the kernel tells only those "
                          "who own the file or may write to it",
                          quote_path(path)),
              "run it as the owner of the files");
}

Result<Residency> by_cachestat(const OpenFile& file, const std::string& path) {
  CachestatRange range{0, 0};
  Cachestat counted{};
  if (syscall(kCachestatCall, file.number(), &range, &counted, 0U) != 0) {
    if (errno == EPERM && !may_ask(file, path)) return not_ours(path);
    return fail(failed("cachestat", path, errno));
  }
  Residency residency;
  residency.file_bytes = file.bytes();
  residency.resident_bytes = std::min(counted.cache * page_bytes(), file.bytes());
  residency.dirty_bytes =
      std::min((counted.dirty + counted.writeback) * page_bytes(), file.bytes());
  residency.method = ResidencyMethod::kCachestat;
  return residency;
}

Result<Residency> by_mincore(const OpenFile& file, const std::string& path) {
  if (!may_ask(file, path)) return not_ours(path);
  Residency residency;
  residency.file_bytes = file.bytes();
  residency.method = ResidencyMethod::kMincore;
  const std::uint64_t page = page_bytes();
  std::vector<unsigned char> pages;
  // The file is mapped in parts, so that a huge one takes little address space and memory.
  for (std::uint64_t offset = 0; offset < file.bytes(); offset += kMapBytes) {
    const auto length = static_cast<std::size_t>(std::min(kMapBytes, file.bytes() - offset));
    void* address =
        mmap(nullptr, length, PROT_READ, MAP_SHARED, file.number(), static_cast<off_t>(offset));
    if (address == MAP_FAILED) return fail(failed("mmap", path, errno));
    pages.assign((length + page - 1) / page, 0);
    const int code = mincore(address, length, pages.data()) == 0 ? 0 : errno;
    munmap(address, length);
    if (code != 0) return fail(failed("mincore", path, code));
    const auto resident = std::ranges::count_if(pages, [](unsigned char p) { return p & 1U; });
    residency.resident_bytes += static_cast<std::uint64_t>(resident) * page;
  }
  residency.resident_bytes = std::min(residency.resident_bytes, file.bytes());
  return residency;
}

Result<Residency> by_either(const OpenFile& file, const std::string& path) {
  auto counted = by_cachestat(file, path);
  if (counted || (counted.error().kind() == ErrorKind::kPermission && !may_ask(file, path)))
    return counted;
  return by_mincore(file, path);
}

// Returns whether a line of /proc/PID/maps is about the file: "7f0a-7f0b r--s 00000000 fe:00 1234
// /path".
bool maps_file(std::string_view line, const struct stat& status, std::string_view real_path) {
  const auto words = words_of(line);
  if (words.size() < 6 || parse_host_number(words[4]) != status.st_ino) return false;
  // On btrfs and overlay the device number here differs from that of stat, so the path counts as
  // well.
  return line.ends_with(real_path) ||
         words[3] == fmt::format("{:02x}:{:02x}", major(status.st_dev), minor(status.st_dev));
}

// Returns "process 123 (python3)", or "" when no process that may be looked at maps the file.
std::string mapped_by(const OpenFile& file, const std::string& path, const HostRoots& roots) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  const std::unique_ptr<DIR, DirectoryCloser> processes(opendir(roots.proc.c_str()));
  if (!processes || !real) return {};
  while (const dirent* entry = readdir(processes.get())) {
    if (!parse_host_number(entry->d_name)) continue;
    const std::string folder = roots.proc + "/" + entry->d_name;
    const auto maps = read_host_file(folder + "/maps");
    if (!maps) continue;
    for (const std::string_view line : lines_of(*maps))
      if (maps_file(line, file.status, real.get()))
        return fmt::format("process {} ({})", entry->d_name, read_host_word(folder + "/comm"));
  }
  return {};
}

void explain_kept(const OpenFile& file, const std::string& path, const HostRoots& roots,
                  DropOutcome& outcome) {
  const auto mount = find_mount(path, roots);
  if (mount && is_memory_file_system(mount->file_system)) {
    outcome.kept_reason = fmt::format("{} keeps its files in memory", mount->file_system);
    outcome.remedy = "measure a file system that is on storage";
  } else if (outcome.after->dirty_bytes.value_or(0) > 0) {
    outcome.kept_reason = fmt::format("{} are dirty: something writes to it",
                                      format_bytes(*outcome.after->dirty_bytes));
    outcome.remedy = "wait until the writer is done, then run it again";
  } else if (const std::string process = mapped_by(file, path, roots); !process.empty()) {
    outcome.kept_reason = fmt::format("{} has it mapped", process);
    outcome.remedy = "end that process";
  } else {
    outcome.kept_reason =
        "its pages are in use: locked, or mapped by a process that cannot be looked at from here";
    outcome.remedy =
        "end what uses the files ('fuser -v -m DIR' as root), or as root: sync; echo 1 > "
        "/proc/sys/vm/drop_caches";
  }
}

template <class T>
void first_of(std::string& text, const T& reason) {
  if (text.empty()) text = reason;
}

void add(const std::string& path, const Result<DropOutcome>& outcome, DropSummary& summary) {
  if (!outcome) {
    ++summary.files_failed;
    if (!summary.first_failure) summary.first_failure = outcome.error();
    return;
  }
  summary.file_bytes += outcome->file_bytes;
  if (!outcome->after) {
    ++summary.files_unknown;
    first_of(summary.unknown_reason, outcome->unknown_reason);
    return;
  }
  summary.method = outcome->after->method;
  summary.bytes_before += outcome->before->resident_bytes;
  summary.bytes_after += outcome->after->resident_bytes;
  if (outcome->after->resident_bytes == 0) return;
  if (++summary.files_kept <= kKeptExamples)
    summary.kept.push_back(
        {path, outcome->after->resident_bytes, outcome->kept_reason, outcome->remedy});
}

// Drops what can be dropped. With `explain`, it looks at all processes when something remains.
Result<DropOutcome> drop(const std::string& path, const HostRoots& roots, bool explain) {
  FEEDRATE_TRY(const OpenFile file, open_file(path));
  DropOutcome outcome;
  outcome.file_bytes = file.bytes();
  const auto count = [&](std::optional<Residency>& target) {
    const auto counted = by_either(file, path);
    if (counted)
      target = *counted;
    else
      outcome.unknown_reason = counted.error().message();
  };
  count(outcome.before);
  outcome.after = outcome.before;
  if (outcome.before && outcome.before->resident_bytes == 0) return outcome;
  // It is done twice, since a page that is being written back at that moment stays.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool clean = outcome.after && outcome.after->dirty_bytes == 0;
    if (!clean && fdatasync(file.number()) != 0 && errno != EINVAL && errno != EROFS)
      return fail(failed("write back", path, errno));
    const int code = posix_fadvise(file.number(), 0, 0, POSIX_FADV_DONTNEED);
    if (code != 0) return fail(failed("drop the page cache of", path, code));
    if (!outcome.before) return outcome;
    count(outcome.after);
    if (outcome.after->resident_bytes == 0) return outcome;
  }
  if (explain) explain_kept(file, path, roots, outcome);
  return outcome;
}

}  // namespace

std::string_view to_string(ResidencyMethod method) {
  return method == ResidencyMethod::kCachestat ? "cachestat" : "mincore";
}

Result<Residency> file_residency(const std::string& path) {
  FEEDRATE_TRY(const OpenFile file, open_file(path));
  return by_either(file, path);
}

Result<Residency> file_residency(const std::string& path, ResidencyMethod method) {
  FEEDRATE_TRY(const OpenFile file, open_file(path));
  return method == ResidencyMethod::kCachestat ? by_cachestat(file, path) : by_mincore(file, path);
}

double ResidencySummary::sample_share() const {
  return files == 0 ? 1 : static_cast<double>(files_looked_at) / static_cast<double>(files);
}

double ResidencySummary::resident_share() const {
  return file_bytes == 0 ? 0
                         : static_cast<double>(resident_bytes) / static_cast<double>(file_bytes);
}

ResidencySummary files_residency(const FileList& files, std::uint64_t files_max) {
  ResidencySummary summary;
  summary.files = files.count;
  summary.files_looked_at = std::min(files.count, files_max);
  for (std::uint64_t i = 0; i < summary.files_looked_at; ++i) {
    // The files are those in the middle of files_looked_at stretches, which differ by one file at
    // most.
    const std::uint64_t looked_at = summary.files_looked_at, each = files.count / looked_at;
    const std::uint64_t number = i * each + i * (files.count % looked_at) / looked_at + each / 2;
    const std::string path = files.path(number);
    if (path.empty()) continue;
    const auto counted = file_residency(path);
    if (!counted) {
      ++summary.files_unknown;
      first_of(summary.unknown_reason, counted.error().message());
      continue;
    }
    summary.file_bytes += counted->file_bytes;
    summary.resident_bytes += counted->resident_bytes;
    summary.dirty_bytes += counted->dirty_bytes.value_or(0);
    summary.method = counted->method;
  }
  return summary;
}

Result<DropOutcome> drop_file(const std::string& path, const HostRoots& roots) {
  return drop(path, roots, true);
}

DropSummary drop_files(const FileList& files, const std::stop_token& stop, const HostRoots& roots) {
  DropSummary summary;
  for (std::uint64_t number = 0; number < files.count; ++number) {
    if (stop.stop_requested()) {
      summary.stopped = true;
      break;
    }
    const std::string path = files.path(number);
    if (path.empty()) continue;
    ++summary.files;
    add(path, drop(path, roots, summary.kept.size() < kKeptExamples), summary);
  }
  return summary;
}

}  // namespace feedrate

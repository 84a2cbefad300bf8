// The part of a file that this host holds in its page cache, and dropping it. No privileges are
// needed. Any thread; all calls block.
//
// cachestat(2) counts where the kernel has it (Linux 6.5) and allows it; else mmap and mincore(2)
// do. Both answer only to those who own the file or may write to it. For others' files the kernel
// gives EPERM, or (mincore) lies, so that is an error here (kPermission), and never a number.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/host/proc_files.h"

namespace feedrate {

enum class ResidencyMethod : std::uint8_t { kCachestat, kMincore };
std::string_view to_string(ResidencyMethod method);  // "cachestat", "mincore"

struct Residency {
  std::uint64_t file_bytes = 0;
  std::uint64_t resident_bytes = 0;          // whole pages, at most file_bytes
  std::optional<std::uint64_t> dirty_bytes;  // not yet written back; mincore cannot tell
  ResidencyMethod method = ResidencyMethod::kCachestat;
};
Result<Residency> file_residency(const std::string& path);
// Uses this method only.
Result<Residency> file_residency(const std::string& path, ResidencyMethod method);

// The paths of many files, one at a time, since a data set may have millions. They are "" where
// there is none.
struct FileList {
  std::uint64_t count = 0;
  std::function<std::string(std::uint64_t number)> path;
};

inline constexpr std::uint64_t kResidencySampleFiles = 2000;
struct ResidencySummary {
  std::uint64_t files = 0;
  std::uint64_t files_looked_at = 0;  // evenly spread when fewer than files
  std::uint64_t files_unknown = 0;    // files of those that could not be counted
  std::string unknown_reason;         // of the first of them
  // The sums over the files that were counted.
  std::uint64_t file_bytes = 0, resident_bytes = 0, dirty_bytes = 0;
  std::optional<ResidencyMethod> method;  // none: nothing was counted
  double sample_share() const;            // files_looked_at / files
  double resident_share() const;          // 0 when nothing was counted
};
ResidencySummary files_residency(const FileList& files,
                                 std::uint64_t files_max = kResidencySampleFiles);

// What was in the cache before, what is there still, and why.
struct DropOutcome {
  std::uint64_t file_bytes = 0;
  // None where it cannot be counted; unknown_reason says why.
  std::optional<Residency> before, after;
  std::string unknown_reason;
  std::string kept_reason, remedy;  // when something remains
};
// Writes dirty pages back (only when there are any, or nobody can tell), then drops all pages of
// the file. Fails only when the file cannot be opened or written back.
Result<DropOutcome> drop_file(const std::string& path, const HostRoots& roots = {});

struct DropSummary {
  std::uint64_t files = 0, file_bytes = 0;
  std::uint64_t files_unknown = 0;  // asked for, but nobody can tell whether it happened
  std::string unknown_reason;
  std::uint64_t files_failed = 0;  // not there, or not ours to open
  std::optional<Error> first_failure;
  std::uint64_t bytes_before = 0, bytes_after = 0;  // in the page cache
  std::optional<ResidencyMethod> method;
  struct Kept {
    std::string path;
    std::uint64_t bytes = 0;
    std::string reason, remedy;
  };
  std::uint64_t files_kept = 0;
  std::vector<Kept> kept;  // the first few of them
  bool stopped = false;    // before all files were looked at
};
DropSummary drop_files(const FileList& files, const std::stop_token& stop = {},
                       const HostRoots& roots = {});

}  // namespace feedrate

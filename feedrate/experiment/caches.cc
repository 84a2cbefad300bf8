#include "feedrate/experiment/caches.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/dataset/residency.h"
#include "feedrate/dataset/scan.h"
#include "feedrate/dataset/walk.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

constexpr double kRemainingShareMax = 0.01;

// Fails with what was left undone; at most 1 % may remain.
Result<> check(const DropSummary& dropped) {
  if (dropped.stopped)
    return fail(ErrorKind::kCancelled,
                fmt::format("interrupted after {}", format_counted(dropped.files, "file")),
                "run the same command again");
  const double share = dropped.file_bytes == 0 ? 0
                                               : static_cast<double>(dropped.bytes_after) /
                                                     static_cast<double>(dropped.file_bytes);
  if (share > kRemainingShareMax) {
    const DropSummary::Kept& kept = dropped.kept.front();
    return fail(ErrorKind::kEnvironment,
                fmt::format("{} of the data ({}) remain in the page cache, at most {} may; {}: {}",
                            format_percent(share), format_bytes(dropped.bytes_after),
                            format_percent(kRemainingShareMax), quote_path(kept.path), kept.reason),
                kept.remedy);
  }
  if (dropped.files_failed > 0)
    return fail(
        ErrorKind::kEnvironment,
        fmt::format("{} of {} could not be dropped: {}", dropped.files_failed,
                    format_counted(dropped.files, "file"), dropped.first_failure->message()),
        "run it as a user who may read the files");
  if (dropped.files_unknown > 0)
    return fail(
        ErrorKind::kEnvironment,
        fmt::format("the kernel was asked to drop {}, but nobody can tell whether it did: {}",
                    format_counted(dropped.files_unknown, "file"), dropped.unknown_reason),
        "run it as the owner of the files");
  return {};
}

// Returns every file below the user's folder, or the one file that was named. Their format does not
// matter.
Result<std::vector<std::string>> own_files(const std::string& path, const std::stop_token& stop) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0)
    return fail(Error::storage(Error::kind_of(errno), "open", path, 0, errno)
                    .with_context("--data")
                    .with_hint("give a folder or a file that exists"));
  if (!S_ISDIR(status.st_mode)) return std::vector<std::string>{path};
  Skipped skipped;
  FEEDRATE_TRY(const std::vector<FoundFile> found, walk_files(path, skipped, stop));
  std::vector<std::string> files;
  files.reserve(found.size());
  for (const FoundFile& file : found) files.push_back(path + "/" + file.path);
  if (files.empty())
    return fail(ErrorKind::kUsage, fmt::format("--data: {} holds no files", quote_path(path)),
                "give a folder that has some");
  return files;
}

DropResult describe(const DropSetup& setup, const DropSummary& dropped) {
  DropResult result;
  result.files = dropped.files;
  result.file_bytes = dropped.file_bytes;
  result.bytes_before = dropped.bytes_before;
  result.bytes_after = dropped.bytes_after;
  if (dropped.method) result.method = to_string(*dropped.method);
  result.files_unknown = dropped.files_unknown;
  result.files_failed = dropped.files_failed;
  result.files_kept = dropped.files_kept;
  for (const DropSummary::Kept& kept : dropped.kept)
    result.kept.push_back({kept.path, kept.bytes, kept.reason, kept.remedy});
  result.place.directory = setup.data.empty() ? setup.directory : setup.data;
  return result;
}

Result<DropSummary> drop(const DropSetup& setup, const std::stop_token& stop) {
  if (!setup.data.empty()) {
    FEEDRATE_TRY(const std::vector<std::string> files, own_files(setup.data, stop));
    return drop_files({files.size(), [&](std::uint64_t number) { return files[number]; }}, stop);
  }
  FEEDRATE_CHECK(check_directory(setup.directory,
                                 fmt::format("'feedrate drop-caches --data {}' drops your own file",
                                             quote_path(setup.directory))));
  const auto dataset = open_dataset(setup.directory);
  if (!dataset && dataset.error().kind() == ErrorKind::kNotFound)
    return fail(
        ErrorKind::kUsage, fmt::format("{} has no data set of ours", quote_path(setup.directory)),
        fmt::format("'feedrate drop-caches --data {}' drops files of your own", setup.directory));
  if (!dataset) return fail(dataset.error());
  return drop_page_cache(**dataset, stop);
}

}  // namespace

Result<Reported<DropResult>> drop_caches(const DropSetup& setup, const std::stop_token& stop) {
  FEEDRATE_TRY(const DropSummary dropped, drop(setup, stop));
  return Reported<DropResult>{describe(setup, dropped), check(dropped)};
}

}  // namespace feedrate

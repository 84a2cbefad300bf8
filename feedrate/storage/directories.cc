#include "feedrate/storage/directories.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "feedrate/base/text.h"
#include "feedrate/storage/posix/own_directories.h"

namespace feedrate {

Result<> check_directory(const std::string& path, std::string_view hint) {
  std::error_code ignored;
  std::filesystem::path place = std::filesystem::absolute(path, ignored);
  bool itself = true;
  for (; place != place.parent_path(); place = place.parent_path()) {
    const std::filesystem::file_status status = std::filesystem::status(place, ignored);
    if (status.type() == std::filesystem::file_type::directory) return {};
    const bool is_file = status.type() == std::filesystem::file_type::regular;
    if (std::filesystem::exists(status))
      return fail(
          ErrorKind::kUsage,
          fmt::format("{}{}{}", itself ? "" : quote_path(path) + " cannot be there: ",
                      quote_path(itself ? path : place.string()),
                      is_file ? " is a file, and a directory is wanted" : " is no directory"),
          std::string(hint));
    itself = itself && !place.has_filename();  // The path "a/" means the same as "a".
  }
  return {};
}

Result<> check_existing(const std::string& path, std::string_view hint) {
  FEEDRATE_CHECK(check_directory(path, hint));
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return {};
  return fail(ErrorKind::kUsage, fmt::format("there is no directory {}", quote_path(path)),
              std::string(hint));
}

Result<> check_new_directory(const std::string& path, std::string_view hint) {
  FEEDRATE_CHECK(check_directory(path, hint));
  std::error_code ignored;
  std::filesystem::path place = std::filesystem::absolute(path, ignored).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  const std::filesystem::path above = place.parent_path();
  if (std::filesystem::is_directory(place, ignored) ||
      std::filesystem::is_directory(above, ignored))
    return {};
  return fail(ErrorKind::kUsage,
              fmt::format("{} is not made: there is no directory {} for it", quote_path(path),
                          quote_path(above.string())),
              "check the path, or make that directory first");
}

NewDirectories::NewDirectories(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path place = std::filesystem::absolute(path, ignored).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  for (; place != place.parent_path() && !std::filesystem::exists(place, ignored);
       place = place.parent_path())
    missing_.push_back(place.string());
}

void NewDirectories::remove_empty(std::string_view mark) const {
  if (missing_.empty()) return;
  const std::filesystem::path deepest = missing_.front();
  std::error_code unreadable;
  for (std::filesystem::directory_iterator entry(deepest, unreadable), end;
       !unreadable && entry != end; entry.increment(unreadable)) {
    const std::filesystem::path name = entry->path().filename();
    if (name != mark && name != kLockName) return;
  }
  // Another process may have made the same directory meanwhile, and work in it.
  const auto claimed = std::make_shared<OwnDirectories>()->claim(deepest.string());
  if (!claimed) return;
  if (!mark.empty()) std::filesystem::remove(deepest / mark, unreadable);
  std::filesystem::remove(deepest / kLockName, unreadable);
  for (const std::string& directory : missing_)
    if (rmdir(directory.c_str()) != 0) return;  // It was not made, or something is in it.
}

std::string existing_directory(const std::string& directory) {
  std::error_code error;
  // The path stays as the user wrote it.
  if (std::filesystem::is_directory(directory, error)) return directory;
  std::filesystem::path path = std::filesystem::absolute(directory);
  while (path.has_relative_path() && !std::filesystem::is_directory(path, error))
    path = path.parent_path();
  return path.string();
}

}  // namespace feedrate

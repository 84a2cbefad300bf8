// Checks of paths that must be directories, or may become one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

// Fails with kUsage where the path exists and is no directory, or the nearest path above it that
// exists is none. `hint` says what to name instead.
Result<> check_directory(const std::string& path, std::string_view hint);
// Fails with kUsage where there is no directory of this name.
Result<> check_existing(const std::string& path, std::string_view hint);
// Checks the same as check_directory(), and fails with kUsage where the directory above it does not
// exist, too: a slip of the finger in a path must not fill a disk somewhere else.
Result<> check_new_directory(const std::string& path, std::string_view hint);

// Returns the directory, or the nearest above it that exists, which is on the same file system.
std::string existing_directory(const std::string& directory);

// Remembers which directories of a path do not exist yet, so that a run that is refused can remove
// those that it made and left empty.
class NewDirectories {
 public:
  explicit NewDirectories(const std::string& path);
  // `mark` names a file that says whose the directory is. It is removed as well where it is the
  // only file, and so is the lock, unless another process has it.
  void remove_empty(std::string_view mark = {}) const;

 private:
  std::vector<std::string> missing_;  // The deepest comes first.
};

}  // namespace feedrate

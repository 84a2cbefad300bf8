// Paths that must be directories, or may become one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

// kUsage where the path, or what is nearest above it, is there and no directory. `hint`: what to
// name instead.
Result<> check_directory(const std::string& path, std::string_view hint);
// The same, and kUsage where the directory above it is not there: a slip of the finger in a path
// must not fill a disk somewhere else.
Result<> check_new_directory(const std::string& path, std::string_view hint);

// The directories of a path that are not there yet: a run that is refused takes back those that it
// made and left empty.
class NewDirectories {
 public:
  explicit NewDirectories(const std::string& path);
  // `mark`: a file that says whose the directory is; where it is all there is, it goes as well.
  void remove_empty(std::string_view mark = {}) const;

 private:
  std::vector<std::string> missing_;  // the deepest first
};

}  // namespace feedrate

// Finds the files below a directory, without recursion.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "feedrate/base/error.h"

namespace feedrate {

struct FoundFile {
  std::string path;  // relative to the root
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
};

// Counts what was left out, with one example of each kind, since a folder may hold a million of
// them.
class Skipped {
 public:
  void add(const std::string& reason, const std::string& path);
  std::vector<std::string> lines() const;

 private:
  std::map<std::string, std::pair<std::uint64_t, std::string>> reasons_;
};

// Returns all regular, non-empty files below `root`, sorted by path. Links to files and directories
// are followed, each directory once. Entries that begin with a dot are left out and counted, except
// our own (kIndexName). Returns kCancelled when stopped.
Result<std::vector<FoundFile>> walk_files(const std::string& root, Skipped& skipped,
                                          const std::stop_token& stop);

// Returns the error of a scan that was stopped.
std::unexpected<Error> scan_interrupted();

}  // namespace feedrate

// The subject of the doctor: a directory and the data in it. Private to doctor/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "feedrate/dataset/dataset.h"
#include "feedrate/host/page_cache.h"

namespace feedrate {

struct Subject {
  std::string asked;
  std::string looked_at;  // exists: it, or the nearest above it
  bool exists = false;
  bool writable = false;                   // files can be made in looked_at
  std::string trouble;                     // why it cannot be read; "" when it can
  std::string remedy;                      // the remedy for that trouble
  std::shared_ptr<const Dataset> dataset;  // one of ours that is complete, else null
  std::string workload;                    // of ours, complete or not
  std::vector<std::string> own_files;      // of any other folder: full paths, the first of them
  bool more = false;                       // there are more than own_files
  std::uint64_t bytes = 0;                 // of all of the files known

  std::uint64_t file_count() const { return dataset ? dataset->files() : own_files.size(); }
  bool has_files() const { return file_count() > 0; }
  FileList files() const;  // must not outlive the subject
  // Returns a file to try things on: the first that is not empty, or "" when there is none.
  std::string example() const;
  std::string describe() const;
};

Subject look_at(const std::string& directory);

}  // namespace feedrate

// The places of samples in the files of a user's data set, kept from one run to the next: looking
// into every file of a large data set can take longer than a run.
//
// It is one file, .feedrate-index, in the data set's directory or in a directory of the user's
// choice, where its name carries a hash of the data set's path. An entry counts only as long as its
// file's size and time of modification are the same, and so are the format and its options. A
// damaged cache is ignored and made anew. Numbers are little endian; the last eight bytes are the
// XXH3 of those before.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "feedrate/base/error.h"
#include "feedrate/dataset/walk.h"
#include "feedrate/format/format.h"

namespace feedrate {

inline constexpr std::string_view kIndexName = ".feedrate-index";

class IndexCache {
 public:
  // `key` names what the indexes depend on besides the files: the format and its options.
  explicit IndexCache(std::string key) : key_(std::move(key)) {}

  // Loads the entries at `path`; none when it cannot be read, is damaged or has another key.
  void load(const std::string& path);
  // Returns nullptr when the file is not in the cache, or has changed since.
  std::shared_ptr<const FileIndex> find(const FoundFile& file) const;
  void put(const FoundFile& file, std::shared_ptr<const FileIndex> index);
  // Writes all entries that were put or found, and replaces the file in one step.
  Result<> save(const std::string& path) const;

 private:
  struct Entry {
    std::uint64_t bytes;
    std::int64_t modified_ns;
    std::shared_ptr<const FileIndex> index;
  };
  bool parse(std::span<const std::byte> bytes);

  std::string key_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace feedrate

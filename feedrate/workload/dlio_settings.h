// A DLIO file as a flat list of paths and values, with the overrides applied and every key known.
// Inside this folder only.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/yaml_reader.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {

// The names of one key; they are "" where there are fewer.
using DlioPaths = std::array<std::string_view, 3>;

struct DlioValue {
  std::string path;              // "dataset.parquet.columns.3.dtype"
  std::string shown;             // "dataset.parquet.columns": the path up to a list
  std::string text;              // "" for nothing
  std::optional<YamlNode> node;  // where it stands; none for an override

  Scalar scalar() const;  // valid while this value is
};

class DlioSettings {
 public:
  static Result<DlioSettings> read(std::string_view yaml, std::string_view origin,
                                   std::span<const std::string> overrides);

  const DlioValue* find(std::string_view path) const;
  // Does the same, and notes that the value was used.
  const DlioValue* take(std::string_view path);
  // Takes the first of these keys that is there; the others are names that older versions of DLIO
  // had.
  const DlioValue* take_first(const DlioPaths& paths);
  // Returns the text in lower case, or "" when the key is not there.
  std::string word(std::string_view path);
  // Returns the keys that were not taken, each list once.
  std::vector<std::string> ignored() const;

 private:
  struct Entry {
    DlioValue value;
    bool taken = false;
  };
  Result<> apply(std::string_view override_word);
  void remove(std::string_view path);
  Result<> check_keys() const;

  std::vector<Entry> entries_;  // in the order of the file
};

}  // namespace feedrate

// The keys of a workload file, each with its limits, in one table per mapping: read by the parser,
// by to_yaml and by override_workload. Inside this folder only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/yaml_reader.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

// One value, from a file or from --set.
struct Scalar {
  std::string text;
  std::string path;                  // "dataset.files"
  const YamlNode* node = nullptr;    // where it stands; none for --set
  std::string_view flag = "--set ";  // what stands before the path where there is no node

  // "mine.yaml:7:3: dataset.files: MESSAGE" or "--set dataset.files=0: MESSAGE".
  std::unexpected<Error> error(std::string_view message, std::string hint) const;
};

template <class Owner>
struct Field {
  std::string_view key;
  bool required;
  Result<> (*read)(const Scalar& scalar, Owner& owner);
  std::string (*write)(const Owner& owner);  // "" when there is nothing to write
};

std::span<const Field<Workload>> identity_fields();  // name .. model_source
std::span<const Field<DatasetShape>> dataset_fields();
std::span<const Field<Workload>> loading_fields();  // framework .. au_threshold
std::span<const Field<AcceleratorTiming>> timing_fields();

std::vector<std::string> workload_keys();  // of the whole file, in the order of to_yaml

// The words that a key takes, in the order of their enum.
std::vector<std::string> label_words();
std::vector<std::string> layout_words();

template <class Owner>
void add_keys(std::span<const Field<Owner>> fields, std::vector<std::string>& keys,
              std::string_view prefix = {}) {
  for (const Field<Owner>& field : fields)
    keys.push_back(std::string(prefix) + std::string(field.key));
}

template <class Owner>
const Field<Owner>* find_field(std::span<const Field<Owner>> fields, std::string_view key) {
  for (const Field<Owner>& field : fields)
    if (field.key == key) return &field;
  return nullptr;
}

// Keys of dataset.format_options, and of timing sets.
inline constexpr std::size_t kFormatOptionsMax = 64;

// A free text: no control characters but line breaks and tabs; at most 4096 bytes.
Result<std::string> checked_text(const Scalar& scalar);
// A name: letters, digits, '-' and '_'; it starts with a letter or digit; at most 64 bytes.
Result<std::string> checked_name(const Scalar& scalar);
// The text as a YAML scalar that reads back to it.
std::string yaml_scalar(std::string_view text);

// What is wrong with values that are each within their limits.
struct Conflict {
  std::string_view key;  // of dataset
  std::string message, hint;
};
std::optional<Conflict> find_conflict(const DatasetShape& dataset);

}  // namespace feedrate

// The keys of a workload file, one row each. Files and --set are read by these rows, YAML is
// written by them, and docs/workload.schema.json and the table in docs/workloads.md are made of
// them. Inside this folder only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "feedrate/base/yaml_rows.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

// One value, from a file or from --set.
struct Scalar {
  std::string text;
  std::string path;                  // "dataset.files"
  const YamlNode* node = nullptr;    // its place in the file; none for --set
  std::string_view flag = "--set ";  // what stands before the path where there is no node

  // Returns "mine.yaml:7:3: dataset.files: MESSAGE" or "--set dataset.files=0: MESSAGE".
  std::unexpected<Error> error(std::string_view message, std::string hint) const;
};

// The limits of a key, beyond what the type of its member implies.
struct Limits {
  double minimum = 0, maximum = 0;  // of a number; of a time in seconds
  bool zero_too = false;            // 0, although it is below the minimum
  bool is_name = false;             // of a text
  bool is_fraction = false;         // of a number: "70%" is accepted as well
  std::string_view noun = {};       // the name of a word in errors
};

template <class Owner>
using Member =
    std::variant<std::string Owner::*, std::uint64_t Owner::*, std::uint32_t Owner::*,
                 double Owner::*, bool Owner::*, Duration Owner::*, Framework Owner::*,
                 AccessOrder Owner::*, LabelPlacement Owner::*, DirectoryLayout Owner::*>;

template <class Owner>
struct WorkloadField {
  std::string_view key;
  Member<Owner> member;
  Limits limits;
  std::string_view help;  // one sentence, for the schema and docs/workloads.md
  // Says what it means to leave the key out, or kNeeded. Where it is empty, that means the value
  // that the member has in a new Owner, and to_yaml() always writes the key.
  std::string_view absent = {};

  bool required() const { return absent == kNeeded; }
};

template <class Owner>
Result<> read_field(const WorkloadField<Owner>& field, const Scalar& scalar, Owner& owner);
// Returns "" when there is nothing to write.
template <class Owner>
std::string write_field(const WorkloadField<Owner>& field, const Owner& owner);

std::span<const WorkloadField<Workload>> identity_fields();  // name .. model_source
std::span<const WorkloadField<DatasetShape>> dataset_fields();
std::span<const WorkloadField<Workload>> loading_fields();  // framework .. au_threshold
std::span<const WorkloadField<AcceleratorTiming>> timing_fields();

std::vector<std::string> workload_keys();  // of the whole file, in the order of to_yaml

// Returns the words of an enum, in its order.
template <class Word>
std::span<const std::string_view> enum_words();
template <>
std::span<const std::string_view> enum_words<Framework>();
template <>
std::span<const std::string_view> enum_words<AccessOrder>();
template <>
std::span<const std::string_view> enum_words<LabelPlacement>();
template <>
std::span<const std::string_view> enum_words<DirectoryLayout>();

template <class Owner>
void add_keys(std::span<const WorkloadField<Owner>> fields, std::vector<std::string>& keys,
              std::string_view prefix = {}) {
  for (const WorkloadField<Owner>& field : fields)
    keys.push_back(std::string(prefix) + std::string(field.key));
}

template <class Owner>
const WorkloadField<Owner>* find_field(std::span<const WorkloadField<Owner>> fields,
                                       std::string_view key) {
  for (const WorkloadField<Owner>& field : fields)
    if (field.key == key) return &field;
  return nullptr;
}

inline constexpr std::size_t kTextBytesMax = 4096;
inline constexpr std::size_t kNameBytesMax = 64;
inline constexpr std::size_t kNotesMax = 64;
inline constexpr std::size_t kFormatOptionsMax = 64;  // keys of dataset.format_options
inline constexpr std::size_t kAcceleratorsMax = 64;   // of a set of step times
inline constexpr std::size_t kSetsMax = 16;

// Returns a free text: it has no control characters but line breaks and tabs, and at most
// kTextBytesMax.
Result<std::string> checked_text(const Scalar& scalar);
// Returns a name: it has letters, digits, '-' and '_', starts with a letter or digit, and has at
// most kNameBytesMax.
Result<std::string> checked_name(const Scalar& scalar);
// Returns the text as a YAML scalar that reads back to it.
std::string yaml_scalar(std::string_view text);

// Values that are each within their limits and do not fit together.
struct Conflict {
  std::string_view key;  // of dataset
  std::string message, hint;
};
std::optional<Conflict> find_conflict(const DatasetShape& dataset);

}  // namespace feedrate

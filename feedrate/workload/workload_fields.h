// The keys of a workload file, one row each. Files and --set are read by these rows, YAML is
// written by them, and docs/workload.schema.json and the table in docs/workloads.md say what
// stands here. Inside this folder only.
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
  const YamlNode* node = nullptr;    // where it stands; none for --set
  std::string_view flag = "--set ";  // what stands before the path where there is no node

  // "mine.yaml:7:3: dataset.files: MESSAGE" or "--set dataset.files=0: MESSAGE".
  std::unexpected<Error> error(std::string_view message, std::string hint) const;
};

// What a key takes, beyond what the type of its member says.
struct Limits {
  double minimum = 0, maximum = 0;  // of a number; of a time in seconds
  bool zero_too = false;            // 0, although it is below the minimum
  bool is_name = false;             // of a text
  bool is_fraction = false;         // of a number: "70%" is accepted, too
  std::string_view noun = {};       // what errors call a word
};

template <class Owner>
using Member =
    std::variant<std::string Owner::*, std::uint64_t Owner::*, std::uint32_t Owner::*,
                 double Owner::*, bool Owner::*, Duration Owner::*, Framework Owner::*,
                 AccessOrder Owner::*, LabelPlacement Owner::*, DirectoryLayout Owner::*>;

template <class Owner>
struct Field {
  std::string_view key;
  Member<Owner> member;
  Limits limits;
  std::string_view help;  // one sentence, for the schema and docs/workloads.md
  // What it means that the key is left out, or kNeeded. Without it that means the value that the
  // member has in a new Owner, and to_yaml() writes the key always.
  std::string_view absent = {};

  bool required() const { return absent == kNeeded; }
};

template <class Owner>
Result<> read_field(const Field<Owner>& field, const Scalar& scalar, Owner& owner);
// "" when there is nothing to write.
template <class Owner>
std::string write_field(const Field<Owner>& field, const Owner& owner);

std::span<const Field<Workload>> identity_fields();  // name .. model_source
std::span<const Field<DatasetShape>> dataset_fields();
std::span<const Field<Workload>> loading_fields();  // framework .. au_threshold
std::span<const Field<AcceleratorTiming>> timing_fields();

std::vector<std::string> workload_keys();  // of the whole file, in the order of to_yaml

// The words of an enum, in its order.
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

inline constexpr std::size_t kTextBytesMax = 4096;
inline constexpr std::size_t kNameBytesMax = 64;
inline constexpr std::size_t kNotesMax = 64;
inline constexpr std::size_t kFormatOptionsMax = 64;  // keys of dataset.format_options
inline constexpr std::size_t kAcceleratorsMax = 64;   // of a set of step times
inline constexpr std::size_t kSetsMax = 16;

// A free text: no control characters but line breaks and tabs; at most kTextBytesMax.
Result<std::string> checked_text(const Scalar& scalar);
// A name: letters, digits, '-' and '_'; it starts with a letter or digit; at most kNameBytesMax.
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

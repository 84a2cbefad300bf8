#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/workload/workload.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

using Entries = std::vector<std::pair<std::string, YamlNode>>;

// A mapping of the file and the path to it: "", "dataset." or "accelerators.h100.".
struct Section {
  YamlNode node;
  std::string path;
  Entries entries;

  const YamlNode* find(std::string_view key) const {
    for (const auto& [name, child] : entries)
      if (name == key) return &child;
    return nullptr;
  }
};

Result<Section> open_section(YamlNode node, std::string path, std::string_view what,
                             const std::vector<std::string>& keys) {
  FEEDRATE_CHECK(node.expect_keys(what, keys));
  FEEDRATE_TRY(Entries entries, node.entries());
  return Section{std::move(node), std::move(path), std::move(entries)};
}

Result<Scalar> scalar_of(const YamlNode& node, std::string path) {
  auto text = node.text();
  if (text) return Scalar{std::move(*text), std::move(path), &node};
  return node.error(fmt::format("{}: a single value is expected here", path),
                    "write 'key: value' in one line");
}

template <class Owner>
Result<> read_fields(const Section& section, std::span<const WorkloadField<Owner>> fields,
                     Owner& owner) {
  for (const WorkloadField<Owner>& field : fields) {
    const YamlNode* child = section.find(field.key);
    if (child == nullptr && !field.required()) continue;
    if (child == nullptr)
      return section.node.error(fmt::format("key '{}{}' is missing", section.path, field.key),
                                fmt::format("add '{}: ...'", field.key));
    FEEDRATE_TRY(const Scalar scalar, scalar_of(*child, section.path + std::string(field.key)));
    FEEDRATE_CHECK(read_field(field, scalar, owner));
  }
  return {};
}

Result<> read_format_options(const Section& section, DatasetShape& dataset) {
  const YamlNode* node = section.find("format_options");
  if (node == nullptr) return {};
  FEEDRATE_CHECK(node->expect_mapping("dataset.format_options"));
  FEEDRATE_TRY(const Entries entries, node->entries());
  if (entries.size() > kFormatOptionsMax)
    return node->error(fmt::format("dataset.format_options: too many ({}), at most {} are allowed",
                                   entries.size(), kFormatOptionsMax),
                       "remove some");
  for (const auto& [name, child] : entries) {
    const std::string path = "dataset.format_options." + name;
    FEEDRATE_TRY(const std::string key,
                 checked_name(Scalar{name, "dataset.format_options", &child}));
    FEEDRATE_TRY(const Scalar scalar, scalar_of(child, path));
    FEEDRATE_TRY(dataset.format_options[key], checked_text(scalar));
  }
  return {};
}

Result<> read_dataset(const Section& root, DatasetShape& dataset) {
  const YamlNode* node = root.find("dataset");
  if (node == nullptr)
    return root.node.error("key 'dataset' is missing",
                           "add 'dataset:' with files, format and sample_bytes_mean");
  std::vector<std::string> keys;
  add_keys(dataset_fields(), keys);
  keys.emplace_back("format_options");
  FEEDRATE_TRY(const Section section, open_section(*node, "dataset.", "dataset", keys));
  FEEDRATE_CHECK(read_fields(section, dataset_fields(), dataset));
  FEEDRATE_CHECK(read_format_options(section, dataset));
  const auto conflict = find_conflict(dataset);
  if (!conflict) return {};
  return section.find(conflict->key)
      ->error(fmt::format("dataset.{}: {}", conflict->key, conflict->message), conflict->hint);
}

constexpr std::string_view kTimingHint =
    "add one, e.g. 'h100: {batch_samples: 400, compute: 224ms}'";

// Reads the timings of one set. `path` is "accelerators" or "timings.measured".
Result<> read_set(const YamlNode& node, const std::string& path, std::string_view set,
                  std::vector<AcceleratorTiming>& timings) {
  FEEDRATE_CHECK(node.expect_mapping(path));
  FEEDRATE_TRY(const Entries entries, node.entries());
  if (entries.empty())
    return node.error(fmt::format("{}: none has a step time", path), std::string(kTimingHint));
  if (entries.size() > kAcceleratorsMax)
    return node.error(fmt::format("{}: too many ({}), at most {} are allowed", path, entries.size(),
                                  kAcceleratorsMax),
                      "remove some");
  std::vector<std::string> keys;
  add_keys(timing_fields(), keys);
  for (const auto& [name, child] : entries) {
    AcceleratorTiming timing;
    timing.set = set;
    FEEDRATE_TRY(timing.accelerator, checked_name(Scalar{name, path, &child}));
    const std::string below = fmt::format("{}.{}", path, name);
    FEEDRATE_TRY(const Section section, open_section(child, below + ".", below, keys));
    FEEDRATE_CHECK(read_fields(section, timing_fields(), timing));
    timings.push_back(std::move(timing));
  }
  return {};
}

// `accelerators:` is the user's set, and `timings:` holds the named ones.
Result<> read_timings(const Section& root, std::vector<AcceleratorTiming>& timings) {
  const YamlNode* own = root.find("accelerators");
  const YamlNode* sets = root.find("timings");
  if (own == nullptr && sets == nullptr)
    return root.node.error("key 'accelerators' is missing", std::string(kTimingHint));
  if (own != nullptr) FEEDRATE_CHECK(read_set(*own, "accelerators", kUserTiming, timings));
  if (sets == nullptr) return {};
  FEEDRATE_CHECK(sets->expect_mapping("timings"));
  FEEDRATE_TRY(const Entries entries, sets->entries());
  if (entries.empty() || entries.size() > kSetsMax)
    return sets->error(
        fmt::format("timings: {} sets, 1 to {} are allowed", entries.size(), kSetsMax),
        fmt::format("name them, e.g. '{}: {{h100: ...}}'", kMeasuredTiming));
  for (const auto& [name, child] : entries) {
    FEEDRATE_TRY(const std::string set, checked_name(Scalar{name, "timings", &child}));
    if (set == kUserTiming)
      return child.error(fmt::format("timings: '{}' is what 'accelerators:' holds", kUserTiming),
                         "put these there, or give the set another name");
    FEEDRATE_CHECK(read_set(child, "timings." + set, set, timings));
  }
  return {};
}

Result<> read_notes(const Section& root, std::vector<std::string>& notes) {
  const YamlNode* node = root.find("notes");
  if (node == nullptr) return {};
  const auto texts = node->texts();
  if (!texts) return node->error("notes: a list of texts is expected here", "write '- text' lines");
  if (texts->size() > kNotesMax)
    return node->error(
        fmt::format("notes: too many ({}), at most {} are allowed", texts->size(), kNotesMax),
        "remove some");
  for (const std::string& text : *texts) {
    FEEDRATE_TRY(std::string note, checked_text(Scalar{text, "notes", node}));
    notes.push_back(std::move(note));
  }
  return {};
}

template <class Owner>
void write_fields(std::string_view indent, std::span<const WorkloadField<Owner>> fields,
                  const Owner& owner, std::string& text) {
  for (const WorkloadField<Owner>& field : fields)
    if (const std::string value = write_field(field, owner); !value.empty())
      text += fmt::format("{}{}: {}\n", indent, field.key, value);
}

void write_timing(std::string_view indent, const AcceleratorTiming& timing, std::string& text) {
  text += fmt::format("{}{}:\n", indent, yaml_scalar(timing.accelerator));
  write_fields(std::string(indent) + "  ", timing_fields(), timing, text);
}

void write_timings(const Workload& workload, std::string& text) {
  const std::vector<std::string> sets = workload.timing_sets();
  const bool has_user = std::ranges::find(sets, kUserTiming) != sets.end();
  if (has_user) text += "accelerators:\n";
  for (const AcceleratorTiming& timing : workload.accelerators)
    if (timing.set == kUserTiming) write_timing("  ", timing, text);
  if (sets.size() > (has_user ? 1U : 0U)) text += "timings:\n";
  for (const std::string& set : sets) {
    if (set == kUserTiming) continue;
    text += fmt::format("  {}:\n", yaml_scalar(set));
    for (const AcceleratorTiming& timing : workload.accelerators)
      if (timing.set == set) write_timing("    ", timing, text);
  }
}

}  // namespace

std::vector<std::string> workload_keys() {
  std::vector<std::string> keys;
  add_keys(identity_fields(), keys);
  keys.insert(keys.end(), {"notes", "dataset"});
  add_keys(loading_fields(), keys);
  keys.insert(keys.end(), {"accelerators", "timings"});
  return keys;
}

Result<Workload> parse_workload(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(YamlNode node, YamlNode::parse(yaml, origin));
  FEEDRATE_TRY(const Section root, open_section(std::move(node), "", "workload", workload_keys()));
  Workload workload;
  FEEDRATE_CHECK(read_fields(root, identity_fields(), workload));
  FEEDRATE_CHECK(read_notes(root, workload.notes));
  FEEDRATE_CHECK(read_dataset(root, workload.dataset));
  FEEDRATE_CHECK(read_fields(root, loading_fields(), workload));
  FEEDRATE_CHECK(read_timings(root, workload.accelerators));
  return workload;
}

std::string to_yaml(const Workload& workload) {
  std::string text;
  write_fields("", identity_fields(), workload, text);
  if (!workload.notes.empty()) text += "notes:\n";
  for (const std::string& note : workload.notes) text += "  - " + yaml_scalar(note) + "\n";
  text += "dataset:\n";
  write_fields("  ", dataset_fields(), workload.dataset, text);
  if (!workload.dataset.format_options.empty()) text += "  format_options:\n";
  for (const auto& [key, value] : workload.dataset.format_options)
    text += fmt::format("    {}: {}\n", yaml_scalar(key), yaml_scalar(value));
  write_fields("", loading_fields(), workload, text);
  write_timings(workload, text);
  return text;
}

}  // namespace feedrate

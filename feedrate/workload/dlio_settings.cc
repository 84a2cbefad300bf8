#include "feedrate/workload/dlio_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/workload/dlio.h"

namespace feedrate {
namespace {

constexpr std::string_view kRoot = "workload.";

// Keys of DLIO's ConfigArguments (dlio_benchmark/utils/config.py), of its documentation, and of the
// published workload files of all versions, which have some that DLIO itself does not read. ".*"
// stands for every key below. The first group is what a workload of ours is made of.
constexpr std::string_view kKnown[] = {"model",
                                       "model.name",
                                       "framework",
                                       "dataset.format",
                                       "dataset.num_files_train",
                                       "dataset.num_samples_per_file",
                                       "dataset.record_length",
                                       "dataset.record_length_bytes",
                                       "dataset.record_length_stdev",
                                       "dataset.record_length_std",
                                       "dataset.record_length_bytes_stdev",
                                       "dataset.record_dims.*",
                                       "dataset.record_element_type",
                                       "dataset.record_element_bytes",
                                       "dataset.num_subfolders_train",
                                       "dataset.compression",
                                       "dataset.parquet.*",
                                       "reader.batch_size",
                                       "reader.read_threads",
                                       "reader.prefetch_size",
                                       "reader.file_shuffle",
                                       "reader.sample_shuffle",
                                       "reader.shuffle_size",
                                       "reader.transfer_size",
                                       "reader.odirect",
                                       "reader.data_loader",
                                       "train.epochs",
                                       "train.computation_time",
                                       "train.computation_time.*",
                                       "train.total_training_steps",
                                       "metric.au",
                                       "workflow.train",

                                       "dataset.data_folder",
                                       "dataset.keep_files",
                                       "dataset.file_prefix",
                                       "dataset.generation_buffer_size",
                                       "dataset.num_files_eval",
                                       "dataset.num_subfolders_eval",
                                       "dataset.record_length_resize",
                                       "dataset.record_length_bytes_resize",
                                       "dataset.enable_chunking",
                                       "dataset.chunk_size",
                                       "dataset.compression_level",
                                       "dataset.eval_num_samples_per_file",
                                       "dataset.daos_pool",
                                       "dataset.daos_cont",
                                       "dataset.hdf5.*",
                                       "dataset.chunk_dims.*",
                                       "dataset.max_shape.*",
                                       "dataset.num_dset_per_record",
                                       "dataset.num_dataset_per_record",
                                       "reader.data_loader_classname",
                                       "reader.data_loader_sampler",
                                       "reader.reader_classname",
                                       "reader.multiprocessing_context",
                                       "reader.dont_use_mmap",
                                       "reader.computation_threads",
                                       "reader.batch_size_eval",
                                       "reader.file_access",
                                       "reader.read_type",
                                       "reader.preprocess_time",
                                       "reader.preprocess_time.*",
                                       "reader.preprocess_time_stdev",
                                       "reader.pin_memory",
                                       "reader.transformed_record_dims.*",
                                       "reader.transformed_record_element_type",
                                       "reader.transformed_sample.*",
                                       "reader.transformed_sample_type",
                                       "reader.seed",
                                       "reader.shuffle",
                                       "reader.storage_library",
                                       "reader.data_loader_root",
                                       "reader.storage_root",
                                       "reader.storage_type",
                                       "reader.storage_options",
                                       "reader.storage_options.*",
                                       "reader.protocol",
                                       "reader.endpoint_uris.*",
                                       "reader.load_balance_strategy",
                                       "reader.checkpoint_folder",
                                       "train.computation_time_stdev",
                                       "train.seed",
                                       "train.seed_change_epoch",
                                       "train.total_eval_steps",
                                       "train.epoch",
                                       "metric.*",
                                       "workflow.*",
                                       "model.*",
                                       "storage.*",
                                       "checkpoint.*",
                                       "evaluation.*",
                                       "output.*",
                                       "profiling.*",
                                       "logging.*",
                                       "generator.*",
                                       "transformer.*",
                                       "hydra.*",
                                       "defaults.*"};

bool matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with(".*")) return pattern == path;
  return path.starts_with(pattern.substr(0, pattern.size() - 1));
}

// Returns whether it is only a section with nothing in it ("storage:").
bool is_empty_section(const DlioValue& value) {
  if (!value.text.empty()) return false;
  return std::ranges::any_of(kKnown, [&](std::string_view pattern) {
    return pattern.size() > value.path.size() && pattern.starts_with(value.path) &&
           pattern[value.path.size()] == '.';
  });
}

using Sink = std::function<void(DlioValue)>;

Result<> flatten(const YamlNode& node, const std::string& path, const std::string& shown,
                 const Sink& sink) {
  if (node.is_mapping()) {
    FEEDRATE_TRY(const auto entries, node.entries());
    const bool in_list = path != shown;
    for (const auto& [key, child] : entries) {
      const std::string below = path.empty() ? key : path + "." + key;
      FEEDRATE_CHECK(flatten(child, below, in_list ? shown : below, sink));
    }
    return {};
  }
  if (node.is_sequence()) {
    FEEDRATE_TRY(const auto items, node.items());
    for (std::size_t i = 0; i < items.size(); ++i)
      FEEDRATE_CHECK(flatten(items[i], fmt::format("{}.{}", path, i), shown, sink));
    return {};
  }
  DlioValue value{path, shown, "", node};
  if (!node.is_null()) {
    FEEDRATE_TRY(value.text, node.text());
  }
  sink(std::move(value));
  return {};
}

// Translates older names: `data_reader` is `reader`, and a whole configuration has all its keys
// below `workload`.
std::string canonical(std::string path) {
  constexpr std::string_view kOldReader = "data_reader.";
  if (path.starts_with(kRoot)) path.erase(0, kRoot.size());
  if (path.starts_with(kOldReader)) path = "reader." + path.substr(kOldReader.size());
  return path;
}

std::unexpected<Error> override_error(std::string_view word, std::string_view message) {
  return fail(ErrorKind::kUsage, fmt::format("{}: {}", quote_path(word), message),
              "write ++workload.dataset.num_files_train=500");
}

}  // namespace

bool is_dlio_override(std::string_view word) {
  while (word.starts_with('+') || word.starts_with('~')) word.remove_prefix(1);
  return word.starts_with(kRoot);
}

Scalar DlioValue::scalar() const {
  return Scalar{text, path, node ? &*node : nullptr, "++workload."};
}

Result<DlioSettings> DlioSettings::read(std::string_view yaml, std::string_view origin,
                                        std::span<const std::string> overrides) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  DlioSettings settings;
  FEEDRATE_CHECK(flatten(root, "", "", [&](DlioValue value) {
    value.path = canonical(std::move(value.path));
    value.shown = canonical(std::move(value.shown));
    settings.entries_.push_back({std::move(value), false});
  }));
  for (const std::string& word : overrides) FEEDRATE_CHECK(settings.apply(word));
  FEEDRATE_CHECK(settings.check_keys());
  return settings;
}

// In Hydra '+' adds, '++' adds or changes, and no sign changes. All of them add or change here.
Result<> DlioSettings::apply(std::string_view override_word) {
  std::string_view word = override_word;
  const bool removes = word.starts_with('~');
  while (word.starts_with('+') || word.starts_with('~')) word.remove_prefix(1);
  const std::size_t equals = word.find('=');
  const std::string path = canonical(std::string(word.substr(0, equals)));
  if (path.empty() || path.find_first_of(" \t\n{}[],") != std::string::npos)
    return override_error(override_word, "this is not the path of a key");
  // An override replaces everything below its path.
  remove(path);
  if (removes) return {};
  if (equals == std::string_view::npos) return override_error(override_word, "it has no '='");
  const std::string value(word.substr(equals + 1));
  // Hydra reads values as YAML, so a list or a mapping may stand here.
  const auto parsed = YamlNode::parse(fmt::format("value: {}", value), override_word);
  if (!parsed) return override_error(override_word, "its value cannot be read");
  FEEDRATE_TRY(const auto entries, parsed->entries());
  if (entries.size() != 1) return override_error(override_word, "it has more than one value");
  return flatten(entries.front().second, path, path, [&](DlioValue found) {
    found.node.reset();
    entries_.push_back({std::move(found), false});
  });
}

void DlioSettings::remove(std::string_view path) {
  const std::string below = std::string(path) + ".";
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.value.path == path || entry.value.path.starts_with(below);
  });
}

Result<> DlioSettings::check_keys() const {
  for (const Entry& entry : entries_) {
    const DlioValue& value = entry.value;
    const bool known = std::ranges::any_of(
        kKnown, [&](std::string_view pattern) { return matches(pattern, value.path); });
    if (known || is_empty_section(value)) continue;
    std::vector<std::string> names;
    for (const std::string_view name : kKnown)
      if (!name.ends_with('*')) names.emplace_back(name);
    const std::string message = fmt::format("unknown DLIO key{}", did_you_mean(value.shown, names));
    return value.scalar().error(message, "correct or remove it: DLIO would not read it either");
  }
  return {};
}

const DlioValue* DlioSettings::find(std::string_view path) const {
  for (const Entry& entry : entries_)
    if (entry.value.path == path) return &entry.value;
  return nullptr;
}

const DlioValue* DlioSettings::take(std::string_view path) {
  for (Entry& entry : entries_)
    if (entry.value.path == path) {
      entry.taken = true;
      return &entry.value;
    }
  return nullptr;
}

const DlioValue* DlioSettings::take_first(const DlioPaths& paths) {
  for (const std::string_view path : paths)
    if (const DlioValue* value = take(path)) return value;
  return nullptr;
}

std::string DlioSettings::word(std::string_view path) {
  const DlioValue* value = take(path);
  std::string text = value == nullptr ? "" : value->text;
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::vector<std::string> DlioSettings::ignored() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_)
    if (!entry.taken && std::ranges::find(names, entry.value.shown) == names.end())
      names.push_back(entry.value.shown);
  return names;
}

}  // namespace feedrate

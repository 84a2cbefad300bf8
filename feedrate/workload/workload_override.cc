#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/workload/workload.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

constexpr std::string_view kDatasetPrefix = "dataset.";
constexpr std::string_view kOptionsPrefix = "dataset.format_options.";
constexpr std::string_view kAcceleratorsPrefix = "accelerators.";
constexpr std::string_view kTimingsPrefix = "timings.";

std::vector<std::string> known_paths(const Workload& workload) {
  std::vector<std::string> paths;
  add_keys(identity_fields(), paths);
  add_keys(dataset_fields(), paths, kDatasetPrefix);
  for (const auto& [key, value] : workload.dataset.format_options)
    paths.push_back(std::string(kOptionsPrefix) + key);
  add_keys(loading_fields(), paths);
  for (const std::string& name : workload.accelerator_names())
    add_keys(timing_fields(), paths, fmt::format("{}{}.", kAcceleratorsPrefix, name));
  for (const AcceleratorTiming& timing : workload.accelerators)
    if (timing.set != kUserTiming)
      add_keys(timing_fields(), paths,
               fmt::format("{}{}.{}.", kTimingsPrefix, timing.set, timing.accelerator));
  return paths;
}

// Returns the path that was probably meant: a typo, or its last part alone ("files" for
// "dataset.files").
std::string spelling_hint(std::string_view key, const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (path.ends_with("." + std::string(key))) return ", did you mean '" + path + "'?";
  return did_you_mean(key, paths);
}

std::unexpected<Error> unknown_key(const Workload& workload, std::string_view key) {
  std::vector<std::string> known;
  add_keys(identity_fields(), known);
  add_keys(dataset_fields(), known, kDatasetPrefix);
  known.push_back(std::string(kOptionsPrefix) + "KEY");
  add_keys(loading_fields(), known);
  add_keys(timing_fields(), known, "accelerators.NAME.");
  add_keys(timing_fields(), known, "timings.SET.NAME.");
  return fail(
      ErrorKind::kUsage,
      fmt::format("--set: unknown key '{}'{}", key, spelling_hint(key, known_paths(workload))),
      "keys are " + join(known, ", "));
}

// Returns the timing that a change of `set` for `accelerator` starts from: itself, or for the
// user's own set the one that was in use.
AcceleratorTiming timing_to_change(const Workload& workload, const std::string& accelerator,
                                   const std::string& set) {
  AcceleratorTiming changed;
  if (set == kUserTiming) {
    const auto used = workload.timing(accelerator);
    if (used) changed = *used;
  }
  for (const AcceleratorTiming& timing : workload.accelerators)
    if (timing.accelerator == accelerator && timing.set == set) changed = timing;
  changed.accelerator = accelerator;
  changed.set = set;
  return changed;
}

// `key` is the text after the set: "h100.compute".
Result<> override_timing(Workload& workload, std::string_view key, const std::string& set,
                         const Scalar& scalar) {
  const std::size_t dot = key.find('.');
  const auto* field =
      dot == std::string_view::npos ? nullptr : find_field(timing_fields(), key.substr(dot + 1));
  if (field == nullptr) return unknown_key(workload, scalar.path);
  FEEDRATE_TRY(const std::string given,
               checked_name(Scalar{std::string(key.substr(0, dot)), scalar.path, nullptr}));
  const std::string accelerator = workload.spelled_accelerator(given);
  AcceleratorTiming changed = timing_to_change(workload, accelerator, set);
  const std::string source = changed.source;
  FEEDRATE_CHECK(read_field(*field, scalar, changed));
  // The source must say that a figure is no longer the published one.
  if (field->key != "source") {
    const std::string note = fmt::format("--set {}={}", field->key, scalar.text);
    changed.source = source.empty() ? note : source + ", changed by " + note;
  }
  auto& timings = workload.accelerators;
  const auto place = std::ranges::find_if(timings, [&](const AcceleratorTiming& timing) {
    return timing.accelerator == accelerator && timing.set == set;
  });
  if (place != timings.end()) {
    *place = std::move(changed);
    return {};
  }
  // It is put after the others of its set, and the user's set comes first: that is the order in
  // which YAML gives them back.
  auto next = set == kUserTiming ? timings.begin() : timings.end();
  for (auto timing = timings.begin(); timing != timings.end(); ++timing)
    if (timing->set == set) next = timing + 1;
  timings.insert(next, std::move(changed));
  return {};
}

// `key` is the text after "timings.": "measured.h100.compute".
Result<> override_named_timing(Workload& workload, std::string_view key, const Scalar& scalar) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return unknown_key(workload, scalar.path);
  FEEDRATE_TRY(const std::string set,
               checked_name(Scalar{std::string(key.substr(0, dot)), scalar.path, nullptr}));
  if (set == kUserTiming)
    return fail(ErrorKind::kUsage,
                fmt::format("--set {}: '{}' is what 'accelerators.' holds", scalar.path, set),
                fmt::format("write --set {}{}=...", kAcceleratorsPrefix, key.substr(dot + 1)));
  return override_timing(workload, key.substr(dot + 1), set, scalar);
}

Result<> override_format_option(DatasetShape& dataset, std::string_view key, const Scalar& scalar) {
  FEEDRATE_TRY(const std::string name,
               checked_name(Scalar{std::string(key), scalar.path, nullptr}));
  FEEDRATE_TRY(std::string value, checked_text(scalar));
  if (dataset.format_options.size() >= kFormatOptionsMax && !dataset.format_options.contains(name))
    return scalar.error(fmt::format("there are {} options already", kFormatOptionsMax),
                        "use fewer");
  dataset.format_options[name] = std::move(value);
  return {};
}

}  // namespace

Result<> override_workload(Workload& workload, std::string_view key, std::string_view value) {
  const Scalar scalar{std::string(trim(value)), std::string(key), nullptr};
  if (key.starts_with(kAcceleratorsPrefix))
    return override_timing(workload, key.substr(kAcceleratorsPrefix.size()),
                           std::string(kUserTiming), scalar);
  if (key.starts_with(kTimingsPrefix))
    return override_named_timing(workload, key.substr(kTimingsPrefix.size()), scalar);
  if (key.starts_with(kOptionsPrefix))
    return override_format_option(workload.dataset, key.substr(kOptionsPrefix.size()), scalar);
  if (key.starts_with(kDatasetPrefix)) {
    const auto* field = find_field(dataset_fields(), key.substr(kDatasetPrefix.size()));
    if (field != nullptr) return read_field(*field, scalar, workload.dataset);
  }
  for (const auto fields : {identity_fields(), loading_fields()})
    if (const auto* field = find_field(fields, key)) return read_field(*field, scalar, workload);
  return unknown_key(workload, key);
}

Result<> check_overridden(const Workload& workload) {
  if (const auto conflict = find_conflict(workload.dataset))
    return fail(ErrorKind::kUsage,
                fmt::format("--set: dataset.{}: {}", conflict->key, conflict->message),
                conflict->hint);
  return {};
}

}  // namespace feedrate

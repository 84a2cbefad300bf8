#include "feedrate/workload/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "feedrate/base/text.h"
#include "feedrate/workload/workload_fields.h"

namespace feedrate {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// Returns the rank of a set when none was asked for; the lowest is preferred.
int preference(const AcceleratorTiming& timing) {
  if (timing.set == kUserTiming) return 0;
  return timing.set == kBenchmarkTiming ? 1 : 2;
}

// Returns "accelerators.h100." or "timings.measured.h100.".
std::string path_of(const AcceleratorTiming& timing) {
  if (timing.set == kUserTiming) return fmt::format("accelerators.{}.", timing.accelerator);
  return fmt::format("timings.{}.{}.", timing.set, timing.accelerator);
}

std::unexpected<Error> unknown_accelerator(const Workload& workload, std::string_view name) {
  const std::vector<std::string> known = workload.accelerator_names();
  return fail(ErrorKind::kUsage,
              fmt::format("--accelerator: {} has no step time for '{}'{}", workload.name, name,
                          did_you_mean(name, known)),
              fmt::format("it has {}; --set accelerators.NAME.compute=... and "
                          "accelerators.NAME.batch_samples=... add one",
                          join(known, ", ")));
}

std::unexpected<Error> unknown_set(const Workload& workload, std::string_view accelerator,
                                   std::string_view set) {
  std::vector<std::string> sets;
  for (const AcceleratorTiming& timing : workload.accelerators)
    if (timing.accelerator == accelerator) sets.push_back(timing.set);
  std::vector<std::string> others;
  for (const AcceleratorTiming& timing : workload.accelerators)
    if (timing.set == set) others.push_back(timing.accelerator);
  if (others.empty())
    return fail(ErrorKind::kUsage,
                fmt::format("--timing: {} has no step times named '{}'{}", workload.name, set,
                            did_you_mean(set, workload.timing_sets())),
                fmt::format("it has {}", join(workload.timing_sets(), ", ")));
  return fail(
      ErrorKind::kUsage,
      fmt::format("--timing: {} has no '{}' step time for {}", workload.name, set, accelerator),
      fmt::format("it has {} for {}; {} has {}", join(sets, ", "), accelerator, set,
                  join(others, ", ")));
}

template <class Word>
std::string_view word_of(Word value) {
  return enum_words<Word>()[static_cast<std::size_t>(value)];
}

}  // namespace

template <>
std::span<const std::string_view> enum_words<AccessOrder>() {
  static constexpr std::string_view kWords[] = {"sequential", "random"};
  return kWords;
}

template <>
std::span<const std::string_view> enum_words<LabelPlacement>() {
  static constexpr std::string_view kWords[] = {"record", "directory", "side_file", "manifest",
                                                "none"};
  return kWords;
}

template <>
std::span<const std::string_view> enum_words<DirectoryLayout>() {
  static constexpr std::string_view kWords[] = {"flat", "subfolders", "class_folders", "hashed"};
  return kWords;
}

template <>
std::span<const std::string_view> enum_words<Framework>() {
  static constexpr std::string_view kWords[] = {"pytorch", "tensorflow"};
  return kWords;
}

std::string_view to_string(AccessOrder order) { return word_of(order); }
std::string_view to_string(LabelPlacement placement) { return word_of(placement); }
std::string_view to_string(DirectoryLayout layout) { return word_of(layout); }
std::string_view to_string(Framework framework) { return word_of(framework); }

Result<AccessOrder> parse_access_order(std::string_view text, std::string_view flag) {
  if (text == "sequential") return AccessOrder::kSequential;
  if (text == "random") return AccessOrder::kRandomSamples;
  const std::array<std::string, 2> known{"sequential", "random"};
  return fail(ErrorKind::kUsage,
              fmt::format("{}: unknown order '{}'{}", flag, text, did_you_mean(text, known)),
              "use sequential (files front to back) or random (sample by sample)");
}

Result<AcceleratorTiming> Workload::timing(std::string_view accelerator,
                                           std::string_view set) const {
  const AcceleratorTiming* best = nullptr;
  const std::string spelled = spelled_accelerator(accelerator);
  bool known = false;
  for (const AcceleratorTiming& candidate : accelerators) {
    if (candidate.accelerator != spelled) continue;
    known = true;
    if (!set.empty() && candidate.set != set) continue;
    if (best == nullptr || preference(candidate) < preference(*best)) best = &candidate;
  }
  if (!known) return unknown_accelerator(*this, accelerator);
  if (best == nullptr) return unknown_set(*this, spelled, set);
  if (best->complete()) return *best;
  const std::string missing =
      path_of(*best) + (best->batch_samples > 0 ? "compute" : "batch_samples");
  return fail(ErrorKind::kUsage, fmt::format("{} is not set", missing),
              fmt::format("add --set {}=...", missing));
}

std::vector<TimingComparison> Workload::other_timings(const AcceleratorTiming& used) const {
  std::vector<TimingComparison> others;
  for (const AcceleratorTiming& timing : accelerators)
    if (same_name(timing.accelerator, used.accelerator) && timing.set != used.set &&
        timing.complete())
      others.push_back({timing.set, timing.samples_per_second() / used.samples_per_second()});
  return others;
}

std::string Workload::spelled_accelerator(std::string_view given) const {
  const std::vector<std::string> known = accelerator_names();
  const auto like =
      std::ranges::find_if(known, [&](const std::string& each) { return same_name(each, given); });
  const bool exact = std::ranges::find(known, given) != known.end();
  return std::string(exact || like == known.end() ? given : *like);
}

std::vector<std::string> Workload::accelerator_names() const {
  std::vector<std::string> names;
  for (const AcceleratorTiming& timing : accelerators) add_once(names, timing.accelerator);
  return names;
}

std::vector<std::string> Workload::timing_sets() const {
  std::vector<std::string> sets;
  for (const AcceleratorTiming& timing : accelerators) add_once(sets, timing.set);
  return sets;
}

double Workload::demand_bytes_per_second(const AcceleratorTiming& timing, double sample_bytes) {
  return timing.samples_per_second() * sample_bytes;
}

}  // namespace feedrate

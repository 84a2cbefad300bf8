#include "feedrate/request/run_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/request/find_limits.h"
#include "feedrate/request/system_options.h"

namespace feedrate {
namespace {

// Returns an error like "--io: buffered has no effect: WHY".
std::unexpected<Error> no_effect(std::string_view flag, std::string_view value,
                                 std::string_view why, std::string_view hint) {
  return fail(ErrorKind::kUsage,
              fmt::format("{}{}{} has no effect: {}", flag, value.empty() ? "" : ": ", value, why),
              std::string(hint));
}

// Gives the defaults of the options that make a data set.
const DatasetOptions kDefaults;

}  // namespace

Result<> check_effects(const RunOptions& options, ClockKind clock, bool no_files) {
  FEEDRATE_CHECK(check_unused(
      {options.storage, clock, !no_files, options.io, options.io_engine, options.threads}));
  if (no_files && options.given("--cache"))
    return no_effect("--cache", options.cache,
                     fmt::format("storage '{}' reads no files", options.storage),
                     "leave it out, or read a data set on disk");
  if (no_files && !options.buffer_memory.empty())
    return no_effect("--buffer-memory", options.buffer_memory,
                     fmt::format("storage '{}' moves no bytes into buffers", options.storage),
                     "leave it out, or read a data set on disk");
  if (no_files && options.on_error != "stop")
    return no_effect("--on-error", options.on_error,
                     fmt::format("storage '{}' reads nothing that could fail", options.storage),
                     "leave it out, or read a data set on disk");
  if (clock == ClockKind::kVirtual && options.hold)
    return no_effect("--hold", "", "on the virtual clock keeping batches takes no time",
                     "leave it out, or use --clock=real");
  if (!options.decode_time.empty() && options.decode == "raw")
    return no_effect("--decode", options.decode,
                     fmt::format("--decode-time={} decodes", options.decode_time),
                     "leave one of the two out");
  return {};
}

Result<> check_timing_effect(const RunOptions& options) {
  if (options.timing.empty() || options.batch.empty() || options.compute_time.empty()) return {};
  return no_effect("--timing", options.timing, "--batch and --step-time say all that it would",
                   "leave out --timing, or one of the others");
}

Result<> check_search_effects(const RunOptions& options, ClientKind client,
                              const FindLimits& limits) {
  const bool faithful = client == ClientKind::kFaithful;
  if (limits.both && faithful)
    return no_effect("--client", options.client, "--both searches with both clients",
                     "leave one of the two out");
  if (limits.only_n && (faithful || !limits.at_least.empty()))
    return no_effect("--only-n", "",
                     faithful ? "the framework's number is the only one with --client=faithful"
                              : "--at-least leaves the framework's number out by itself",
                     "leave it out");
  const std::set<std::string>& asked = options.workload.asked;
  const bool all_kept = (!options.readers.empty() || asked.contains("readers")) &&
                        (!options.prefetch.empty() || asked.contains("prefetch_batches")) &&
                        (!options.transfer.empty() || asked.contains("transfer_bytes"));
  if (!limits.memory.empty() && (faithful || all_kept))
    return no_effect(
        "--memory", limits.memory,
        faithful ? "the framework's client reads as far ahead as the framework does"
                 : "--readers, --prefetch and --transfer say all that it would bound",
        faithful ? "leave it out, or use --client=native" : "leave it out, or one of the three");
  if (!options.shuffle_buffer.empty() && !faithful && (limits.only_n || !limits.at_least.empty()))
    return no_effect("--shuffle-buffer", options.shuffle_buffer,
                     "the native client's search leaves the buffer out, whose filling is no part "
                     "of the steady state",
                     "leave it out, or add --client=faithful");
  std::error_code ignored;
  if (std::filesystem::is_regular_file(options.labels, ignored))
    return no_effect(
        "--labels", quote_path(options.labels),
        "a job reads one file for all of them once, and the search is about what comes "
        "after that",
        "leave it out, or give a folder with a label file for each sample");
  for (const char* key : {"epochs", "steps_max"})
    if (std::ranges::any_of(options.workload.sets, [key](const std::string& set) {
          return set.starts_with(key) && set[std::string_view(key).size()] == '=';
        }))
      return no_effect(fmt::format("--set {}", key), "",
                       "a trial of the search lasts until it is decided",
                       "leave it out, or say how long with --budget");
  return {};
}

Result<> check_index_effect(const RunOptions& options, const Dataset& found) {
  if (options.index_directory.empty() || !found.format().whole_file()) return {};
  return no_effect("--index-dir", quote_path(options.index_directory),
                   fmt::format("each of these '{}' files is a sample, so there is no index to keep",
                               found.format().name()),
                   "leave it out");
}

Result<> check_cache_effect(const RunOptions& options, IoMode io) {
  if (io != IoMode::kDirect || !options.given("--cache")) return {};
  return no_effect("--cache", options.cache, "direct reads go around the page cache",
                   "leave it out, or add --io=buffered");
}

Result<> check_order_effects(const WorkloadOptions& options, const Workload& workload,
                             AccessOrder order) {
  if (order == AccessOrder::kSequential || workload.shuffle_buffer_samples == 0 ||
      !options.asked.contains("shuffle_buffer_samples"))
    return {};
  return no_effect("--set shuffle_buffer_samples", "",
                   "only the sequential order holds samples back, this run reads in random order",
                   "leave it out, or add --order=sequential");
}

Result<> check_dataset_effects(const DatasetOptions& make, const Dataset* there) {
  constexpr std::string_view kHint = "leave it out, or use a new directory";
  if (there == nullptr) {  // A described data set has files and samples, but no content.
    for (const auto& [flag, value, usual] :
         {std::tuple{"--compressibility", &make.compressibility, &kDefaults.compressibility},
          std::tuple{"--jobs", &make.jobs, &kDefaults.jobs}})
      if (*value != *usual)
        return no_effect(flag, *value, "a described data set is not written",
                         "leave it out, or make a data set on disk");
    return {};
  }
  if (!there->plan()) {
    for (const auto& [flag, value, usual] :
         {std::tuple{"--size", &make.size, &kDefaults.size},
          std::tuple{"--subfolders", &make.subfolders, &kDefaults.subfolders},
          std::tuple{"--compressibility", &make.compressibility, &kDefaults.compressibility},
          std::tuple{"--jobs", &make.jobs, &kDefaults.jobs}})
      if (*value != *usual)
        return no_effect(flag, *value, "--data reads what is there and makes no data set",
                         "leave it out");
    return {};
  }
  const DatasetPlan& plan = *there->plan();
  if (!make.subfolders.empty()) {
    FEEDRATE_TRY(const std::uint64_t folders,
                 parse_count(make.subfolders, "--subfolders", 0, 1'000'000));
    const std::uint64_t has = plan.layout == DirectoryLayout::kSubfolders ? plan.folders : 0;
    if (folders != has)
      return no_effect("--subfolders", make.subfolders,
                       fmt::format("{} holds a data set in {}", quote_path(there->directory()),
                                   format_counted(has, "subfolder")),
                       kHint);
  }
  FEEDRATE_TRY(const double zeros, parse_fraction(make.compressibility, "--compressibility", 0, 1));
  if (make.compressibility != kDefaults.compressibility &&
      std::abs(zeros - plan.compressibility) > 1e-9)
    return no_effect("--compressibility", make.compressibility,
                     fmt::format("{} holds a data set of {}", quote_path(there->directory()),
                                 format_percent(plan.compressibility)),
                     kHint);
  return {};
}

}  // namespace feedrate

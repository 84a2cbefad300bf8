#include "feedrate/request/data_request.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/dataset/generate.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/dataset/scan.h"
#include "feedrate/request/run_checks.h"
#include "feedrate/request/system_options.h"
#include "feedrate/storage/directories.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kDefaultBytes = std::uint64_t{4} << 30U;

ScanOptions scan_options(const RunOptions& options, const Workload& workload,
                         const DataHooks& hooks) {
  ScanOptions scan;
  scan.format = options.format;
  // The workload's options are for its own format, and not for another one that the user's files
  // turn out to have.
  scan.options_format = workload.dataset.format;
  scan.format_options = workload.dataset.format_options;
  scan.labels = options.labels;
  scan.index_directory = options.index_directory;
  scan.stop = hooks.stop;
  return scan;
}

Result<FoundDataset> scan(const RunOptions& options, const Workload& workload,
                          const DataHooks& hooks) {
  if (!options.directory.empty())
    return fail(
        ErrorKind::kUsage,
        fmt::format("both a directory ({}) and --data were given", quote_path(options.directory)),
        "give one of the two");
  FEEDRATE_TRY(ScanOutcome outcome,
               scan_dataset(options.data, scan_options(options, workload, hooks)));
  FEEDRATE_CHECK(check_index_effect(options, *outcome.dataset));
  return FoundDataset{outcome.dataset, outcome.warnings, false, outcome.index_made};
}

Result<std::shared_ptr<const Dataset>> make_dataset(const std::string& directory,
                                                    const Workload& workload,
                                                    const DatasetOptions& make,
                                                    const DataHooks& hooks,
                                                    const DatasetCheck& check) {
  FEEDRATE_TRY(DatasetPlan plan, make.resolve(workload, kDefaultBytes));
  // An interrupted data set is finished as it was begun, when no other size is asked for.
  const auto manifest = read_manifest(directory);
  if (manifest && make.size.empty() && manifest->plan.workload == workload.name)
    plan = manifest->plan;
  FEEDRATE_TRY(auto dataset, Dataset::from_plan(plan, directory));
  FEEDRATE_TRY(const std::uint64_t jobs, parse_count(make.jobs, "--jobs", 0, 1024));
  // The rest of the run is checked first, so that a mistyped word does not cost the time and the
  // space of a data set.
  if (check) FEEDRATE_CHECK(check(dataset));
  FEEDRATE_CHECK(hooks.write(*dataset, static_cast<unsigned>(jobs)));
  return dataset;
}

}  // namespace

// An existing data set is read as it is, so asking for a different one is an error and must not be
// ignored.
static Result<> check_same_dataset(const Dataset& there, const Workload& workload,
                                   const DatasetOptions& make) {
  if (make.size.empty() || there.plan()->workload != workload.name) return {};
  FEEDRATE_TRY(const DatasetPlan wanted, make.resolve(workload, kDefaultBytes));
  if (wanted.files == there.plan()->files) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--size: {} makes {} files, {} holds a data set of {} ({})", make.size,
                          wanted.files, quote_path(there.directory()), there.plan()->files,
                          format_bytes(there.bytes())),
              "leave --size out to read what is there, or use another directory");
}

// Checks the directory in which a data set is read, or may be made.
static Result<> check_place_of_data(const std::string& directory, bool made) {
  const std::string hint =
      fmt::format("name a directory; your own file is read with --data={}", quote_path(directory));
  return made ? check_new_directory(directory, hint) : check_directory(directory, hint);
}

Result<FoundDataset> find_dataset(const RunOptions& options, const Workload& workload,
                                  const DatasetOptions* make, const DataHooks& hooks,
                                  const DatasetCheck& check) {
  if (!options.data.empty()) {
    FEEDRATE_TRY(FoundDataset own, scan(options, workload, hooks));
    if (make != nullptr) FEEDRATE_CHECK(check_dataset_effects(*make, own.dataset.get()));
    return own;
  }
  const bool no_files = options.reads_no_files();
  // Only the layout of an existing data set of ours is used.
  if (no_files && !options.directory.empty()) {
    auto described = open_dataset(options.directory);
    if (!described && described.error().kind() == ErrorKind::kNotFound)
      return fail(ErrorKind::kUsage,
                  fmt::format("{} has no data set of ours", quote_path(options.directory)),
                  fmt::format("--storage={} reads no files: leave the directory out, --size "
                              "describes a data set",
                              options.storage));
    if (!described) return fail(described.error());
    if (make != nullptr) {
      FEEDRATE_CHECK(check_same_dataset(**described, workload, *make));
      FEEDRATE_CHECK(check_dataset_effects(*make, described->get()));
    }
    return FoundDataset{std::move(*described), {}, false};
  }
  // The data set is only described, at its published size unless --size says otherwise.
  if (no_files) {
    DatasetOptions described;
    if (make != nullptr) described = *make;
    FEEDRATE_CHECK(check_dataset_effects(described, nullptr));
    FEEDRATE_TRY(const DatasetPlan plan, described.resolve(workload, 0));
    FEEDRATE_TRY(auto dataset, Dataset::from_plan(plan, "(described)"));
    return FoundDataset{std::move(dataset), {}, false};
  }
  if (options.directory.empty())
    return fail(
        ErrorKind::kUsage, "no data to read: neither a directory nor --data was given",
        fmt::format("'feedrate find {} DIR' makes a data set there; --data DIR reads your own "
                    "files",
                    workload.name));
  FEEDRATE_CHECK(check_place_of_data(options.directory, make != nullptr));
  auto dataset = open_dataset(options.directory);
  const bool missing = !dataset && (dataset.error().kind() == ErrorKind::kNotFound ||
                                    dataset.error().kind() == ErrorKind::kUsage);
  const bool written = missing && make != nullptr;
  if (written) dataset = make_dataset(options.directory, workload, *make, hooks, check);
  if (missing && make == nullptr && dataset.error().kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kUsage,
                fmt::format("{} has no data set of ours", quote_path(options.directory)),
                fmt::format("make one with 'feedrate datagen {} {} --size 4GiB', or read your own "
                            "files with --data",
                            options.workload.workload, options.directory));
  if (!dataset) return fail(dataset.error());
  if (make != nullptr) FEEDRATE_CHECK(check_same_dataset(**dataset, workload, *make));
  if (make != nullptr) FEEDRATE_CHECK(check_dataset_effects(*make, dataset->get()));
  if ((*dataset)->plan()->workload != workload.name)
    return fail(
        ErrorKind::kUsage,
        fmt::format("{} holds a data set of {}, not of {}", quote_path(options.directory),
                    (*dataset)->plan()->workload, workload.name),
        fmt::format("use another directory, or --data {} to read it as it is", options.directory));
  return FoundDataset{std::move(*dataset), {}, written};
}

std::string size_for_samples(const Workload& workload, std::uint64_t samples) {
  const DatasetShape& shape = workload.dataset;
  const double each = static_cast<double>(shape.samples_per_file);
  const auto needed = static_cast<double>(samples);
  // A data set has whole files, except that one in a single file has fewer samples in it when it is
  // smaller.
  const bool part = shape.files == 1 && needed <= each;
  const double bytes = (part ? needed : std::ceil(needed / each) * each) * shape.sample_bytes_mean;
  const auto [unit, name] = bytes < 1U << 20U   ? std::pair{1U << 10U, "KiB"}
                            : bytes < 1U << 30U ? std::pair{1U << 20U, "MiB"}
                                                : std::pair{1U << 30U, "GiB"};
  const double value = bytes / unit;
  // Rounded up, so that the named size is enough.
  return fmt::format("{}{}", value < 10 ? std::ceil(value * 10) / 10 : std::ceil(value), name);
}

}  // namespace feedrate

#include "feedrate/cli/find_dataset.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/stuck_reporter.h"
#include "feedrate/dataset/generate.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/dataset/scan.h"
#include "feedrate/request/directories.h"
#include "feedrate/request/run_checks.h"
#include "feedrate/request/system_options.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kDefaultBytes = std::uint64_t{4} << 30U;

std::string generate_line(const GenerateProgress& progress, double seconds) {
  const std::uint64_t total = progress.bytes_total;
  const std::uint64_t done = progress.bytes_written;
  if (total == 0 || seconds <= 0) return {};
  const double rate = static_cast<double>(done) / seconds;
  const double left = rate > 0 ? static_cast<double>(total - std::min(done, total)) / rate : 0;
  return fmt::format("writing the data set: {} of {}, {}, {} left", format_bytes(done),
                     format_bytes(total), format_rate(rate), format_duration(from_seconds(left)));
}

ScanOptions scan_options(const RunOptions& options, const Workload& workload,
                         const CommandContext& context) {
  ScanOptions scan;
  scan.format = options.format;
  // The workload's options are for its own format, and not for another one that the user's files
  // turn out to have.
  scan.options_format = workload.dataset.format;
  scan.format_options = workload.dataset.format_options;
  scan.labels = options.labels;
  scan.index_directory = options.index_directory;
  scan.stop = context.stop;
  return scan;
}

Result<FoundDataset> scan(const RunOptions& options, const Workload& workload,
                          const CommandContext& context) {
  if (!options.directory.empty())
    return fail(
        ErrorKind::kUsage,
        fmt::format("both a directory ({}) and --data were given", quote_path(options.directory)),
        "give one of the two");
  FEEDRATE_TRY(ScanOutcome outcome,
               scan_dataset(options.data, scan_options(options, workload, context)));
  FEEDRATE_CHECK(check_index_effect(options, *outcome.dataset));
  return FoundDataset{outcome.dataset, outcome.warnings, false, outcome.index_made};
}

Result<std::shared_ptr<const Dataset>> make_dataset(const std::string& directory,
                                                    const Workload& workload,
                                                    const DatasetOptions& make,
                                                    const CommandContext& context,
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
  std::error_code ignored;
  if (!context.quiet && !std::filesystem::exists(directory, ignored))
    std::fprintf(stderr, "%s is not there: it is made, with a data set of %s (--size: another)\n",
                 quote_path(directory).c_str(), format_bytes(dataset->bytes()).c_str());
  GenerateProgress progress;
  FEEDRATE_CHECK(generate_with_progress(*dataset, static_cast<unsigned>(jobs), context, progress));
  return dataset;
}

}  // namespace

Result<GenerateSummary> generate_with_progress(const Dataset& dataset, unsigned jobs,
                                               const CommandContext& context,
                                               GenerateProgress& progress) {
  // Checked before anything is printed about preparing it.
  FEEDRATE_CHECK(check_takes_dataset(dataset));
  FEEDRATE_TRY(const auto group,
               ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, available_cores()));
  const StuckReporter stuck(*group);
  // Writes are direct where that works, because the page cache would fill up with a data set that
  // is to be read from storage.
  const std::string parent = existing_directory(dataset.directory());
  const IoMode mode = probe_direct_io(parent).works ? IoMode::kDirect : IoMode::kBuffered;
  const StorageFactory storage = make_storage_factory(local_files(), mode, parent, 0);
  const NewDirectories made(dataset.directory());
  if (!context.quiet)
    std::fprintf(stderr, "preparing %s for %s of %s in %s file%s\n",
                 quote_path(dataset.directory()).c_str(), format_bytes(dataset.bytes()).c_str(),
                 std::string(dataset.format().name()).c_str(),
                 format_count(static_cast<double>(dataset.files())).c_str(),
                 dataset.files() == 1 ? "" : "s");
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [begin] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  Result<GenerateSummary> summary = [&] {
    const ProgressLine line(context.quiet, [&] { return generate_line(progress, elapsed()); });
    return generate_dataset(*group, storage, dataset, {jobs, std::uint64_t{4} << 20U}, progress,
                            context.stop);
  }();
  if (!summary) {
    made.remove_empty();
    return fail(summary.error());
  }
  if (!context.quiet && summary->bytes_written == 0)
    std::fprintf(stderr, "all %s files were there already\n",
                 format_count(static_cast<double>(dataset.parts())).c_str());
  else if (!context.quiet)
    std::fprintf(stderr, "wrote %s in %s (%s); %s of %s files were there already\n",
                 format_bytes(summary->bytes_written).c_str(),
                 format_duration(summary->elapsed).c_str(),
                 format_rate(static_cast<double>(summary->bytes_written) /
                             std::max(1e-9, to_seconds(summary->elapsed)))
                     .c_str(),
                 format_count(static_cast<double>(summary->files_kept)).c_str(),
                 format_count(static_cast<double>(dataset.parts())).c_str());
  return summary;
}

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
                                  const DatasetOptions* make, const CommandContext& context,
                                  const DatasetCheck& check) {
  if (!options.data.empty()) {
    FEEDRATE_TRY(FoundDataset own, scan(options, workload, context));
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
  if (written) dataset = make_dataset(options.directory, workload, *make, context, check);
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

#include "feedrate/cli/dataset_progress.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "feedrate/base/text.h"
#include "feedrate/cli/progress.h"
#include "feedrate/cli/stuck_reporter.h"

namespace feedrate {
namespace {

std::string generate_line(const GenerateProgress& progress, double seconds) {
  const std::uint64_t total = progress.bytes_total;
  const std::uint64_t done = progress.bytes_written;
  if (total == 0 || seconds <= 0) return {};
  const double rate = static_cast<double>(done) / seconds;
  const double left = rate > 0 ? static_cast<double>(total - std::min(done, total)) / rate : 0;
  return fmt::format("writing the data set: {} of {}, {}, {} left", format_bytes(done),
                     format_bytes(total), format_rate(rate), format_duration(from_seconds(left)));
}

}  // namespace

Result<GenerateSummary> generate_with_progress(const Dataset& dataset, unsigned jobs,
                                               const CommandContext& context,
                                               GenerateProgress& progress) {
  // Checked before anything is printed about preparing it.
  FEEDRATE_CHECK(check_takes_dataset(dataset));
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
    return write_dataset(dataset, jobs, progress, watched(context, false));
  }();
  if (!summary) return fail(summary.error());
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

DataHooks writing_hooks(const CommandContext& context) {
  return {context.stop, [&context](const Dataset& dataset, unsigned jobs) -> Result<> {
            const std::string& directory = dataset.directory();
            std::error_code ignored;
            if (!context.quiet && !std::filesystem::exists(directory, ignored))
              std::fprintf(stderr,
                           "%s is not there: it is made, with a data set of %s (--size: another)\n",
                           quote_path(directory).c_str(), format_bytes(dataset.bytes()).c_str());
            GenerateProgress progress;
            FEEDRATE_CHECK(generate_with_progress(dataset, jobs, context, progress));
            return {};
          }};
}

}  // namespace feedrate

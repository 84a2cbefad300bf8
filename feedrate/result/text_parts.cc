#include "feedrate/result/text_parts.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

// Returns a text like "3.9 x more" or "1.4 x less".
std::string more_text(double ratio) {
  if (ratio > 0.995 && ratio < 1.005) return "the same";
  const double factor = ratio < 1 ? 1 / ratio : ratio;
  const char* const direction = ratio < 1 ? "less" : "more";
  return factor < 10 ? fmt::format("{:.1f} x {}", factor, direction)
                     : fmt::format("{:.0f} x {}", factor, direction);
}

}  // namespace

std::string result_row(std::string_view label, const std::string& value) {
  return fmt::format("  {:<17}{}\n", label, value);
}

std::string seconds_text(double seconds) { return format_duration(from_seconds(seconds)); }

std::string fraction_text(double fraction) {
  constexpr double kSmall = 0.01;
  return fraction < kSmall ? fmt::format("{:.2g} %", 100 * fraction) : format_percent(fraction);
}

std::string latency_text(const LatencySummary& latency) {
  return fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, max {:.1f} ms ({} of them)", latency.p50_ms,
                     latency.p99_ms, latency.max_ms,
                     format_count(static_cast<double>(latency.count)));
}

std::string warnings_text(const std::vector<std::string>& warnings,
                          const std::vector<ErrorCount>& errors) {
  std::string text;
  for (const ErrorCount& error : errors)
    text += fmt::format("  error: {} x {}: {}\n", error.count, error.kind, error.first_message);
  for (const std::string& warning : warnings) text += "  warning: " + warning + "\n";
  return text;
}

std::string invalid_text(const Envelope& report) {
  return "INVALID: " + join(report.invalid_reasons, "; ");
}

std::optional<std::string> setting_of(const Envelope& report, const std::string& key) {
  const auto found = report.effective.find(key);
  return found == report.effective.end() ? std::nullopt : std::optional(found->second);
}

std::string io_text(std::string_view io) { return fmt::format("{} I/O", io == "none" ? "no" : io); }

std::string through_text(const Place& place, std::uint64_t at_once, std::uint64_t block_bytes,
                         std::uint64_t threads) {
  return fmt::format("{} ({}), {} at once a rank in blocks of {}, {}", place.storage,
                     place.io == "none" ? io_text(place.io) : place.io, at_once,
                     format_bytes(block_bytes), format_counted(threads, "thread"));
}

std::string dataset_text(const DatasetFacts& dataset) {
  return fmt::format(
      "{} in {}", describe_dataset(dataset.format, dataset.files, dataset.samples, dataset.bytes),
      quote_path(dataset.directory));
}

std::string step_text(const JobFacts& job) {
  std::string text = fmt::format("batch {}", job.batch_samples);
  if (job.micro_batches > 1) text += fmt::format(" in {} micro-batches", job.micro_batches);
  text += fmt::format(", {} a step", seconds_text(job.compute_seconds_per_batch));
  if (job.pipeline_bubble > 0)
    text += fmt::format(" ({} of it the pipeline's bubble)", format_percent(job.pipeline_bubble));
  return text;
}

std::string timing_text(const JobFacts& job) {
  std::string text = job.timing_set + " timing";
  for (const OtherTiming& other : job.other_timings)
    text += fmt::format("; {} training reads {}", other.set, more_text(other.speed_ratio));
  return text;
}

std::string one_accelerator_text(const JobFacts& job) {
  const std::uint32_t replica = job.replica_accelerators();
  std::string name = job.accelerator;
  if (replica > 1)
    name = fmt::format("{} {} (tensor {} x pipeline {})", replica, job.accelerator,
                       job.tensor_parallel, job.pipeline_parallel);
  return fmt::format("{}: {}, {} ({})", name, step_text(job),
                     format_rate(job.replica_demand_bytes_per_second()), job.timing_source);
}

std::string describe_dataset(std::string_view format, std::uint64_t files, std::uint64_t samples,
                             std::uint64_t bytes) {
  const std::string kind = format == "file" ? "whole file" : std::string(format) + " file";
  return fmt::format("{}, {}, {}", format_counted(files, kind), format_counted(samples, "sample"),
                     format_bytes(bytes));
}

}  // namespace feedrate

#include "feedrate/workload/workload_text.h"

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

// Describes the step times of one set. One that is only partly given shows what it has.
std::string describe_set(const Workload& workload, const std::string& set) {
  std::string text = fmt::format(
      "\n  {} timing\n  accelerator  batch        step     samples/s        demand   source\n",
      set);
  for (const AcceleratorTiming& timing : workload.accelerators) {
    if (timing.set != set) continue;
    const bool complete = timing.complete();
    const double demand =
        complete ? Workload::demand_bytes_per_second(timing, workload.dataset.read_bytes_mean())
                 : 0;
    text += fmt::format("  {:<11}  {:>5}  {:>10}  {:>12}  {:>12}   {}\n", timing.accelerator,
                        timing.batch_samples > 0 ? std::to_string(timing.batch_samples) : "-",
                        timing.compute.count() > 0 ? format_duration(timing.compute) : "-",
                        complete ? fmt::format("{:.1f}", timing.samples_per_second()) : "-",
                        complete ? format_rate(demand) : "-", timing.source);
  }
  return text;
}

std::string labels_text(const DatasetShape& data) {
  std::string text(to_string(data.labels));
  if (data.classes > 1) text += fmt::format(", {} classes", data.classes);
  if (data.labels == LabelPlacement::kNone) text = "none";
  if (data.label_bytes > 0) text += fmt::format(", {:.0f} B each", data.label_bytes);
  return text;
}

std::string layout_text(const DatasetShape& data) {
  if (data.layout == DirectoryLayout::kSubfolders) return format_counted(data.folders, "subfolder");
  return std::string(to_string(data.layout));
}

std::string format_text(const DatasetShape& data) {
  std::string text = data.format;
  for (const auto& [key, value] : data.format_options) text += fmt::format(", {} {}", key, value);
  return text;
}

}  // namespace

std::string workload_text(const Workload& workload, bool changed) {
  const DatasetShape& data = workload.dataset;
  const double sample = data.sample_bytes_mean;
  std::string text = fmt::format("{}: {}\n", workload.name, workload.title);
  const auto row = [&](std::string_view label, const std::string& value) {
    text += fmt::format("  {:<17}{}\n", label, value);
  };
  row("data set", fmt::format("{} x {}, {}", format_counted(data.files, "file"),
                              format_counted(data.samples_per_file, "sample"), data.name));
  row("size",
      format_bytes(static_cast<std::uint64_t>(sample * static_cast<double>(data.samples()))));
  row("sample", fmt::format("{} on average, standard deviation {}",
                            format_bytes(static_cast<std::uint64_t>(sample)),
                            format_bytes(static_cast<std::uint64_t>(data.sample_bytes_stdev))));
  if (data.sample_bytes_read > 0)
    row("read of a sample", format_bytes(static_cast<std::uint64_t>(data.sample_bytes_read)));
  row("format", format_text(data));
  row("labels", labels_text(data));
  row("layout", layout_text(data));
  row("order", fmt::format("{}{}, as {} reads", to_string(workload.order),
                           workload.shuffle_buffer_samples > 0
                               ? fmt::format(" with a shuffle buffer of {} samples",
                                             workload.shuffle_buffer_samples)
                               : "",
                           to_string(workload.framework)));
  row("loader",
      fmt::format("{}, {} {} ahead, {}", format_counted(workload.readers, "reader"),
                  workload.prefetch_batches, workload.prefetch_batches == 1 ? "batch" : "batches",
                  format_counted(workload.epochs, "epoch")));
  if (workload.steps_max > 0)
    row("steps", fmt::format("at most {} of each accelerator", workload.steps_max));
  if (workload.model_parameters > 0)
    row("model", fmt::format("{} parameters ({})",
                             format_count(static_cast<double>(workload.model_parameters)),
                             workload.model_source));
  row("AU threshold", format_percent(workload.au_threshold));
  row("source", workload.source);
  for (const std::string& set : workload.timing_sets()) text += describe_set(workload, set);
  if (!workload.notes.empty()) text += "\n";
  for (const std::string& note : workload.notes)
    text += fmt::format("  note{}: {}\n", changed ? " of the published workload" : "", note);
  return text;
}

}  // namespace feedrate

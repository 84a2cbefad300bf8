#include "feedrate/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/units.h"
#include "feedrate/result/parts.h"
#include "feedrate/result/run_result.h"

namespace feedrate {
namespace {

std::string rate_text(const RunResult& run) {
  return fmt::format(
      "{} ({:.0f} MiB/s) consumed, {} samples/s; {} reads/s, {} of them read ahead",
      format_rate(run.bytes_per_second), run.bytes_per_second / 1048576,
      format_count(run.samples_per_second),
      format_count(run.seconds > 0 ? static_cast<double>(run.reads) / run.seconds : 0),
      format_bytes(static_cast<std::uint64_t>(run.read_ahead_bytes)));
}

std::string amplification_text(const RunResult& run) {
  std::string text = fmt::format("{} moved", format_bytes(run.bytes_moved));
  if (run.bytes_moved > run.bytes_asked && run.bytes_asked > 0)
    text += fmt::format(
        ", {:.1f} % more than asked (alignment)",
        100 * (static_cast<double>(run.bytes_moved) / static_cast<double>(run.bytes_asked) - 1));
  return text;
}

std::string cpu_text(const RunResult& run) {
  const double cpu = run.cpu_user_seconds + run.cpu_system_seconds;
  const double gigabytes = static_cast<double>(run.bytes_moved) / 1e9;
  std::string text =
      fmt::format("busiest of {} {} busy", format_counted(run.reactors, "reactor thread"),
                  format_percent(run.busiest_reactor_utilisation));
  if (gigabytes > 0) text += fmt::format(", {:.3f} CPU-s per GB", cpu / gigabytes);
  return text + fmt::format(", peak memory {}", format_bytes(run.peak_memory_bytes));
}

// CPU time of checking or decoding: what it costs a sample, and what one core could do of it.
std::string processing_text(const ByteProcessing& processing) {
  const auto samples = static_cast<double>(processing.samples);
  const Duration each = from_seconds(processing.cpu_seconds / samples);
  std::string text = fmt::format("{}, {} of CPU each", format_counted(processing.samples, "sample"),
                                 format_duration(each));
  if (processing.cpu_seconds > 0)
    text += fmt::format(" ({} a core)", format_rate(static_cast<double>(processing.bytes) /
                                                    processing.cpu_seconds));
  if (processing.decoded_bytes > 0)
    text += fmt::format(", {} of tensors", format_bytes(processing.decoded_bytes));
  return text;
}

// Where the accelerators' time went that was not compute, largest cause first.
std::string stalls_text(const StallResult& stalls) {
  const auto wall = static_cast<double>(stalls.wall_ns);
  const auto lost = static_cast<double>(stalls.wall_ns - stalls.compute_ns);
  std::vector<std::pair<double, std::string>> parts;
  double carried = 0;
  for (const StallShare& share : stalls.causes) {
    carried += static_cast<double>(share.carried_ns);
    parts.emplace_back(static_cast<double>(share.own_ns + share.carried_ns) / wall, share.cause);
  }
  std::ranges::sort(parts, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::string text = fmt::format("{} of accelerator time", format_percent(lost / wall));
  const char* separator = ": ";
  for (const auto& [share, cause] : parts) {
    if (share < 0.0005) break;
    text += fmt::format("{}{} {}", separator, cause, format_percent(share));
    separator = ", ";
  }
  if (carried / wall >= 0.0005)
    text += fmt::format("; {} of it waiting for a slower rank", format_percent(carried / wall));
  return text;
}

// The place that cost most, when it is worth a line.
std::string checkpoints_text(const RunResult& run) {
  const RunCheckpoints& all = *run.checkpoints;
  if (all.count == 0)
    return fmt::format("none: the run ended before the first (every {})", all.every);
  return fmt::format(
      "{} of {} ({}, {}, every {}), {}; training stood {} for one, {} of the time; "
      "restorable after {}",
      all.count, format_bytes(all.bytes), all.model, format_counted(all.ranks, "rank"), all.every,
      all.mode, format_duration(from_seconds(all.blocked_median_seconds)),
      format_percent(all.blocked_seconds / run.seconds),
      format_duration(from_seconds(all.restorable_median_seconds)));
}

std::string worst_place_text(const StallResult& stalls) {
  const auto lost = static_cast<double>(stalls.wall_ns - stalls.compute_ns);
  const StallPlace* worst = nullptr;
  for (const StallPlace& place : stalls.places)
    if (place.kind != "read-size" && (worst == nullptr || place.ns > worst->ns)) worst = &place;
  if (worst == nullptr || static_cast<double>(worst->ns) < 0.1 * lost) return {};
  return fmt::format("{} {}: {} of it, {}", worst->kind, quote_path(worst->name),
                     format_percent(static_cast<double>(worst->ns) / lost), worst->cause);
}

// Storage or this host's memory, and who says so.
std::string served_text(const IoLedger& io, std::uint64_t moved) {
  std::vector<std::string> shares, notes;
  if (io.storage_share)
    shares.push_back(fmt::format("{} {}", io.origin == "network" ? "the network" : "storage",
                                 format_percent(*io.storage_share)));
  if (io.page_cache_share)
    shares.push_back(
        fmt::format("this host's page cache {}", format_percent(*io.page_cache_share)));
  if (io.memory_share.value_or(0) > 0)
    shares.push_back(fmt::format("this host's memory {}", format_percent(*io.memory_share)));
  if (!io.basis.empty()) notes.push_back("by " + io.basis);
  if (io.wire_read_bytes)
    notes.push_back(fmt::format("{} moved {} for {}", io.wire, format_bytes(*io.wire_read_bytes),
                                format_bytes(moved + io.probe_bytes)));
  else if (io.origin_reason.empty() && !io.wire_unknown.empty())
    notes.push_back("device: " + io.wire_unknown);
  if (io.origin == "network") notes.emplace_back("caches in its servers are invisible to counters");
  if (!io.origin_reason.empty()) notes.push_back(io.origin_reason);
  const bool known = io.storage_share || io.memory_share;
  std::string text = known ? join(shares, ", ") : "unknown";
  if (!known && !shares.empty()) text += ", " + join(shares, ", ");
  return notes.empty() ? text : fmt::format("{} ({})", text, join(notes, "; "));
}

std::uint32_t replica_accelerators(const RunResult& run) {
  return run.tensor_parallel * run.pipeline_parallel;
}

std::string step_text(const RunResult& run) {
  std::string text = fmt::format("batch {}", run.batch_samples);
  if (run.micro_batches > 1) text += fmt::format(" in {} micro-batches", run.micro_batches);
  text += fmt::format(", {} a step", format_duration(from_seconds(run.compute_seconds_per_batch)));
  if (run.pipeline_bubble > 0)
    text += fmt::format(" ({} of it the pipeline's bubble)", format_percent(run.pipeline_bubble));
  return text;
}

std::string held_back_text(const HostTime& time) {
  std::vector<std::string> parts;
  const auto add = [&](double seconds, std::string_view by) {
    if (seconds > 0)
      parts.push_back(fmt::format("{} {}", format_duration(from_seconds(seconds)), by));
  };
  add(time.stopped_seconds, "stopped");
  add(time.quota_seconds, "by its CPU quota");
  add(time.stolen_seconds, "by the hypervisor");
  return join(parts, ", ") + ": this host did not let the client run";
}

std::string accelerator_text(const RunResult& run) {
  std::string text = fmt::format("{} {}", run.accelerators, run.accelerator);
  if (replica_accelerators(run) > 1)
    text += fmt::format(" in {} (tensor {} x pipeline {})", format_counted(run.replicas, "replica"),
                        run.tensor_parallel, run.pipeline_parallel);
  return text + fmt::format(": {}, {} each ({})", step_text(run),
                            format_rate(run.demand_bytes_per_second), run.timing_source);
}

// A verdict that may be about memory says so.
std::string place_mark(const IoLedger& io) {
  if (io.origin.empty() || io.storage_share || io.memory_share) return {};
  return " (where the bytes came from is unknown)";
}

std::string verdict(const RunResult& run) {
  if (!run.valid) return "INVALID: " + join(run.invalid_reasons, "; ") + "\n";
  const bool fed = run.sustained_utilisation >= run.au_threshold;
  return fmt::format("{} x {} {}: AU {} (threshold {}), {}{}{}\n", run.accelerators,
                     run.accelerator, fed ? "kept fed" : "STARVE",
                     format_percent(run.sustained_utilisation), format_percent(run.au_threshold),
                     format_rate(run.bytes_per_second), place_mark(run.io),
                     run.interrupted ? " (interrupted: partial result)" : "");
}

// "3.9 x faster", "1.4 x slower".
std::string speed_text(double ratio) {
  if (ratio > 0.995 && ratio < 1.005) return "the same";
  const double factor = ratio < 1 ? 1 / ratio : ratio;
  const char* const direction = ratio < 1 ? "slower" : "faster";
  return factor < 10 ? fmt::format("{:.1f} x {}", factor, direction)
                     : fmt::format("{:.0f} x {}", factor, direction);
}

}  // namespace

std::string result_row(std::string_view label, const std::string& value) {
  return fmt::format("  {:<17}{}\n", label, value);
}

std::string warnings_text(const RunResult& run) {
  std::string text;
  for (const ErrorCount& error : run.errors)
    text += fmt::format("  error: {} x {}: {}\n", error.count, error.kind, error.first_message);
  for (const std::string& warning : run.warnings) text += "  warning: " + warning + "\n";
  return text;
}

std::string setting_of(const RunResult& run, const std::string& key) {
  const auto found = run.effective.find(key);
  return found == run.effective.end() ? "?" : found->second;
}

std::string dataset_text(const RunResult& run) {
  return fmt::format("{} in {}",
                     describe_dataset(run.dataset_format, run.dataset_files, run.dataset_samples,
                                      run.dataset_bytes),
                     quote_path(run.dataset_directory));
}

// Which step time the verdict rests on, and what another would have asked of the storage.
std::string timing_text(const std::string& set, const std::vector<OtherTiming>& others) {
  std::string text = set + " timing";
  for (const OtherTiming& other : others)
    text += fmt::format("; {} is {}", other.set, speed_text(other.speed_ratio));
  return text;
}

std::string one_accelerator_text(const RunResult& run) {
  const std::uint32_t replica = replica_accelerators(run);
  std::string name = run.accelerator;
  if (replica > 1)
    name = fmt::format("{} {} (tensor {} x pipeline {})", replica, run.accelerator,
                       run.tensor_parallel, run.pipeline_parallel);
  return fmt::format("{}: {}, {} ({})", name, step_text(run),
                     format_rate(run.demand_bytes_per_second * replica), run.timing_source);
}

std::string describe_dataset(std::string_view format, std::uint64_t files, std::uint64_t samples,
                             std::uint64_t bytes) {
  const std::string kind = format == "file" ? "whole file" : std::string(format) + " file";
  return fmt::format("{}, {}, {}", format_counted(files, kind), format_counted(samples, "sample"),
                     format_bytes(bytes));
}

static std::string utilisation_text(const RunResult& run) {
  return fmt::format("AU {} over {} of {} steps in {:.1f} s (MLPerf's AU {}); first batch after {}",
                     format_percent(run.sustained_utilisation), run.steady_steps, run.steps,
                     run.seconds, format_percent(run.accelerator_utilisation),
                     format_duration(from_seconds(run.first_batch_seconds)));
}

// "1 reader", "4 readers": settings are text.
static std::string counted(const std::string& count, std::string_view noun) {
  const std::string_view ending = count == "1" ? "" : noun.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", count, noun, ending);
}

std::string render_text(const RunResult& run) {
  std::string text = fmt::format("{}: {}\n", run.workload, run.workload_title);
  text += result_row("data set", dataset_text(run));
  text += result_row("accelerators", accelerator_text(run));
  text += result_row("step time", timing_text(run.timing_set, run.other_timings));
  text += result_row(
      "client",
      fmt::format("{}, {}, window of {}, {} I/O in transfers of {}, {} clock",
                  setting_of(run, "client"), counted(setting_of(run, "readers"), "reader"),
                  counted(setting_of(run, "window_batches"), "batch"), setting_of(run, "io"),
                  setting_of(run, "transfer"), setting_of(run, "clock")));
  if (run.valid) text += result_row("utilisation", utilisation_text(run));
  text += result_row("throughput", rate_text(run));
  // Published results of MLPerf Storage v1.0 count the first step, which is the fill of the
  // workers.
  if (setting_of(run, "client") == "faithful" && run.samples_per_second_after_first > 0)
    text += result_row("samples", fmt::format("{}/s with the first step, {}/s without it",
                                              format_count(run.samples_per_second),
                                              format_count(run.samples_per_second_after_first)));
  text += result_row("bytes", amplification_text(run));
  text += result_row("open", latency_text(run.open_latency));
  text += result_row("read", latency_text(run.read_latency));
  text += result_row("in flight", fmt::format("{:.1f} of {} on average", run.in_flight_mean,
                                              format_counted(run.in_flight_limit, "read")));
  if (!run.io.basis.empty() || !run.io.wire_unknown.empty())
    text += result_row("served from", served_text(run.io, run.bytes_moved));
  if (run.stalls.wall_ns > 0) text += result_row("stalled", stalls_text(run.stalls));
  if (const std::string worst = worst_place_text(run.stalls); !worst.empty())
    text += result_row("", worst);
  if (run.host_time.seconds() > 0) text += result_row("held back", held_back_text(run.host_time));
  if (run.checkpoints) text += result_row("checkpoints", checkpoints_text(run));
  if (!run.limiter.text.empty()) text += result_row("limited by", run.limiter.text);
  if (run.processing.samples > 0)
    text += result_row(run.processing.level == "decode" ? "decoded" : "verified",
                       processing_text(run.processing));
  if (run.peak_memory_bytes > 0)
    text += result_row("this host", cpu_text(run));  // not when simulated
  text += warnings_text(run);
  return text + verdict(run);
}

}  // namespace feedrate

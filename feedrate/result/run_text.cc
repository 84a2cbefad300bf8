#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

std::string rate_text(const RunResult& run) {
  return fmt::format("{} ({:.0f} MiB/s) consumed, {} samples/s; {} reads/s, {} of them read ahead",
                     format_rate(run.bytes_per_second), run.bytes_per_second / 1048576,
                     format_count(run.samples_per_second), format_count(run.reads_per_second()),
                     format_bytes(static_cast<std::uint64_t>(run.read_ahead_bytes)));
}

std::string amplification_text(const RunResult& run) {
  std::string text = fmt::format("{} moved", format_bytes(run.bytes_moved));
  if (run.moved_over_asked() > 1)
    text +=
        fmt::format(", {:.1f} % more than asked (alignment)", 100 * (run.moved_over_asked() - 1));
  return text;
}

std::string cpu_text(const RunResult& run) {
  std::string text =
      fmt::format("busiest of {} {} busy", format_counted(run.reactors, "reactor thread"),
                  format_percent(run.busiest_reactor_utilisation));
  if (run.bytes_moved > 0)
    text += fmt::format(", {:.3f} CPU-s per GB", run.cpu_seconds_per_gigabyte());
  return text + fmt::format(", peak memory {}", format_bytes(run.peak_memory_bytes));
}

// Says how much CPU time checking or decoding takes for a sample, and how much of it one core could
// do.
std::string processing_text(const ByteProcessing& processing) {
  std::string text = fmt::format("{}, {} of CPU each", format_counted(processing.samples, "sample"),
                                 seconds_text(processing.cpu_seconds_per_sample()));
  if (processing.cpu_seconds > 0)
    text += fmt::format(" ({} a core)", format_rate(processing.bytes_per_cpu_second()));
  if (processing.decoded_bytes > 0)
    text += fmt::format(", {} of tensors", format_bytes(processing.decoded_bytes));
  return text;
}

// Says where the accelerators' time went that was not compute, with the largest cause first.
std::string stalls_text(const StallResult& stalls) {
  constexpr double kTold = 0.0005;
  std::string text = fmt::format("{} of accelerator time", format_percent(stalls.lost_fraction()));
  const char* separator = ": ";
  for (const StallFraction& each : stalls.fractions()) {
    if (each.fraction < kTold) break;
    text += fmt::format("{}{} {}", separator, each.cause, format_percent(each.fraction));
    separator = ", ";
  }
  if (stalls.carried_fraction() >= kTold)
    text += fmt::format("; {} of it waiting for a slower rank",
                        format_percent(stalls.carried_fraction()));
  return text;
}

std::string checkpoints_text(const RunResult& run) {
  const RunCheckpoints& all = *run.checkpoints;
  if (all.count == 0)
    return fmt::format("none: the run ended before the first (every {})", all.every);
  return fmt::format(
      "{} of {} ({}, {}, every {}), {}; no step for {} for one, {} of the time; restorable after "
      "{}",
      all.count, format_bytes(all.bytes), all.model, format_counted(all.ranks, "rank"), all.every,
      all.mode, seconds_text(all.blocked_median_seconds),
      format_percent(run.checkpoint_blocked_fraction()),
      seconds_text(all.restorable_median_seconds));
}

std::string worst_place_text(const StallResult& stalls) {
  const std::optional<StallPlace> worst = stalls.worst_place();
  if (!worst) return {};
  return fmt::format("{} {}: {} of it, {}", worst->kind, quote_path(worst->name),
                     format_percent(stalls.worst_place_fraction()), worst->cause);
}

// Says whether the bytes came from storage or from this host's memory, and by which evidence.
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
    notes.push_back(fmt::format(
        "{} moved {} for {}{}", io.wire, format_bytes(*io.wire_read_bytes), format_bytes(moved),
        io.probe_bytes > 0 ? fmt::format(" and {} before the run", format_bytes(io.probe_bytes))
                           : ""));
  else if (io.origin_reason.empty() && !io.wire_unknown.empty())
    notes.push_back("device: " + io.wire_unknown);
  if (io.origin == "network") notes.emplace_back("caches in its servers are invisible to counters");
  if (!io.origin_reason.empty()) notes.push_back(io.origin_reason);
  const bool known = io.storage_share || io.memory_share;
  std::string text = known ? join(shares, ", ") : "unknown";
  if (!known && !shares.empty()) text += ", " + join(shares, ", ");
  return notes.empty() ? text : fmt::format("{} ({})", text, join(notes, "; "));
}

std::string held_back_text(const HostTime& time) {
  std::vector<std::string> parts;
  const auto add = [&](double seconds, std::string_view by) {
    if (seconds > 0) parts.push_back(fmt::format("{} {}", seconds_text(seconds), by));
  };
  add(time.stopped_seconds, "stopped");
  add(time.quota_seconds, "by its CPU quota");
  add(time.stolen_seconds, "by the hypervisor");
  return join(parts, ", ") + ": this host did not let the client run";
}

std::string accelerator_text(const JobFacts& job) {
  std::string text = fmt::format("{} {}", job.accelerators, job.accelerator);
  if (job.replica_accelerators() > 1)
    text += fmt::format(" in {} (tensor {} x pipeline {})", format_counted(job.replicas, "replica"),
                        job.tensor_parallel, job.pipeline_parallel);
  return text + fmt::format(": {}, {} each ({})", step_text(job),
                            format_rate(job.demand_bytes_per_second), job.timing_source);
}

// Marks a verdict that may be about memory instead of storage.
std::string place_mark(const IoLedger& io) {
  if (io.origin.empty() || io.storage_share || io.memory_share) return {};
  return " (where the bytes came from is unknown)";
}

std::string utilisation_text(const RunResult& run) {
  return fmt::format("AU {} over {} of {} steps in {:.1f} s (MLPerf's AU {}); first batch after {}",
                     format_percent(run.sustained_utilisation), run.steady_steps, run.steps,
                     run.seconds, format_percent(run.accelerator_utilisation),
                     seconds_text(run.first_batch_seconds));
}

// Returns "1 reader" or "4 readers"; the count is a text because settings are.
std::string counted(const std::string& count, std::string_view noun) {
  const std::string_view ending = count == "1" ? "" : noun.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", count, noun, ending);
}

// Describes the client by its settings; one that the report does not have is left out.
std::string client_text(const RunResult& run) {
  std::vector<std::string> parts;
  if (const auto client = setting_of(run, "client")) parts.push_back(*client);
  if (const auto readers = setting_of(run, "readers")) parts.push_back(counted(*readers, "reader"));
  if (run.window_batches > 0)
    parts.push_back("window of " + counted(std::to_string(run.window_batches), "batch"));
  if (!run.place.io.empty()) {
    const auto transfer = setting_of(run, "transfer");
    parts.push_back(io_text(run.place.io) + (transfer ? " in transfers of " + *transfer : ""));
  }
  if (!run.place.clock.empty()) parts.push_back(run.place.clock + " clock");
  return join(parts, ", ");
}

}  // namespace

std::string verdict_of(const RunResult& run) {
  if (!run.valid) return invalid_text(run);
  if (run.interrupted && run.steady_steps == 0)
    return fmt::format(
        "{} x {} may be fed or not: too little was measured (interrupted: partial result)",
        run.job.accelerators, run.job.accelerator);
  return fmt::format("{} x {} {}: AU {} (threshold {}), {}{}{}", run.job.accelerators,
                     run.job.accelerator, run.fed() ? "fed" : "not fed",
                     format_percent(run.sustained_utilisation),
                     format_percent(run.job.au_threshold), format_rate(run.bytes_per_second),
                     place_mark(run.io), run.interrupted ? " (interrupted: partial result)" : "");
}

std::string text_of(const RunResult& run) {
  std::string text = fmt::format("{}: {}\n", run.job.workload, run.job.title);
  text += result_row("data set", dataset_text(run.dataset));
  text += result_row("accelerators", accelerator_text(run.job));
  text += result_row("step time", timing_text(run.job));
  text += result_row("client", client_text(run));
  if (run.valid) text += result_row("utilisation", utilisation_text(run));
  text += result_row("throughput", rate_text(run));
  // Published results of MLPerf Storage v1.0 count the first step, in which the workers fill their
  // first batches, so both rates are told.
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
    // A simulation does not run on this host's time.
    text += result_row("this host", cpu_text(run));
  return text + warnings_text(run.warnings, run.errors);
}

}  // namespace feedrate

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/run_result.h"

namespace feedrate {
namespace {

constexpr double kCpuBusy = 0.92;     // A thread this busy has no time left.
constexpr double kWindowBusy = 0.85;  // Readers this busy all wait for storage.
constexpr double kNetworkBusy = 0.85;
// With this share of the CPU time in the kernel, buffered reads are mostly copies.
constexpr double kCopying = 0.8;
// From this share of the time on other processes are mentioned.
constexpr double kOthersCpu = 0.05;
constexpr double kMostOfIt = 0.5;  // A share of the time that was lost.
// A read that takes less than this many times its time alone does not queue behind others.
constexpr double kQueueing = 2;

std::string ceiling_text(const RunResult& run) {
  if (run.ceiling.seconds <= 0) return {};
  return fmt::format("; at the no-storage ceiling this client does {} samples/s, {} x {}",
                     format_count(run.ceiling.samples_per_second),
                     format_count(std::floor(run.ceiling.accelerators)), run.job.accelerator);
}

// Returns the time without start-up and the first step, since the sustained utilisation leaves them
// out, too. It is the whole time of a run that had only one step.
double seconds_after_first(const RunResult& run) {
  if (run.steps < 2 || run.samples_per_second_after_first <= 0) return run.seconds;
  return static_cast<double>(run.samples) * static_cast<double>(run.steps - 1) /
         static_cast<double>(run.steps) / run.samples_per_second_after_first;
}

// Returns whether checkpoints limit the run: in the time that they leave, the accelerators compute
// long enough to count as fed.
bool checkpoints_limit(const RunResult& run) {
  if (!run.checkpoints || run.checkpoints->count == 0) return false;
  const double stood = run.checkpoints->blocked_seconds;
  return run.sustained_utilisation / std::max(1e-9, 1 - stood / seconds_after_first(run)) >=
         run.job.au_threshold;
}

// Returns the share that decoding has in the time that accelerators waited after start-up; 0 where
// they did not wait.
double decoding_share(const RunResult& run) {
  std::int64_t decoding = 0, all = 0;
  for (const StallShare& share : run.stalls.causes) {
    if (share.cause == "startup") continue;
    all += share.own_ns + share.carried_ns;
    if (share.cause == "decode") decoding += share.own_ns + share.carried_ns;
  }
  return all > 0 ? static_cast<double>(decoding) / static_cast<double>(all) : 0;
}

// Describes a run in which readers processed what they had read for most of the time that was lost.
Limiter decoding_limiter(const RunResult& run) {
  const bool checks = run.processing.level == "verify";
  const auto found = run.effective.find("readers");
  const std::uint64_t readers =
      found == run.effective.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
  const double factor = run.job.au_threshold / std::max(0.01, run.sustained_utilisation);
  const auto enough = static_cast<std::uint64_t>(std::ceil(factor * static_cast<double>(readers)));
  const std::string who = run.job.replicas < run.job.accelerators ? "a replica" : "an accelerator";
  return {"decode",
          fmt::format("{}: {} of the time that was lost after start-up went into it, {} moved in "
                      "reads of {:.2f} ms each; {}",
                      checks ? "checking" : "decoding", format_percent(decoding_share(run)),
                      format_rate(run.read_bytes_per_second), run.read_latency.mean_ms,
                      readers == 0
                          ? "the training process does it by itself, --readers=1 or more do it "
                            "while it computes"
                          : fmt::format("about {} {} would do, where there are cores for them "
                                        "(--readers={})",
                                        format_counted(enough, "reader"), who, enough))};
}

// Computes the readers that would be enough by Little's law, in flight = rate x latency: at this
// latency the reads in flight grow with the rate.
Limiter window_limiter(const RunResult& run) {
  const double factor = run.job.au_threshold / std::max(0.01, run.sustained_utilisation);
  const auto enough = static_cast<std::uint64_t>(std::ceil(
      factor * static_cast<double>(run.in_flight_limit) / std::max(1U, run.job.replicas)));
  const double taken = run.read_latency.mean_ms;
  return {"window",
          fmt::format("the window: {}, {:.2f} ms unloaded, so more would fit; about {} {} "
                      "would do (--readers={})",
                      run.in_flight_limit == 1
                          ? fmt::format("the one read in flight takes {:.2f} ms", taken)
                          : fmt::format("all {} reads in flight take {:.2f} ms each",
                                        run.in_flight_limit, taken),
                      run.unloaded_read_ms, format_counted(enough, "reader"),
                      run.job.replicas < run.job.accelerators ? "a replica" : "an accelerator",
                      enough)};
}

}  // namespace

// The order of the checks matters: a busy CPU, a full network and decoding make reads late, too, so
// the storage is named only when nothing else explains the time.
Limiter find_limiter(const RunResult& run) {
  if (run.seconds <= 0 || run.samples == 0) return {};
  const double cpu = (run.cpu_user_seconds + run.cpu_system_seconds) / run.seconds;
  if (!run.valid) return {};  // The figures of an INVALID run explain nothing.
  const std::string moved = format_rate(run.read_bytes_per_second);
  const double held = run.host_time.seconds();
  if (held > kHostShareMax * run.seconds)
    return {"host", fmt::format("this host: it did not let the client run for {} of the time",
                                format_percent(held / run.seconds))};
  if (run.sustained_utilisation >= run.job.au_threshold)
    return {"accelerator",
            fmt::format("the accelerators: they computed for {} of the time, {} were consumed{}",
                        format_percent(run.sustained_utilisation),
                        format_rate(run.bytes_per_second), ceiling_text(run))};
  if (checkpoints_limit(run))
    return {"checkpoint",
            fmt::format("checkpoints: no step was made for {} of the time, {} for each of {}",
                        format_percent(run.checkpoints->blocked_seconds / run.seconds),
                        format_duration(from_seconds(run.checkpoints->blocked_median_seconds)),
                        run.checkpoints->count)};
  // A thread that waited for a core needed that time as well, whoever had the core.
  const double wanted = run.busiest_reactor_utilisation + run.busiest_reactor_waiting;
  if (wanted >= kCpuBusy || (run.reactors > 0 && cpu >= kCpuBusy * run.reactors)) {
    const double kernel =
        cpu > 0 ? run.cpu_system_seconds / (run.cpu_user_seconds + run.cpu_system_seconds) : 0;
    const auto io = run.effective.find("io");
    const bool copies = kernel >= kCopying && io != run.effective.end() && io->second == "buffered";
    std::string text = fmt::format(
        "this host's {}: {:.2f} cores busy, the busiest of {} {} ({} of it all in the kernel)",
        copies ? "memory bandwidth (copies out of the page cache)" : "CPU", cpu,
        format_counted(run.reactors, "reactor thread"),
        format_percent(run.busiest_reactor_utilisation), format_percent(kernel));
    if (run.busiest_reactor_waiting >= kOthersCpu)
      text += fmt::format(", and others had its core for {} of the time",
                          format_percent(run.busiest_reactor_waiting));
    return {"client", text + fmt::format("; {} were moved{}", moved, ceiling_text(run))};
  }
  if (run.io.wire_bytes_per_second_max > 0 &&
      run.read_bytes_per_second >= kNetworkBusy * run.io.wire_bytes_per_second_max)
    return {"network", fmt::format("the network: {} of the {} of {}", moved,
                                   format_rate(run.io.wire_bytes_per_second_max), run.io.wire)};
  if (decoding_share(run) > kMostOfIt) return decoding_limiter(run);
  const auto readers = run.effective.find("readers");
  if (readers != run.effective.end() && readers->second == "0")
    return {"window",
            fmt::format("the training process, which reads by itself and computes nothing "
                        "meanwhile: {} moved in reads of {:.2f} ms each; --readers=1 or more read "
                        "while it computes",
                        moved, run.read_latency.mean_ms)};
  const bool readers_busy =
      run.in_flight_mean >= kWindowBusy * static_cast<double>(run.in_flight_limit);
  const double alone = run.unloaded_read_ms;
  if (readers_busy && alone > 0 && run.read_latency.mean_ms < kQueueing * alone)
    return window_limiter(run);
  std::string text = fmt::format(
      "the storage: {} with {:.0f} of {} in flight at {:.2f} ms each", moved, run.in_flight_mean,
      format_counted(run.in_flight_limit, "read"), run.read_latency.mean_ms);
  if (alone > 0) text += fmt::format(" ({:.2f} ms unloaded)", alone);
  if (run.ceiling.seconds > 0)
    text += fmt::format(", at {:.2f} cores of {}{}", cpu, run.reactors, ceiling_text(run));
  return {"storage", text};
}

}  // namespace feedrate

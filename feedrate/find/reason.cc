#include "feedrate/find/reason.h"

#include <fmt/format.h>

#include <algorithm>

namespace feedrate {
namespace {

// A reactor thread this busy has nothing left to give.
constexpr double kCpuBusy = 0.92;
// Readers this busy are all waiting for storage: more of them might get more out of it.
constexpr double kWindowBusy = 0.85;
// Throughput that grows by less than this with twice the readers has met a ceiling.
constexpr double kPlateau = 1.08;
// Opening takes more of a reader's time than reading.
constexpr double kOpenShare = 0.5;

double open_share(const RunResult& run) {
  const double open = run.open_latency.mean_ms * static_cast<double>(run.open_latency.count);
  const double read = run.read_latency.mean_ms * static_cast<double>(run.read_latency.count);
  return open + read > 0 ? open / (open + read) : 0;
}

double demand(const RunResult& run) { return run.demand_bytes_per_second * run.accelerators; }

void explain_failure(const FindOptions& options, const TrainingPlan& plan,
                     const std::optional<Trial>& more_readers, const RunResult& beyond,
                     FindResult& result) {
  const std::string need = fmt::format(
      "{} accelerator{} need{} {} to stay at AU {}", beyond.accelerators,
      beyond.accelerators == 1 ? "" : "s", beyond.accelerators == 1 ? "s" : "",
      format_rate(demand(beyond) * options.au_threshold), format_percent(options.au_threshold));
  const std::string got = format_rate(beyond.sustained_bytes_per_second);
  const double cpu = (beyond.cpu_user_seconds + beyond.cpu_system_seconds) / beyond.seconds;
  if (beyond.busiest_reactor_utilisation + beyond.busiest_reactor_waiting >= kCpuBusy ||
      cpu >= kCpuBusy * beyond.reactors) {
    result.limited_by = "client-cpu";
    result.reason = fmt::format(
        "this host's CPU is the limit: {}, it moved {} with {:.2f} cores busy ({} reactor threads, "
        "the "
        "busiest {}; {} cores)",
        need, got, cpu, beyond.reactors, format_percent(beyond.busiest_reactor_utilisation),
        beyond.host.cores);
    return;
  }
  if (open_share(beyond) >= kOpenShare) {
    result.limited_by = "open";
    result.reason = fmt::format(
        "opening files is the limit: {}, it moved {}; an open took {:.2f} ms (p50), {} of a "
        "reader's time",
        need, got, beyond.open_latency.p50_ms, format_percent(open_share(beyond)));
    return;
  }
  if (more_readers &&
      more_readers->run.sustained_bytes_per_second > beyond.sustained_bytes_per_second * kPlateau) {
    result.limited_by = "window";
    result.reason = fmt::format(
        "the window is the limit: {}, it moved {} with all {} reads in flight at {:.2f} ms each; "
        "--readers={} moved {} (AU {})",
        need, got, beyond.in_flight_limit, beyond.read_latency.mean_ms, plan.readers * 2,
        format_rate(more_readers->run.sustained_bytes_per_second),
        format_percent(more_readers->result.utilisation));
    return;
  }
  result.limited_by = "storage";
  result.reason = fmt::format(
      "the storage is saturated at {}: {}; {:.0f} reads were in flight at {:.2f} ms each (p99 "
      "{:.2f} ms)",
      got, need, beyond.in_flight_mean, beyond.read_latency.mean_ms, beyond.read_latency.p99_ms);
  if (more_readers)
    result.reason += fmt::format(", and twice the readers moved {}",
                                 format_rate(more_readers->run.sustained_bytes_per_second));
}

}  // namespace

bool window_is_full(const RunResult& run) {
  return run.in_flight_mean >= kWindowBusy * static_cast<double>(run.in_flight_limit);
}

void explain(const FindOptions& options, const TrainingPlan& plan,
             std::uint64_t accelerators_by_data, const std::optional<Trial>& more_readers,
             FindResult& result) {
  if (result.beyond) {
    explain_failure(options, plan, more_readers, *result.beyond, result);
    return;
  }
  if (result.interrupted) {
    result.limited_by = "interrupted";
    result.reason = "the search was interrupted before a number failed";
    return;
  }
  if (options.accelerators_max <= accelerators_by_data) {
    result.limited_by = "--max";
    result.reason = fmt::format("the search ended at --max={}; the storage may feed more",
                                options.accelerators_max);
    return;
  }
  result.limited_by = "data-set";
  result.reason = fmt::format(
      "{} is all that the data set allows: one more global batch of {} samples would not fit in "
      "{}; "
      "use {}",
      accelerators_by_data, plan.timing.batch_samples,
      format_count(static_cast<double>(plan.dataset->samples())),
      plan.dataset->plan() ? "a larger --size" : "more data");
}

}  // namespace feedrate

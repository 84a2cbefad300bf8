#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <span>

#include "feedrate/base/text.h"
#include "feedrate/engine/host_time.h"
#include "feedrate/engine/loader.h"
#include "feedrate/engine/train.h"
#include "feedrate/stats/transient.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

// Utilisation of each epoch and of all, weighted by length. The framework's loader starts anew each
// epoch, so the first step of each does not count; the native one goes on, so only the run's does.
void summarise_epochs(const TrainingPlan& plan, const std::vector<StepRecord>& steps,
                      RunResult& result) {
  const ShardShape shape{plan.dataset->samples(), plan.replicas, plan.timing.batch_samples};
  const std::uint64_t per_epoch = shape.steps_per_epoch();
  // In whole nanoseconds: rounded seconds can add up to more work than time.
  const auto share = [](Duration work, Duration of) {
    return static_cast<double>(work.count()) / static_cast<double>(of.count());
  };
  Duration busy{}, elapsed{};
  for (std::uint64_t first = 0; first < steps.size(); first += per_epoch) {
    const std::uint64_t last = std::min<std::uint64_t>(first + per_epoch, steps.size()) - 1;
    const bool goes_on = first > 0 && plan.client == ClientKind::kNative;
    const std::uint64_t from = goes_on ? first - 1 : first;
    const Duration took = steps[last].end - steps[from].end;
    EpochResult epoch{first / per_epoch, last - first + 1, to_seconds(took), 0};
    if (last > from) {
      const Duration work = plan.timing.compute * static_cast<std::int64_t>(last - from);
      epoch.accelerator_utilisation = share(work, took);
      busy += work;
      elapsed += took;
    }
    result.epochs.push_back(epoch);
  }
  if (elapsed > Duration::zero()) result.accelerator_utilisation = share(busy, elapsed);
}

void summarise_series(const ReaderStats& readers, RunResult& result) {
  result.interval_seconds = to_seconds(readers.bytes.width());
  const auto& samples = readers.samples.values();
  const auto& bytes = readers.bytes.values();
  const auto& compute = readers.compute.values();
  result.series.resize(std::max({samples.size(), bytes.size(), compute.size()}));
  for (std::size_t i = 0; i < samples.size(); ++i) result.series[i].samples = samples[i];
  for (std::size_t i = 0; i < bytes.size(); ++i) result.series[i].bytes = bytes[i];
  for (std::size_t i = 0; i < compute.size(); ++i) result.series[i].compute_seconds = compute[i];
}

ByteProcessing summarise_processing(const TrainingPlan& plan, const ReaderStats& readers) {
  ByteProcessing processing;
  processing.level = to_string(plan.level);
  processing.cpu_seconds = to_seconds(readers.processing_cpu);
  processing.bytes = readers.bytes_processed;
  processing.decoded_bytes = readers.bytes_decoded;
  // Checking goes along with the bytes, whatever sample they belong to.
  const bool checked = plan.level == ByteLevel::kVerify && readers.bytes_processed > 0;
  processing.samples = checked ? readers.samples_read : readers.samples_processed;
  return processing;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// The places of one kind where most was lost to each cause.
template <class Key>
void add_worst_places(const std::map<Key, StallTimes>& times, std::string_view kind,
                      const std::function<std::string(const Key&)>& name,
                      std::vector<StallPlace>& places) {
  constexpr std::size_t kWorst = 5;
  for (const StallCause cause : kAllStallCauses) {
    std::vector<std::pair<Duration, const Key*>> order;
    for (const auto& [key, lost] : times) {
      const Duration time = lost[static_cast<std::size_t>(cause)];
      if (time.count() > 0) order.emplace_back(time, &key);
    }
    const std::size_t shown = std::min(order.size(), kWorst);
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(shown),
                              [](const auto& a, const auto& b) { return a.first > b.first; });
    for (std::size_t i = 0; i < shown; ++i)
      places.push_back({std::string(to_string(cause)), std::string(kind), name(*order[i].second),
                        order[i].first.count()});
  }
}

bool has_several_directories(const Dataset& dataset) {
  constexpr std::uint64_t kLookedAt = 1000;
  const std::string first = parent_of(dataset.path(0));
  for (std::uint64_t file = 1; file < std::min(dataset.files(), kLookedAt); ++file)
    if (parent_of(dataset.path(file)) != first) return true;
  return parent_of(dataset.path(dataset.files() - 1)) != first;
}

std::vector<StallPlace> stall_places(const Dataset& dataset, const StallLedger& ledger) {
  std::vector<StallPlace> places;
  std::map<std::string, StallTimes> directories;
  for (const auto& [file, times] : ledger.files()) {
    StallTimes& directory = directories[parent_of(dataset.path(file))];
    for (std::size_t i = 0; i < kStallCauses; ++i) directory[i] += times[i];
  }
  if (has_several_directories(dataset))
    add_worst_places<std::string>(
        directories, "directory", [](const std::string& name) { return name; }, places);
  add_worst_places<std::uint64_t>(
      ledger.files(), "file", [&](const std::uint64_t& file) { return dataset.path(file); },
      places);
  add_worst_places<std::uint32_t>(
      ledger.sizes(), "read-size",
      [](const std::uint32_t& exponent) {
        return fmt::format("{} to {}", format_bytes(std::uint64_t{1} << exponent),
                           format_bytes(std::uint64_t{2} << exponent));
      },
      places);
  return places;
}

StallResult summarise_stalls(const TrainingPlan& plan, const TrainingOutcome& outcome) {
  StallResult result;
  const StallLedger& ledger = outcome.readers.stalls;
  for (const StallCause cause : kAllStallCauses)
    result.causes.push_back({std::string(to_string(cause)), 0, 0});
  if (outcome.steps.empty()) return result;
  const Instant end = outcome.steps.back().end;
  result.wall_ns = (end - outcome.begin).count() * std::int64_t{plan.replicas};
  for (const auto& [number, times] : ledger.ranks()) {
    RankStallResult rank{number, times.compute.count(), {}};
    result.compute_ns += rank.compute_ns;
    for (std::size_t i = 0; i < kStallCauses; ++i) {
      const StallShare share{result.causes[i].cause, times.own[i].count(),
                             times.carried[i].count()};
      result.causes[i].own_ns += share.own_ns;
      result.causes[i].carried_ns += share.carried_ns;
      if (share.own_ns != 0 || share.carried_ns != 0) rank.causes.push_back(share);
    }
    assert(times.total() == end - outcome.begin);
    result.ranks.push_back(std::move(rank));
  }
  for (std::size_t cause = 0; cause < kStallCauses; ++cause) {
    TimeSeries series = ledger.series(kAllStallCauses[cause]);
    series.add(end, 0);  // all as wide and as long as the longest
    result.interval_seconds = to_seconds(series.width());
    result.series.resize(series.values().size(), std::vector<double>(kStallCauses));
    for (std::size_t i = 0; i < series.values().size(); ++i)
      result.series[i][cause] = series.values()[i];
  }
  result.places = stall_places(*plan.dataset, ledger);
  return result;
}

// The time of a read of the run's mean size that is unloaded, by itself: as measured before the
// run, else the fastest of the run.
double unloaded_read_ms(const TrainingOutcome& outcome, const RunResult& result) {
  const StreamRate& rate = outcome.stream_rate;
  if (result.reads == 0) return 0;
  if (rate.bytes_per_second > 0) {
    const double bytes =
        static_cast<double>(result.bytes_moved) / static_cast<double>(result.reads);
    return 1e3 * (to_seconds(rate.first_byte) + bytes / rate.bytes_per_second);
  }
  const auto& buckets = result.read_latency.buckets_ns;
  return buckets.empty() ? 0 : static_cast<double>(buckets.front().first) / 1e6;
}

void summarise_io(const TrainingOutcome& outcome, RunResult& result) {
  const auto& epochs = outcome.readers.epochs;
  for (std::size_t epoch = 0; epoch < epochs.size(); ++epoch)
    result.io.epochs.push_back({epoch, epochs[epoch].located, epochs[epoch].returned, {}, {}});
  result.io.probe_bytes = outcome.stream_rate.bytes_read;
}

// Tells what this host spent on the run. A simulation is the same on every machine, so what this
// one spent on it is no part of the result.
void summarise_client(const TrainingOutcome& outcome, RunResult& result) {
  result.reactors = static_cast<std::uint32_t>(outcome.cpu_times.size());
  if (outcome.simulated) return;
  result.cpu_user_seconds = to_seconds(outcome.process_cpu_time.user);
  result.cpu_system_seconds = to_seconds(outcome.process_cpu_time.system);
  for (const CpuTime& time : outcome.cpu_times) {
    if (result.seconds <= 0) continue;
    const double busy = to_seconds(time.user + time.system) / result.seconds;
    if (busy < result.busiest_reactor_utilisation) continue;
    result.busiest_reactor_utilisation = busy;
    result.busiest_reactor_waiting = to_seconds(time.waiting) / result.seconds;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  result.peak_memory_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

void judge(const TrainingPlan& plan, const TrainingOutcome& outcome, RunResult& result) {
  if (outcome.fatal)
    result.invalid_reasons.push_back(
        "a read failed: " + outcome.fatal->message() + "; " +
        (outcome.fatal->hint().empty()
             ? "mend the data set, or count such errors with 'feedrate train --on-error=continue'"
             : outcome.fatal->hint()));
  else if (!result.errors.empty())
    result.invalid_reasons.push_back("reads failed, so some samples were never delivered");
  const bool measured = std::ranges::any_of(
      result.epochs, [](const EpochResult& epoch) { return epoch.seconds > 0; });
  if (!measured && outcome.interrupted && !outcome.fatal)
    result.invalid_reasons.push_back(
        "nothing was measured: it was interrupted before a step that counts (the first does not); "
        "let it run longer");
  else if (!measured && !outcome.cut && !outcome.fatal)
    result.invalid_reasons.push_back(
        "no step was measured: the first (of each epoch, with the faithful client) does not count; "
        "use more --steps or --time, fewer accelerators, or a larger data set");
  else if (measured && result.steady_steps == 0 && !outcome.interrupted && !outcome.cut &&
           !outcome.fatal)
    result.invalid_reasons.push_back(
        "all measured steps were fed from what had been read ahead, and nothing more came in so "
        "short a time: use more --steps or --time");
  const std::uint64_t needed =
      std::uint64_t{plan.replicas} * plan.timing.batch_samples * outcome.steps.size();
  if (!outcome.fatal && !outcome.interrupted && result.errors.empty())
    for (const EpochIo& epoch : result.io.epochs)
      if (epoch.returned_bytes < epoch.located_bytes) {
        result.invalid_reasons.push_back(fmt::format(
            "epoch {} read {} of the {} that its samples take; this is a fault of feedrate, please "
            "report it",
            epoch.epoch + 1, format_bytes(epoch.returned_bytes),
            format_bytes(epoch.located_bytes)));
        break;
      }
  std::int64_t explained = result.stalls.compute_ns;
  for (const StallShare& share : result.stalls.causes) explained += share.own_ns + share.carried_ns;
  if (explained != result.stalls.wall_ns)
    result.invalid_reasons.push_back(fmt::format(
        "the stall ledger explains {} ns of {} ns; this is a fault of feedrate, please report it",
        explained, result.stalls.wall_ns));
  if (outcome.readers.samples_read < needed)
    result.invalid_reasons.push_back(
        fmt::format("only {} of the {} samples that the steps consumed were read",
                    outcome.readers.samples_read, needed));
  judge_host_time(plan, outcome, result);
  result.valid = result.invalid_reasons.empty();
}

}  // namespace

// Of a step's compute time: what takes longer has waited.
static constexpr double kLate = 1.002;

// Where storage is the limit steps come in a pattern, two on time and one late, say, and a late one
// ends when the window is empty: both ends of the interval go to such a moment, where there are
// enough of them. `durations` of the steps after the first.
static void move_to_late_steps(const TrainingPlan& plan, std::span<const double> durations,
                               SteadyState& steady) {
  constexpr std::size_t kLateStepsMin = 3;
  constexpr double kKept = 0.7;
  const double late = kLate * to_seconds(plan.timing.compute);
  std::size_t first = steady.first;  // the very first step ends with an empty window, too
  while (first > 0 && first < steady.last && durations[first - 1] <= late) ++first;
  std::size_t last = steady.last;
  while (last > first && durations[last - 1] <= late) --last;
  std::size_t count = 0;
  for (std::size_t step = first + 1; step <= last; ++step)
    if (durations[step - 1] > late) ++count;
  const auto enough = [&](std::size_t from, std::size_t to) {
    return static_cast<double>(to) - static_cast<double>(from) >=
           kKept * static_cast<double>(steady.last - steady.first);
  };
  if (count < kLateStepsMin || !enough(first, last)) return;
  // Late steps come in bursts, too, as while somebody else writes a checkpoint. The last one is the
  // end of a burst, and so must the first be, or there is a burst more than there are pauses. Where
  // all steps are late there is no such end.
  std::size_t burst_end = first;
  while (burst_end < last && durations[burst_end] > late) ++burst_end;
  if (enough(burst_end, last)) first = burst_end;
  // A burst that goes on at the end of the run has no end yet; the one before it has.
  std::size_t before = last;
  while (last == steady.last && before > first && durations[before - 1] > late) --before;
  while (before > first && before < last && durations[before - 1] <= late) --before;
  if (enough(first, before)) last = before;
  steady.first = first;
  steady.last = last;
}

static bool none_late(const TrainingPlan& plan, const std::vector<StepRecord>& steps,
                      const SteadyState& steady) {
  const double late = kLate * to_seconds(plan.timing.compute);
  for (std::size_t step = steady.first + 1; step <= steady.last; ++step)
    if (to_seconds(steps[step].end - steps[step - 1].end) > late) return false;
  return true;
}

// Where no step was late the stock may still go up and down, with the end of each file, say. It is
// being used up only if it is lower at the end than it ever was in the first half.
static bool goes_up_and_down(const TrainingPlan& plan, const std::vector<StepRecord>& steps,
                             const SteadyState& steady) {
  if (!none_late(plan, steps, steady)) return false;
  double lowest = steps[steady.first].stock_batches;
  for (std::size_t step = steady.first; step <= steady.first + (steady.last - steady.first) / 2;
       ++step)
    lowest = std::min(lowest, steps[step].stock_batches);
  return steps[steady.last].stock_batches >= lowest;
}

SteadyState steady_state(const TrainingPlan& plan, const std::vector<StepRecord>& steps) {
  SteadyState steady;
  if (steps.size() < 2) return steady;
  const ShardShape shape{plan.dataset->samples(), plan.replicas, plan.timing.batch_samples};
  const std::size_t per_epoch = shape.steps_per_epoch();
  steady.last = steps.size() - 1;
  const bool restarts = plan.client == ClientKind::kFaithful && steps.size() > per_epoch;
  if (restarts) {
    steady.last -= steady.last % per_epoch;
  } else {
    while (steady.last > 1 && steps[steady.last].ran_out) --steady.last;
    if (steps[steady.last].ran_out) steady.last = steps.size() - 1;  // all was read at once
    std::vector<double> durations;
    for (std::size_t step = 1; step <= steady.last; ++step)
      durations.push_back(to_seconds(steps[step].end - steps[step - 1].end));
    steady.first = transient_length(durations);
    // Windows that fill are a transient, too.
    constexpr double kFilled = 0.9;
    while (steady.first < steady.last / 2 &&
           steps[steady.first].stock_batches < kFilled * steps[steady.last].stock_batches)
      ++steady.first;
    if (!steps[steady.last].ran_out) move_to_late_steps(plan, durations, steady);
  }
  // With a window that is full, but for the batch just taken, nothing is being used up.
  const double window = static_cast<double>(window_batches(plan)) / plan.micro_batches +
                        static_cast<double>(plan.shuffle_buffer_samples) /
                            static_cast<double>(plan.timing.batch_samples);
  const bool full = steps[steady.last].stock_batches >= window - 1.5;
  const double grown = restarts || steps[steady.last].ran_out
                           ? 0
                           : steps[steady.last].stock_batches - steps[steady.first].stock_batches;
  const double shrunk = full || goes_up_and_down(plan, steps, steady) ? 0 : std::max(0.0, -grown);
  steady.batches = std::max(0.0, static_cast<double>(steady.last - steady.first) - shrunk);
  // All that was consumed came from the stock, and nobody waited: a read brings several batches,
  // and none came in so short a time. That tells nothing.
  if (steady.batches <= 0 && none_late(plan, steps, steady)) return SteadyState{};
  steady.seconds = to_seconds(steps[steady.last].end - steps[steady.first].end);
  steady.utilisation =
      std::min(1.0, steady.batches * to_seconds(plan.timing.compute) / steady.seconds);
  steady.more = std::min(1 - steady.utilisation,
                         std::max(0.0, grown) * to_seconds(plan.timing.compute) / steady.seconds);
  return steady;
}

// Tells the rate that the storage could keep up, and the read-ahead that nobody has consumed.
static void summarise_rates(const TrainingPlan& plan, const TrainingOutcome& outcome,
                            RunResult& result) {
  const double sample_bytes = plan.dataset->mean_sample_bytes();
  if (result.seconds > 0) {
    result.samples_per_second = static_cast<double>(result.samples) / result.seconds;
    result.bytes_per_second = result.samples_per_second * sample_bytes;
    result.read_bytes_per_second =
        static_cast<double>(outcome.readers.bytes_moved) / result.seconds;
    result.in_flight_mean = to_seconds(outcome.readers.busy) / result.seconds;
  }
  const std::uint64_t read_ahead =
      outcome.readers.samples_read - std::min(outcome.readers.samples_read, result.samples);
  result.read_ahead_bytes = static_cast<double>(read_ahead) * sample_bytes;
  const SteadyState steady = steady_state(plan, outcome.steps);
  result.steady_steps = steady.seconds > 0 ? steady.last - steady.first : 0;
  result.sustained_utilisation = steady.utilisation;
  result.sustained_samples_per_second = steady.utilisation * static_cast<double>(plan.replicas) *
                                        static_cast<double>(plan.timing.batch_samples) /
                                        to_seconds(plan.timing.compute);
  result.sustained_bytes_per_second = result.sustained_samples_per_second * sample_bytes;
}

RunResult summarise_training(const TrainingPlan& plan, const TrainingOutcome& outcome) {
  RunResult result;
  const Dataset& dataset = *plan.dataset;
  const ReaderStats& readers = outcome.readers;
  result.job.accelerator = plan.timing.accelerator;
  result.job.timing_source = plan.timing.source;
  result.job.accelerators = plan.accelerators();
  result.job.replicas = plan.replicas;
  result.job.tensor_parallel = plan.tensor_parallel;
  result.job.pipeline_parallel = plan.pipeline_parallel;
  result.job.micro_batches = plan.micro_batches;
  result.job.pipeline_bubble = plan.pipeline_bubble();
  result.job.batch_samples = plan.timing.batch_samples;
  result.job.compute_seconds_per_batch = to_seconds(plan.timing.compute);
  result.job.demand_bytes_per_second =
      Workload::demand_bytes_per_second(plan.timing, dataset.mean_sample_bytes()) /
      plan.replica_accelerators();
  result.dataset.directory = dataset.directory();
  result.dataset.format = dataset.format().name();
  result.dataset.files = dataset.files();
  result.dataset.samples = dataset.samples();
  result.dataset.bytes = dataset.bytes();

  result.steps = outcome.steps.size();
  result.samples = result.steps * plan.replicas * plan.timing.batch_samples;
  if (!outcome.steps.empty()) result.seconds = to_seconds(outcome.steps.back().end - outcome.begin);
  if (result.steps > 1)
    result.samples_per_second_after_first =
        static_cast<double>((result.steps - 1) * plan.replicas * plan.timing.batch_samples) /
        to_seconds(outcome.steps.back().end - outcome.steps.front().end);
  summarise_epochs(plan, outcome.steps, result);
  summarise_rates(plan, outcome, result);
  summarise_io(outcome, result);
  result.bytes_asked = readers.bytes_asked;
  result.bytes_moved = readers.bytes_moved;
  result.opens = readers.open_ns.count();
  result.reads = readers.read_ns.count();
  result.samples_read = readers.samples_read;
  result.first_batch_seconds = to_seconds(outcome.first_batch);
  result.open_latency = summarise_latency(readers.open_ns);
  result.read_latency = summarise_latency(readers.read_ns);
  result.unloaded_read_ms = unloaded_read_ms(outcome, result);
  const bool split = dataset.largest_sample_bytes() > plan.transfer_bytes;
  const std::uint64_t window_samples =
      window_batches(plan) * plan.micro_batch_samples() + plan.shuffle_buffer_samples;
  result.in_flight_limit = plan.replicas * std::min<std::uint64_t>(plan.reading(), window_samples) *
                           (split && plan.level == ByteLevel::kRaw ? plan.transfers_per_sample : 1);
  result.in_flight_limit = std::min(result.in_flight_limit, outcome.buffers);
  result.window_batches = window_batches(plan);
  result.transfers_per_sample = plan.transfers_per_sample;
  summarise_series(readers, result);

  summarise_client(outcome, result);
  result.processing = summarise_processing(plan, readers);
  result.stalls = summarise_stalls(plan, outcome);
  result.host_time = summarise_host_time(outcome);
  for (const auto& [kind, count] : readers.errors) result.errors.push_back(count);
  result.warnings = outcome.warnings;
  result.interrupted = outcome.interrupted;
  judge(plan, outcome, result);
  return result;
}

}  // namespace feedrate

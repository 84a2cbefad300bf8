#include "feedrate/find/session.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "feedrate/find/depth.h"

namespace feedrate {
namespace {

// This many runs are kept whole; those around the answer are among the last.
constexpr std::size_t kRunsKept = 64;
// A data set that was read to this share counts as read: a trial of the rest would be too short to
// tell.
constexpr double kAllButFew = 0.97;

constexpr int kDiscardedMax = 5;

// Returns whether a run is INVALID because this host did not let the client run. That says nothing
// of the storage, and a later trial may be luckier.
bool held_back(const RunResult& run) {
  return !run.valid && run.errors.empty() && run.host_time.seconds() > kHostShareMax * run.seconds;
}

}  // namespace

Session::Session(const FindOptions& options, const TrainingPlan& plan, std::uint32_t several,
                 const TrialRunner& run, const FindObserver& observer, const std::stop_token& stop)
    : options_(options),
      plan_(plan),
      several_(std::max(1U, several)),
      run_(run),
      observer_(observer),
      stop_(stop) {}

double Session::spent() const {
  return options_.elapsed ? to_seconds(options_.elapsed()) : simulated_seconds_;
}

double Session::passes() const {
  return static_cast<double>(samples_) / static_cast<double>(plan_.dataset->samples());
}

Session::Rate Session::first_reading() const {
  constexpr double kAsFast = 0.95;  // slower trials had too few reads in flight
  constexpr double kAsLong = 0.3;   // shorter trials only saw their own beginning
  double longest = 0;
  for (const Rate& rate : first_rates_) longest = std::max(longest, rate.seconds);
  double most = 0;
  for (const Rate& rate : first_rates_)
    if (rate.seconds >= kAsLong * longest) most = std::max(most, rate.samples_per_second);
  Rate all;
  for (const Rate& rate : first_rates_) {
    if (!std::isfinite(most) || rate.seconds < kAsLong * longest ||
        rate.samples_per_second < kAsFast * most)
      continue;
    all.samples_per_second += rate.samples_per_second * rate.seconds;
    all.seconds += rate.seconds;
    all.reads_in_flight = std::max(all.reads_in_flight, rate.reads_in_flight);
    all.transfer_bytes = std::max(all.transfer_bytes, rate.transfer_bytes);
  }
  if (all.seconds > 0) all.samples_per_second /= all.seconds;
  return all;
}

std::uint64_t Session::unread() const {
  if (passes() >= kAllButFew) return 0;
  return plan_.dataset->samples() - std::min(samples_, plan_.dataset->samples());
}

bool Session::read_all_it_may() const {
  return options_.samples_max > 0 && samples_ >= options_.samples_max;
}

double Session::left() const {
  if (read_all_it_may()) return 0;
  if (options_.out_of_time && options_.out_of_time()) return 0;
  if (options_.budget.count() == 0) return std::numeric_limits<double>::infinity();
  return std::max(0.0, to_seconds(options_.budget) - spent());
}

double Session::bytes_in_flight(std::uint32_t replicas, const TrialLoad& load) const {
  TrainingPlan plan = plan_;
  plan.transfer_bytes = load.transfer_bytes;
  const double each = plan.order == AccessOrder::kSequential
                          ? static_cast<double>(plan.dataset->largest_file_bytes())
                          : plan.dataset->mean_sample_bytes();
  return static_cast<double>(replicas) * load.readers *
         static_cast<double>(reads_of_a_reader(plan)) *
         std::min(static_cast<double>(load.transfer_bytes), each);
}

double Session::seconds_to_end(double bytes_in_flight) const {
  const double rate = rate_max_ * plan_.dataset->mean_sample_bytes();
  return seconds_late_ + (rate > 0 ? bytes_in_flight / rate : 0);
}

double Session::room_for(std::uint32_t replicas, const TrialLoad& load) const {
  if (!on_real_clock()) return left();
  return left() - seconds_to_begin_ - seconds_to_end(bytes_in_flight(replicas, load));
}

void Session::learn_what_trials_take(const TrialRecorder& recorder, double called_at,
                                     double returned_at, double in_flight) {
  constexpr double kFades = 0.7;  // a trial that was slow once is not held against all that follow
  if (!on_real_clock() || recorder.begun_at() <= 0) return;
  seconds_to_begin_ = std::max(kFades * seconds_to_begin_, recorder.begun_at() - called_at);
  const double cut =
      recorder.cut_at() > 0 ? recorder.cut_at() : recorder.begun_at() + recorder.seconds();
  const double expected = seconds_to_end(in_flight) - seconds_late_;
  seconds_late_ = std::max(kFades * seconds_late_, returned_at - cut - expected);
}

double Session::readers_busy(const TrialRecorder& recorder, const RunResult& run) {
  const double most = static_cast<double>(run.in_flight_limit) * recorder.seconds();
  return most > 0 ? run.in_flight_mean * run.seconds / most : 0;
}

// What was in flight when a trial was cut has been read as well. If the next trial began with it,
// any cache between here and the bytes would answer, and make the storage look faster than it is.
std::uint64_t Session::samples_begun(const TrialRecorder& recorder, const RunResult& run,
                                     double in_flight) const {
  if (!options_.goes_on) return recorder.samples();
  const auto more = static_cast<std::uint64_t>(in_flight / plan_.dataset->mean_sample_bytes());
  return std::max(recorder.samples(), run.samples_read) + more;
}

// Samples come out of order, and one late read holds up the batches behind it. Where readers had to
// wait for room meanwhile, what was consumed is what such a client gets. Where none of them had to,
// everything that was read is what the storage moves.
double Session::rate_of(const TrialRecorder& recorder, const RunResult& run,
                        bool free_steps) const {
  constexpr double kBusy = 0.8;
  const bool held_up = !free_steps || plan_.client != ClientKind::kNative ||
                       plan_.order != AccessOrder::kRandomSamples ||
                       readers_busy(recorder, run) < kBusy;
  const double read = held_up ? 0 : recorder.read_samples_per_second();
  return read > 0 ? read : recorder.samples_per_second();
}

// Limits a trial by what is left of the budget, of the samples and of the data set's first pass.
void Session::bound(const TrialRequest& request, std::uint32_t replicas,
                    TrialLimits& limits) const {
  constexpr double kLeast = 0.001;  // seconds
  limits.out_of_time = options_.out_of_time;
  if (on_real_clock()) {
    const double room = std::max(room_for(replicas, request.load), kLeast);
    if (room < to_seconds(limits.time)) limits.time = from_seconds(room);
    limits.elapsed = [this] { return spent(); };
    // However late the trial begins, it must end so that its reads are back when the budget is
    // spent.
    const double end = seconds_to_end(bytes_in_flight(replicas, request.load));
    limits.out_of_time = [this, end] { return left() <= end; };
  }
  limits.watch_every = std::clamp<Duration>(limits.time / 400, std::chrono::milliseconds(1),
                                            std::chrono::milliseconds(20));
  // The first pass ends together with a trial, so that none mixes first and second readings.
  if (request.free_steps && options_.goes_on && 2 * unread() > limits.samples_enough &&
      unread() > 0)
    limits.samples_max = limits.samples_max > 0 ? std::min(limits.samples_max, unread()) : unread();
  if (options_.samples_max > 0 && !request.free_steps) {
    const std::uint64_t left = options_.samples_max - std::min(options_.samples_max - 1, samples_);
    limits.samples_max = limits.samples_max > 0 ? std::min(limits.samples_max, left) : left;
  }
}

// Reads in flight at the end of the first pass read a little again. More than a few per cent of a
// trial would show in its rate, where a cache makes them faster.
Session::Reading Session::reading_of(double passes_before, std::uint64_t samples) const {
  constexpr double kFew = 0.03;
  if (!options_.goes_on) return Reading::kFirst;
  if (passes_before >= kAllButFew) return Reading::kAgain;
  // What was in flight at its end is not in its rate.
  const auto counted = static_cast<double>(samples);
  const double again =
      (passes_before - 1) * static_cast<double>(plan_.dataset->samples()) + counted;
  return again <= kFew * counted ? Reading::kFirst : Reading::kMixed;
}

Result<Session::Outcome> Session::run(TrialRequest request, TrialLimits limits) {
  request.number = trials_.size();
  if (options_.goes_on) request.start_samples = samples_;
  TrainingPlan plan = plan_;
  plan.replicas = request.accelerators / plan.replica_accelerators();
  plan.readers = request.load.readers;
  plan.prefetch_batches = request.load.prefetch_batches;
  // A step of 1 ns stands for one that takes no time; TrialRecorder knows it by that.
  if (request.free_steps) plan.timing.compute = Duration(1);
  bound(request, plan.replicas, limits);
  if (observer_.trial_begins) observer_.trial_begins(request, limits.time);
  TrialRecorder recorder(plan, limits);
  TrialResult trial;
  const double passes_before = passes();
  trial.begin_seconds = spent();
  FEEDRATE_TRY(RunResult run, run_(request, recorder));
  const double returned = spent();
  if (stop_.stop_requested()) return fail(ErrorKind::kCancelled, "interrupted");
  if (held_back(run) && ++discarded_ <= kDiscardedMax) return Outcome{};
  if (!run.valid)
    return fail(ErrorKind::kInvalidRun, "a trial is not valid: " + run.invalid_reasons.front());
  simulated_seconds_ += recorder.seconds();
  samples_ += samples_begun(recorder, run, bytes_in_flight(plan.replicas, request.load));
  const double rate = rate_of(recorder, run, request.free_steps);
  if (request.free_steps) rate_max_ = std::max(rate_max_, rate);
  learn_what_trials_take(recorder, trial.begin_seconds, returned,
                         bytes_in_flight(plan.replicas, request.load));
  Noise taught;
  recorder.teach(taught, request.free_steps, rate_max_);
  noise_.add(taught);
  if (request.free_steps) noises_.emplace_back(run.in_flight_limit, taught);

  Outcome outcome;
  outcome.utilisation = recorder.utilisation();
  outcome.samples_per_second = rate;
  // Accelerators that take no time have no utilisation.
  if (request.free_steps) outcome.utilisation = {};
  outcome.reading = reading_of(passes_before, recorder.samples());
  outcome.seconds = recorder.seconds();
  outcome.reads_in_flight = run.in_flight_limit;
  outcome.read_seconds = run.read_latency.mean_ms / 1000;
  outcome.longest_read_seconds = run.read_latency.max_ms / 1000;
  outcome.readers_busy = readers_busy(recorder, run);
  if (request.free_steps && outcome.reading == Reading::kFirst)
    first_rates_.push_back({outcome.samples_per_second, outcome.seconds, run.in_flight_limit,
                            request.load.transfer_bytes});
  trial.accelerators = request.accelerators;
  trial.free_steps = request.free_steps;
  trial.reads_in_flight = run.in_flight_limit;
  trial.seconds = recorder.seconds();
  trial.steps = run.steps;
  if (outcome.utilisation.seconds > 0) trial.utilisation = outcome.utilisation.value;
  trial.upper_bound = !outcome.utilisation.of_steps;
  trial.measured_seconds = outcome.utilisation.seconds;
  if (std::isfinite(outcome.samples_per_second)) {
    trial.samples_per_second = outcome.samples_per_second;
    trial.bytes_per_second = trial.samples_per_second * plan_.dataset->mean_sample_bytes();
  }
  trials_.push_back(trial);
  if (observer_.trial_ends) observer_.trial_ends(trial);
  if (!request.free_steps) {
    if (runs_.size() >= kRunsKept) runs_.erase(runs_.begin());
    runs_.insert_or_assign(request.accelerators, std::move(run));
  }
  return outcome;
}

void Session::forget_noise_beyond(std::uint64_t reads) {
  Noise kept;
  for (const auto& [in_flight, noise] : noises_)
    if (in_flight <= 2 * reads) kept.add(noise);
  if (std::isfinite(kept.constant())) noise_ = kept;
}

std::optional<RunResult> Session::last_run(std::uint32_t accelerators) const {
  const auto found = runs_.find(accelerators);
  if (found == runs_.end()) return std::nullopt;
  return found->second;
}

}  // namespace feedrate

#include "feedrate/find/trial.h"

#include <algorithm>
#include <limits>

#include "feedrate/stats/transient.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

// A block of what was read tells something of the storage only if it is made of at least this many
// reads.
constexpr double kReadsOfABlock = 16;
// A trial in which the reads in flight came back less often than this saw little but its own
// beginning.
constexpr double kRounds = 4;

}  // namespace

void TrialRecorder::on_begin(Instant now) {
  const std::lock_guard lock(mutex_);
  begin_ = now;
  reads_.push_back({now, 0, 0});
  if (limits_.elapsed) begun_at_ = limits_.elapsed();
}

bool TrialRecorder::on_step(std::uint64_t step, const StepRecord& record) {
  const std::lock_guard lock(mutex_);
  steps_.push_back(record);
  // Where storage costs no time, no time passes, so the samples consumed must end the trial.
  const std::uint64_t consumed = (step + 1) * plan_.replicas * plan_.timing.batch_samples;
  const bool over = limits_.samples_max > 0 && consumed >= limits_.samples_max;
  if (over && limits_.elapsed) cut_at_ = limits_.elapsed();
  return over;
}

bool TrialRecorder::on_progress(Instant now, std::uint64_t samples, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  reads_.push_back({now, samples, bytes});
  const bool over = is_over(now, samples);
  if (over && limits_.elapsed) cut_at_ = limits_.elapsed();
  return over;
}

bool TrialRecorder::is_over(Instant now, std::uint64_t samples) const {
  const Duration passed = now - begin_;
  if (limits_.samples_max > 0 && samples >= limits_.samples_max) return true;
  if (limits_.samples_enough > 0 && samples >= limits_.samples_enough && passed >= limits_.time_min)
    return true;
  if (limits_.out_of_time && limits_.out_of_time()) return true;
  return passed >= limits_.time;
}

double TrialRecorder::seconds() const {
  Instant end = reads_.empty() ? begin_ : reads_.back().time;
  if (!steps_.empty() && reads_.size() < 2) end = std::max(end, steps_.back().end);
  return to_seconds(end - begin_);
}

std::uint64_t TrialRecorder::samples() const {
  const std::uint64_t consumed =
      steps_.size() * std::uint64_t{plan_.replicas} * plan_.timing.batch_samples;
  return std::max(consumed, reads_.empty() ? 0 : reads_.back().samples);
}

std::size_t TrialRecorder::steady_point() const {
  std::vector<double> amounts;
  // The first watch that saw anything; until then the first reads were under way.
  std::size_t first = 1;
  while (first < reads_.size() && reads_[first].bytes == 0) ++first;
  for (std::size_t i = first + 1; i < reads_.size(); ++i)
    amounts.push_back(static_cast<double>(reads_[i].bytes - reads_[i - 1].bytes));
  return std::min(first + transient_length(amounts), reads_.size() - 1);
}

double TrialRecorder::split_samples_per_second() const {
  const double in_flight = static_cast<double>(plan_.readers) * plan_.replicas *
                           plan_.transfers_per_sample * static_cast<double>(plan_.transfer_bytes);
  std::size_t first = 0;
  while (first + 1 < reads_.size() && reads_[first].bytes == 0) ++first;
  if (reads_.size() < 3 || static_cast<double>(reads_.back().bytes) < kRounds * in_flight) return 0;
  const double passed = to_seconds(reads_.back().time - reads_[first].time);
  const auto read = static_cast<double>(reads_.back().bytes - reads_[first].bytes);
  return passed > 0 ? read / passed / plan_.dataset->mean_sample_bytes() : 0;
}

double TrialRecorder::samples_per_second() const {
  const bool split = plan_.client == ClientKind::kNative && plan_.timing.compute.count() == 1 &&
                     plan_.dataset->mean_sample_bytes() > 2.0 * double(plan_.transfer_bytes);
  if (const double rate = split ? split_samples_per_second() : 0; rate > 0) return rate;
  const double rate = steady_samples_per_second();
  // Of the reads that were in flight together the first ones may come back last, and then
  // everything that waited for them is consumed in one burst. So a trial that saw only a few rounds
  // of reads moved what was read since the first of them came back.
  const double in_flight = static_cast<double>(plan_.readers) * plan_.replicas;
  if (reads_.size() < 3 || static_cast<double>(reads_.back().samples) >= kRounds * in_flight)
    return rate;
  std::size_t first = 0;
  while (first + 1 < reads_.size() && reads_[first].samples == 0) ++first;
  const double passed = to_seconds(reads_.back().time - reads_[first].time);
  const auto read = static_cast<double>(reads_.back().samples - reads_[first].samples);
  if (passed > 0 && read > 0) return std::min(rate, read / passed);
  // All of them came at once, so little is known.
  return std::min(rate, static_cast<double>(reads_.back().samples) / seconds());
}

double TrialRecorder::read_samples_per_second() const {
  const double in_flight = static_cast<double>(plan_.readers) * plan_.replicas;
  if (reads_.size() < 3 || static_cast<double>(reads_.back().samples) < kRounds * in_flight)
    return 0;
  std::size_t first = 0;
  while (first + 1 < reads_.size() && reads_[first].samples == 0) ++first;
  const double passed = to_seconds(reads_.back().time - reads_[first].time);
  const auto read = static_cast<double>(reads_.back().samples - reads_[first].samples);
  return passed > 0 ? read / passed : 0;
}

double TrialRecorder::steady_samples_per_second() const {
  if (reads_.size() < 3) {
    const double consumed = static_cast<double>(steps_.size()) * plan_.replicas *
                            static_cast<double>(plan_.timing.batch_samples);
    const double passed = steps_.empty() ? 0 : to_seconds(steps_.back().end - begin_);
    if (consumed > 0)
      return passed > 0 ? consumed / passed : std::numeric_limits<double>::infinity();
    return 0;
  }
  // Samples that came out of order are of no use before the one they wait for has come. So what a
  // trial without pauses consumed is what it moved, where it was long enough to tell.
  constexpr std::size_t kStepsMin = 5;
  const double batch =
      static_cast<double>(plan_.replicas) * static_cast<double>(plan_.timing.batch_samples);
  const auto consumed = static_cast<double>(steps_.size()) * batch;
  // The framework's readers hand on what they have read at once, and its shuffle buffer fills
  // meanwhile.
  const bool hands_on = plan_.client == ClientKind::kFaithful;
  if (plan_.timing.compute.count() == 1 && !hands_on && steps_.size() >= kStepsMin) {
    const std::size_t first = steps_.size() / 10;
    const double passed = to_seconds(steps_.back().end - steps_[first].end);
    const double rest = to_seconds(reads_.back().time - steps_.back().end);
    const double steps = static_cast<double>(steps_.size() - 1 - first);
    if (passed > 0) return steps * batch / (passed + (rest > 2 * passed / steps ? rest : 0));
  }
  const auto read = static_cast<double>(reads_.back().samples);
  const auto in_flight = static_cast<double>(plan_.readers) * plan_.replicas;
  if (plan_.timing.compute.count() == 1 && !hands_on && read - consumed > 2 * batch + in_flight / 2)
    return (consumed + batch) / seconds();
  const Point& from = reads_[steady_point()];
  const Point& to = reads_.back();
  if (to.time <= from.time) return static_cast<double>(to.samples) / seconds();
  return static_cast<double>(to.samples - from.samples) / to_seconds(to.time - from.time);
}

Utilisation TrialRecorder::utilisation() const {
  const SteadyState steady = steady_state(plan_, steps_);
  const double compute = to_seconds(plan_.timing.compute);
  const Instant end = reads_.empty() ? begin_ : reads_.back().time;
  if (steady.seconds > 0) {
    // A step that was cut off has waited at least so long, and that counts: a trial must not look
    // calm because it ended in a stall.
    const double waited = to_seconds(end - steps_.back().end) - compute;
    const double seconds = steady.seconds + (waited > 0 ? waited : 0);
    Utilisation seen{seconds, std::min(1.0, steady.batches * compute / seconds), steady.more, 0, 0,
                     true};
    add_one_wait(steady, waited, seen);
    if (saw_no_restart()) {
      // The share of the reckoned cost of restarts that is in doubt. It is larger for readers that
      // stream files: they run out of them one by one at the end of an epoch, which depends on how
      // the last files fall.
      const double doubt = plan_.order == AccessOrder::kSequential ? 0.2 : 0.1;
      const double within = seen.value;
      seen.more = with_restarts(std::min(1.0, seen.value + seen.more));
      seen.value = with_restarts(seen.value);
      seen.reckoned = doubt * (within - seen.value);
      seen.more = std::max(0.0, seen.more - seen.value);
    }
    add_own_noise(steady, seen);
    return seen;
  }
  const double passed = to_seconds(end - begin_);
  const double wanted = static_cast<double>(plan_.replicas) *
                        static_cast<double>(plan_.timing.batch_samples) * passed / compute;
  if (reads_.empty() || wanted <= 0) return {};
  return {passed, std::min(1.0, static_cast<double>(reads_.back().samples) / wanted), 0, 0, 0,
          false};
}

std::uint64_t TrialRecorder::steps_per_epoch() const {
  return ShardShape{plan_.dataset->samples(), plan_.replicas, plan_.timing.batch_samples}
      .steps_per_epoch();
}

bool TrialRecorder::saw_no_restart() const {
  return plan_.client == ClientKind::kFaithful && steps_.size() <= steps_per_epoch();
}

// Reckons from a look at a part of an epoch what whole epochs give. Where accelerators do not wait,
// an epoch is longer by the fill of its first batch. Where they do, storage is idle from when the
// last sample was read until the last step has ended: for one step, and for those of what the
// shuffle buffer still holds.
double TrialRecorder::with_restarts(double value) const {
  const double compute = to_seconds(plan_.timing.compute);
  const auto steps = static_cast<double>(steps_per_epoch());
  const double fill = std::max(0.0, to_seconds(steps_.front().end - begin_) - compute);
  const double held = plan_.order == AccessOrder::kSequential
                          ? std::min(steps, static_cast<double>(plan_.shuffle_buffer_samples) /
                                                static_cast<double>(plan_.timing.batch_samples))
                          : 0;
  const double busy = steps * compute;
  return busy / std::max(busy + fill, busy / std::max(value, 1e-9) + (1 + held) * compute);
}

// Notes the longest wait, if most of what was lost was lost in it. `cut_off` is how long the step
// had waited in which the trial was cut off.
void TrialRecorder::add_one_wait(const SteadyState& steady, double cut_off,
                                 Utilisation& seen) const {
  constexpr double kMost = 0.5, kTimesOthers = 4;
  // The framework's client waits at the beginning of each epoch, and such a wait comes again.
  if (plan_.client != ClientKind::kNative) return;
  const double compute = to_seconds(plan_.timing.compute);
  double longest = cut_off;
  for (std::size_t step = steady.first + 1; step <= steady.last && step < steps_.size(); ++step)
    longest = std::max(longest, to_seconds(steps_[step].end - steps_[step - 1].end) - compute);
  const double busy = seen.value * seen.seconds;
  const double others = seen.seconds - busy - longest;
  const auto steps = static_cast<double>(steady.last - steady.first);
  if (longest <= kMost * (seen.seconds - busy) || longest >= seen.seconds ||
      longest <= kTimesOthers * others / std::max(1.0, steps - 1))
    return;
  seen.one_wait = longest;
}

void TrialRecorder::add_own_noise(const SteadyState& steady, Utilisation& seen) const {
  constexpr std::size_t kStepsMin = 8;
  constexpr double kLate = 1.002;
  const std::size_t count = steady.last - steady.first;
  if (count < kStepsMin) return;
  const double mean = steady.seconds / static_cast<double>(count);
  const double compute = to_seconds(plan_.timing.compute);
  std::size_t late = 0;
  double squares = 0;
  for (std::size_t step = steady.first + 1; step <= steady.last; ++step) {
    const double duration = to_seconds(steps_[step].end - steps_[step - 1].end);
    late += duration > kLate * compute ? 1 : 0;
    squares += (duration - mean) * (duration - mean);
  }
  // The steps' own noise is good evidence only where at least nine steps in ten were late.
  if (10 * late < 9 * count) return;
  seen.own_freedom = static_cast<double>(count) - 1;
  seen.own_constant = squares / seen.own_freedom / mean;
}

void TrialRecorder::teach(Noise& noise, bool free_steps, double saturated_rate) const {
  constexpr double kSaturated = 0.9;
  const Utilisation seen = utilisation();
  // Everything was read before anybody could watch: this storage costs nothing, and has no noise.
  const std::uint64_t consumed = steps_.size() * plan_.replicas * plan_.timing.batch_samples;
  if (free_steps && reads_.size() < 3 && limits_.samples_max > 0 && consumed >= limits_.samples_max)
    noise.add(std::vector<double>(64, 1.0), to_seconds(limits_.watch_every), 0);
  const bool starved = free_steps || (seen.seconds > 0 && seen.value < 0.97 &&
                                      samples_per_second() >= kSaturated * saturated_rate);
  const bool taught = starved && teach_reads(noise, free_steps);
  // Where the storage is saturated, what it moves tells more than steps do, and more finely: their
  // pattern (two on time, one late) looks like noise. Elsewhere the steps are all there is.
  if (!taught && !free_steps && seen.value < 0.985) teach_steps(noise);
}

// Interpolates between two watches, as if reading had gone on evenly between them.
TrialRecorder::Point TrialRecorder::read_by(Instant time) const {
  const auto after = std::ranges::lower_bound(reads_, time, {}, &Point::time);
  if (after == reads_.end()) return reads_.back();
  if (after == reads_.begin()) return reads_.front();
  const Point& before = *std::prev(after);
  const double share = to_seconds(time - before.time) / to_seconds(after->time - before.time);
  const auto part = [&](std::uint64_t from, std::uint64_t to) {
    return from + static_cast<std::uint64_t>(share * static_cast<double>(to - from));
  };
  return {time, part(before.samples, after->samples), part(before.bytes, after->bytes)};
}

// Accelerators that step together ask for much at the start of a step and for less later. Blocks
// that cut steps apart would see that pattern as noise, so blocks are made of whole steps. A step
// that lasts long because the storage stalls is cut, since the stall is noise.
std::vector<TrialRecorder::Point> TrialRecorder::ends_of_blocks(bool free_steps) const {
  constexpr double kWatches = 4;  // that a block has at least, since each is late by a part of one
  constexpr double kStalled = 3;  // times the time without any wait
  const std::size_t steady = steady_point();
  const std::vector<Point> all(reads_.begin() + static_cast<std::ptrdiff_t>(steady), reads_.end());
  if (free_steps || plan_.client == ClientKind::kFaithful) return all;
  const double compute = to_seconds(plan_.timing.compute);
  const double least = std::max(compute, kWatches * to_seconds(limits_.watch_every));
  std::vector<Point> ends;
  Instant last{};
  for (const StepRecord& step : steps_) {
    if (step.end < all.front().time || step.end > all.back().time) continue;
    if (!ends.empty()) {
      const double passed = to_seconds(step.end - last);
      if (passed < 0.99 * least) continue;
      const double pieces = passed > kStalled * least ? std::floor(passed / least) : 1;
      for (double piece = 1; piece < pieces; ++piece)
        ends.push_back(read_by(last + from_seconds(piece * passed / pieces)));
    }
    last = step.end;
    ends.push_back(read_by(last));
  }
  return ends;
}

// Teaches series of what was read. There is one series for each epoch of the framework's client,
// since the slower end of one epoch and start of the next say nothing of the storage.
bool TrialRecorder::teach_reads(Noise& noise, bool free_steps) const {
  // Share of an epoch; after it the first readers have no more work.
  constexpr double kAllReadersBusy = 0.75;
  constexpr double kBlocksMin = 4;      // of one series
  if (reads_.size() <= 3) return true;  // then steps are too few to teach, as well
  bool taught = false;
  const bool restarts = plan_.client == ClientKind::kFaithful;
  const double epoch = static_cast<double>(steps_per_epoch()) * plan_.replicas *
                       static_cast<double>(plan_.timing.batch_samples);
  const std::vector<Point> points = ends_of_blocks(free_steps);
  for (std::size_t first = 0; first + 1 < points.size();) {
    double end = std::numeric_limits<double>::infinity();
    const double at = std::floor(static_cast<double>(points[first].samples) / epoch);
    if (restarts) end = (at + kAllReadersBusy) * epoch;
    std::vector<double> rates;
    std::size_t last = first;
    while (last + 1 < points.size() && static_cast<double>(points[last + 1].samples) < end) {
      ++last;
      rates.push_back(static_cast<double>(points[last].bytes - points[last - 1].bytes) /
                      std::max(1e-9, to_seconds(points[last].time - points[last - 1].time)));
    }
    const double passed = to_seconds(points[last].time - points[first].time);
    const auto reads = static_cast<double>(points[last].samples - points[first].samples);
    if (passed > 0 && reads > 0) {
      const double interval = passed / static_cast<double>(rates.size());
      const double shortest = kReadsOfABlock * passed / reads;
      noise.add(rates, interval, shortest);
      double block = interval;
      while (block < shortest) block *= 2;
      taught = taught || kBlocksMin * block <= passed;
    }
    first = std::max(last, first + 1);
    while (restarts && first < points.size() &&
           static_cast<double>(points[first].samples) <= (at + 1) * epoch)
      ++first;  // and until the next has begun to arrive
  }
  return taught;
}

void TrialRecorder::teach_steps(Noise& noise) const {
  const SteadyState steady = steady_state(plan_, steps_);
  const bool restarts = plan_.client == ClientKind::kFaithful;
  std::vector<double> durations;
  for (std::size_t step = steady.first + 1; step <= steady.last && step < steps_.size(); ++step)
    if (!restarts || step % steps_per_epoch() != 0)
      durations.push_back(to_seconds(steps_[step].end - steps_[step - 1].end));
  if (durations.size() >= 4)
    noise.add(durations, steady.seconds / static_cast<double>(durations.size()), 0);
}

}  // namespace feedrate

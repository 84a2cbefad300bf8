#include "feedrate/find/depth.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace feedrate {
namespace {

constexpr std::uint64_t kFirstReads = 32;
constexpr std::uint64_t kTimesMore = 4;
// Readers of each accelerator, where the limit on all of them allows it. With only one, which waits
// for a slow read now and then, the step barrier makes every accelerator wait.
constexpr std::uint64_t kReadersEach = 4;
constexpr double kAsMuch = 0.9;          // share of a rate that counts as hardly less
constexpr double kMore = 1.03;           // times as much: more
constexpr double kTrialShare = 0.025;    // of the budget, for one trial
constexpr double kTrialShareMax = 0.06;  // where few reads come back
constexpr std::uint64_t kReadsEnough = 2000;
constexpr std::uint64_t kStepsEnough = 12;  // for a kept number of readers: see climb()
constexpr int kClimbsMax = 6;
// Growth of replicas below which hardly more would be asked for.
constexpr double kSameNumber = 1.1;
constexpr std::uint64_t kTransferMax = std::uint64_t{16} << 20U;
// A trial reads no more than this, which is more than any number of accelerators asks for: where
// storage costs next to nothing, its time limit would let it read far more.
constexpr std::uint64_t kSamplesMax = 400'000;

// Climbs one step after another: each measure() is a trial with more reads in flight, or larger
// ones.
class Ladder {
 public:
  Ladder(const FindOptions& options, const TrainingPlan& plan, Session& session,
         std::uint32_t replicas_max, double budget_seconds)
      : options_(options),
        plan_(plan),
        session_(session),
        replicas_(std::min(session.several(), replicas_max)),
        budget_seconds_(budget_seconds) {}

  // Returns what this many reads in flight move [samples/s].
  Result<double> measure(std::uint64_t reads, std::uint64_t transfer) {
    return measure(reads, transfer, replicas_, kReadsEnough);
  }
  // Does the same with this many replicas.
  Result<double> measure(std::uint64_t reads, std::uint64_t transfer, std::uint32_t replicas,
                         std::uint64_t samples_enough) {
    TrialRequest request;
    request.accelerators = replicas * plan_.replica_accelerators();
    request.load = load_of(reads, transfer, replicas);
    request.free_steps = true;
    TrialLimits limits;
    limits.time = from_seconds(budget_seconds_ * kTrialShareMax);
    limits.time_min = from_seconds(budget_seconds_ * kTrialShare);
    limits.samples_enough = samples_enough;
    limits.samples_max = kSamplesMax;
    // A trial in which this host did not run is left out and made again; after a few of them the
    // session fails.
    const std::size_t before = session_.trials().size();
    Session::Outcome outcome;
    while (session_.trials().size() == before) {
      FEEDRATE_TRY(outcome, session_.run(request, limits));
    }
    busy_ = outcome.readers_busy;
    reads_.learn_of_reads(outcome);
    points_.push_back({session_.trials().back().reads_in_flight, transfer,
                       session_.trials().back().bytes_per_second,
                       session_.trials().back().seconds});
    return outcome.samples_per_second;
  }
  // Returns whether the budget has room for a trial with so many reads in flight. On the real clock
  // a trial ends only when all of them have come back, and it tells little where that takes much
  // longer than the trial itself.
  bool has_room(std::uint64_t reads, std::uint64_t transfer, std::uint32_t replicas) const {
    if (!options_.elapsed) return true;
    constexpr double kToEnd = 2;
    const TrialLoad load = load_of(reads, transfer, replicas);
    const double beside = session_.left() - session_.room_for(replicas, load);
    return beside <= kToEnd * kTrialShareMax * budget_seconds_ &&
           session_.room_for(replicas, load) >= kTrialShare * budget_seconds_;
  }
  bool has_room(std::uint64_t reads, std::uint64_t transfer) const {
    return has_room(reads, transfer, replicas_);
  }
  std::uint32_t replicas() const { return replicas_; }
  // Returns how many times the reads in flight have come back and were replaced during the last
  // trial.
  double rounds_of_last() const { return rounds_of(points_.back()); }
  double rounds_of(const DepthPoint& last) const {
    const std::uint64_t whole = plan_.order == AccessOrder::kSequential
                                    ? plan_.dataset->largest_file_bytes()
                                    : plan_.dataset->largest_sample_bytes();
    const auto read = static_cast<double>(std::min(last.transfer_bytes, whole));
    return last.bytes_per_second * last.seconds /
           (std::max(1.0, read) * static_cast<double>(last.reads_in_flight));
  }
  // The share of the readers' time in the last trial in which they had reads in flight.
  double busy_in_last() const { return busy_; }
  void run_ahead(std::uint32_t times) { ahead_ = times; }
  const Depth& reads() const { return reads_; }
  std::uint64_t reads_of_last() const { return points_.back().reads_in_flight; }
  double seconds_of_last() const { return points_.back().seconds; }
  // Returns the trials that tell a rate, the best one of each depth. A trial that ended before its
  // reads in flight had come back once tells none, unless it shows as much all the same.
  std::vector<DepthPoint> points() const {
    std::vector<DepthPoint> told;
    double most = 0;
    for (const DepthPoint& point : points_) {
      const double rate = point.bytes_per_second;
      if (!told.empty() && rate > 0 && rounds_of(point) < 1 && rate < kAsMuch * most) continue;
      most = std::max(most, rate);
      const auto same = std::ranges::find_if(told, [&](const DepthPoint& other) {
        return other.reads_in_flight == point.reads_in_flight &&
               other.transfer_bytes == point.transfer_bytes;
      });
      if (same == told.end())
        told.push_back(point);
      else if (same->bytes_per_second < rate)
        *same = point;
    }
    return told;
  }

 private:
  TrialLoad load_of(std::uint64_t reads, std::uint64_t transfer, std::uint32_t replicas) const {
    Depth depth = reads_;
    depth.reads_used = reads;
    depth.transfer_bytes = transfer;
    depth.windows = ahead_;
    return depth.load_for(options_, plan_, replicas, 1, true);
  }

  const FindOptions& options_;
  const TrainingPlan& plan_;
  Session& session_;
  std::uint32_t replicas_;
  double budget_seconds_;
  double busy_ = 1;
  std::uint32_t ahead_ = 1;
  Depth reads_;  // what was learnt of the times of reads
  std::vector<DepthPoint> points_;
};

// Returns whether a rate is larger by more than noise, and by enough to be worth having. A trial in
// which the reads in flight came back only a few times saw little but its own beginning, so more is
// asked of it.
bool is_more(double rate, double than, const Session& session, double seconds, double rounds) {
  constexpr double kRounds = 4;
  constexpr double kFewRounds = 0.1;
  const double error = session.noise().standard_error(seconds);
  const double noise = std::isfinite(error) ? std::min(2 * error, 0.1) : 0.05;
  const double doubt = rounds < kRounds ? kFewRounds : noise;
  return rate > than * std::max(kMore, 1 + doubt);
}

// Returns whether a rate is certainly smaller. Reads in flight that are not needed do little harm,
// but those that are missing make the storage look slow, so going back to fewer takes certainty.
bool is_less(double rate, double than, const Session& session, double seconds) {
  constexpr double kUnknown = 0.05, kMost = 0.6;
  const double error = session.noise().standard_error(seconds);
  const double doubt = std::isfinite(error) ? std::min(3 * error, kMost) : kUnknown;
  return rate < than * std::min(0.99, 1 - doubt);
}

// Returns whether trials as long as this one are too noisy to tell a useful difference from none.
bool is_blind(const Session& session, double seconds) {
  constexpr double kUseful = 0.1;
  const double error = session.noise().standard_error(seconds);
  return std::isfinite(error) && 2 * error > kUseful;
}

// Where the number of readers is kept, more reads in flight need more replicas. The next trial has
// as many replicas as the rate so far would feed, until those are hardly more than before. What the
// storage moves grows with them, but more and more slowly, so this approaches the crossing from
// below, in two or three trials.
Result<> climb(const FindOptions& options, const TrainingPlan& plan, Session& session,
               std::uint32_t replicas_max, Ladder& ladder, Depth& depth) {
  std::uint32_t replicas = ladder.replicas();
  for (int trial = 0; trial < kClimbsMax && std::isfinite(depth.samples_per_second); ++trial) {
    const double fed = std::floor(depth.replicas_fed(plan, options));
    const auto more = static_cast<std::uint32_t>(std::min<double>(fed, replicas_max));
    if (more < kSameNumber * replicas) break;
    if (!ladder.has_room(depth.reads_used, depth.transfer_bytes, more)) break;
    FEEDRATE_TRY(const double rate,
                 ladder.measure(depth.reads_used, depth.transfer_bytes, more,
                                kStepsEnough * more * plan.timing.batch_samples));
    depth.saturated = !is_more(rate, depth.samples_per_second, session, ladder.seconds_of_last(),
                               ladder.rounds_of_last());
    if (rate > depth.samples_per_second) depth.samples_per_second = rate;
    replicas = more;
    if (depth.saturated) break;
    depth.reads = ladder.reads_of_last();
  }
  return {};
}

// Where the latency has a long tail, one late read holds up the window, and readers wait for room
// in it. Then the windows are the limit, so they are widened until that moves no more.
Result<> run_ahead(const FindOptions& options, const TrainingPlan& plan, Session& session,
                   Ladder& ladder, Depth& depth) {
  constexpr double kBusy = 0.8;
  constexpr std::uint32_t kTimes = 4;
  if (options.keep_prefetch || plan.client != ClientKind::kNative) return {};
  constexpr int kInVain = 2;  // one tail more or less makes a trial of this length
  Depth more = depth;
  int in_vain = 0;
  while (std::isfinite(depth.samples_per_second) && ladder.busy_in_last() < kBusy &&
         in_vain < kInVain) {
    more.windows *= kTimes;
    const std::uint32_t replicas = ladder.replicas();
    // The memory for batches read ahead is used up: a wider window is not to be had.
    if (more.load_for(options, plan, replicas, 1, true).prefetch_batches <=
        depth.load_for(options, plan, replicas, 1, true).prefetch_batches)
      return {};
    if (!ladder.has_room(depth.reads_used, depth.transfer_bytes)) return {};
    ladder.run_ahead(more.windows);
    FEEDRATE_TRY(const double rate, ladder.measure(depth.reads_used, depth.transfer_bytes));
    if (!is_more(rate, depth.samples_per_second, session, ladder.seconds_of_last(),
                 ladder.rounds_of_last())) {
      // Where noise may hide the gain, the windows are widened once more before this gives up.
      in_vain += is_blind(session, ladder.seconds_of_last()) ? 1 : kInVain;
      continue;
    }
    in_vain = 0;
    depth.windows = more.windows;
    depth.samples_per_second = rate;
    depth.saturated = false;
  }
  return {};
}

}  // namespace

std::uint64_t reads_of_a_replica(const FindOptions& options, const TrainingPlan& plan) {
  const std::uint64_t readers = options.keep_readers ? std::max(1U, plan.readers) : 1;
  return readers * reads_of_a_reader(plan);
}

std::uint64_t reads_of_a_reader(const TrainingPlan& plan) {
  const bool split = plan.dataset->largest_sample_bytes() > plan.transfer_bytes;
  return split && plan.level == ByteLevel::kRaw ? plan.transfers_per_sample : 1;
}

std::uint64_t samples_of_a_read(const TrainingPlan& plan, std::uint64_t transfer_bytes) {
  if (plan.order != AccessOrder::kSequential) return 1;
  const std::uint64_t bytes = std::min(transfer_bytes, plan.dataset->largest_file_bytes());
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(static_cast<double>(bytes) /
                                    std::max(1.0, plan.dataset->mean_sample_bytes())));
}

TrialLoad Depth::load_for(const FindOptions& options, const TrainingPlan& plan,
                          std::uint32_t replicas, std::uint32_t ahead, bool free_steps) const {
  TrialLoad load{plan.readers, plan.prefetch_batches,
                 options.keep_transfer ? plan.transfer_bytes : transfer_bytes, plan.buffer_bytes};
  const std::uint64_t batch = plan.micro_batch_samples();
  if (!options.keep_readers) {
    TrainingPlan sized = plan;
    sized.transfer_bytes = load.transfer_bytes;
    const std::uint64_t alone =
        reads_of_a_reader(sized) * replicas;  // reads in flight with a reader each
    const std::uint64_t wanted = std::max(reads_used * ahead / alone, kReadersEach);
    const std::uint64_t allowed = std::max<std::uint64_t>(options.inflight_max / alone, 1);
    load.readers = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, 1, allowed));
  }
  if (!options.keep_prefetch) {
    const bool in_runs = samples_of_a_read(plan, load.transfer_bytes) > 1;
    const double batch_bytes = static_cast<double>(batch) * plan.dataset->mean_sample_bytes();
    const auto affordable = static_cast<std::uint64_t>(static_cast<double>(options.read_ahead_max) /
                                                       std::max(1.0, batch_bytes * replicas));
    // A reader that is alone also needs room for the reads that follow the one in flight.
    const std::uint64_t reading = std::max<std::uint64_t>(load.readers, in_runs ? 2 : 1) *
                                  samples_of_a_read(plan, load.transfer_bytes);
    const std::uint64_t busy = std::max((2 * reading + batch - 1) / batch + 1,
                                        batches_of_the_longest(plan, reading, free_steps));
    const std::uint64_t wanted =
        std::max(plan.prefetch_batches * std::uint64_t{ahead}, busy) * windows;
    load.prefetch_batches = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(std::min(wanted, affordable), 2, 1U << 20U));
  }
  // The bytes of all reads in flight land in the buffers, which may take a quarter of the
  // read-ahead at most.
  const std::uint64_t in_flight =
      reads_used * std::min(load.transfer_bytes, plan.dataset->largest_sample_bytes());
  load.buffer_bytes = std::max(load.buffer_bytes, std::min(in_flight, options.read_ahead_max / 4));
  return load;
}

std::uint64_t Depth::batches_of_the_longest(const TrainingPlan& plan, std::uint64_t samples_reading,
                                            bool free_steps) const {
  if (read_seconds <= 0) return 0;
  const double come = static_cast<double>(samples_reading) * longest_read_seconds / read_seconds /
                      plan.micro_batch_samples();
  const double consumed =
      longest_read_seconds * plan.micro_batches / to_seconds(plan.timing.compute);
  return static_cast<std::uint64_t>(std::ceil(free_steps ? come : std::min(come, consumed))) + 2;
}

void Depth::learn_of_reads(const Session::Outcome& trial) {
  // Times the mean; a longest read below that is a queue, which delays all alike.
  constexpr double kLong = 4;
  if (trial.longest_read_seconds <= std::max(longest_read_seconds, kLong * trial.read_seconds))
    return;
  longest_read_seconds = trial.longest_read_seconds;
  read_seconds = trial.read_seconds;
}

double Depth::replicas_fed(const TrainingPlan& plan, const FindOptions& options) const {
  return samples_per_second * to_seconds(plan.timing.compute) /
         (options.au_threshold * static_cast<double>(plan.timing.batch_samples));
}

Result<Depth> find_depth(const FindOptions& options, const TrainingPlan& plan, Session& session,
                         std::uint32_t replicas_max, double budget_seconds) {
  Ladder ladder(options, plan, session, replicas_max, budget_seconds);
  Depth depth;
  depth.transfer_bytes = plan.transfer_bytes;
  const std::uint64_t most = std::max<std::uint64_t>(1, options.inflight_max);
  const double trial_seconds = budget_seconds * kTrialShare;
  depth.reads = depth.reads_used = std::min(kFirstReads, most);
  FEEDRATE_TRY(depth.samples_per_second, ladder.measure(depth.reads, depth.transfer_bytes));
  depth.reads = ladder.reads_of_last();
  if (options.keep_readers) {
    FEEDRATE_CHECK(climb(options, plan, session, replicas_max, ladder, depth));
  }
  std::uint64_t more = depth.reads_used;
  while (!options.keep_readers && std::isfinite(depth.samples_per_second) && more < most) {
    more = std::min(most, more * kTimesMore);
    if (!ladder.has_room(more, depth.transfer_bytes)) break;
    FEEDRATE_TRY(const double rate, ladder.measure(more, depth.transfer_bytes));
    const double seconds = ladder.seconds_of_last();
    if (!is_more(rate, depth.samples_per_second, session, trial_seconds, ladder.rounds_of_last())) {
      // There is too much noise to say that more reads move no more, so still more are tried.
      const bool all_back = rate > 0 && static_cast<double>(more) <= rate * seconds;
      if (all_back && is_blind(session, seconds) &&
          !is_less(rate, depth.samples_per_second, session, seconds)) {
        // The rates are equal, as far as this trial can tell.
        depth.saturated = std::abs(rate / depth.samples_per_second - 1) < kMore - 1;
        continue;
      }
      // A trial in which nothing came back in time, or which had no more reads in flight, is no
      // evidence.
      const bool told = ladder.rounds_of_last() >= 1 || rate >= kAsMuch * depth.samples_per_second;
      depth.saturated = rate > 0 && told && ladder.reads_of_last() > depth.reads;
      // More reads than are needed do no harm, unless whoever stops the run has to wait for them.
      const bool soon_back = static_cast<double>(more) <= rate * trial_seconds;
      if (soon_back && !is_less(rate, depth.samples_per_second, session, trial_seconds))
        depth.reads_used = more;
      break;
    }
    depth.samples_per_second = rate;
    depth.saturated = false;
    depth.reads_used = more;
    depth.reads = ladder.reads_of_last();
  }
  depth.learn_from(ladder.reads());
  FEEDRATE_CHECK(run_ahead(options, plan, session, ladder, depth));
  ladder.run_ahead(depth.windows);
  // Larger transfers are tried once, where reads are parts of something larger.
  const bool in_runs = plan.order == AccessOrder::kSequential ||
                       plan.dataset->largest_sample_bytes() > plan.transfer_bytes;
  if (!options.keep_transfer && in_runs && plan.client == ClientKind::kNative &&
      std::isfinite(depth.samples_per_second) && plan.transfer_bytes * kTimesMore <= kTransferMax) {
    const std::uint64_t larger = plan.transfer_bytes * kTimesMore;
    double rate = 0;
    if (ladder.has_room(depth.reads_used, larger)) {
      FEEDRATE_TRY(rate, ladder.measure(depth.reads_used, larger));
    }
    if (is_more(rate, depth.samples_per_second, session, trial_seconds, ladder.rounds_of_last())) {
      depth.samples_per_second = rate;
      depth.transfer_bytes = larger;
      depth.saturated = false;
    }
  }
  depth.learn_from(ladder.reads());
  depth.points = ladder.points();
  return depth;
}

}  // namespace feedrate

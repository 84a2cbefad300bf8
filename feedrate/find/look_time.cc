// Decides how long the looks of a search take.
#include <algorithm>
#include <cmath>

#include "feedrate/find/searcher.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

constexpr double kLookShare = 0.2;      // of the budget, for one look at most
constexpr double kLongLookShare = 0.3;  // where a shorter one could not settle
constexpr double kLongerLook = 2.5;
constexpr double kUnsettled = 0.25;  // of the distance from the threshold
constexpr double kSpareOfLook = 1.5, kSpareOfEpoch = 1.1;
constexpr double kReckonedWell = 3;  // times as far off the threshold as the reckoning is in doubt
constexpr int kStepsOfALook = 8, kStepsAtLeast = 4;

}  // namespace

double Search::samples_in_flight(const TrialLoad& load) const {
  return double(load.readers) * double(samples_of_a_read(plan_, load.transfer_bytes));
}

Search::Pace Search::pace(std::uint32_t replicas) const {
  const double value = std::max(0.05, curve().predicted(replicas, crossing()));
  const double rate = std::max(1e-9, depth_.samples_per_second);
  const TrialLoad load = depth_.load_for(options_, plan_, replicas, ahead_);
  const double first =
      replicas * std::max<double>(plan_.timing.batch_samples, samples_in_flight(load));
  return {std::isfinite(rate) ? first / rate : 0, compute() / value, value};
}

double Search::shortest_look(std::uint32_t replicas) const {
  const auto [fill, step, value] = pace(replicas);
  return fill + kStepsAtLeast * step;
}

double Search::seconds_to_decide(std::uint32_t replicas, double value,
                                 const Curve::Estimate& seen) const {
  if (seen.seconds <= 0 && curve().capacity_decides(replicas))
    return kSpareOfLook * curve().shortest_look();
  return std::max(0.0, curve().seconds_to_decide(value) - (seen.of_steps ? seen.seconds : 0));
}

double Search::look_time(std::uint32_t replicas) const {
  const auto [fill, step, value] = pace(replicas);
  // A look that is shorter than the longest reads would see nothing but its own beginning.
  const double longest = std::min(depth_.longest_read_seconds, kLookShare * budget() / 2);
  const double least =
      std::max(2 * std::min(fill, budget() / 4) + (kStepsOfALook + 2) * step, fill + 2 * longest);
  const Curve::Estimate seen = curve().estimate(replicas);
  const double wanted = fill + 2 * step + seconds_to_decide(replicas, value, seen);
  double time = std::clamp(wanted, least, std::max(least, kLookShare * budget()));
  // Where the stock still grew when the last look ended, only a longer look tells.
  const double off = std::abs(seen.value - options_.au_threshold);
  if (seen.more > kUnsettled * off)
    time =
        std::max(time, std::min(kLongerLook * curve().longest_look(replicas) + fill,
                                options_.budget.count() > 0 ? kLongLookShare * budget() : 1e300));
  if (unmeasured_ > 0) time *= 1 << std::min(unmeasured_, 6);
  time = in_whole_epochs(replicas, time, fill, step);
  const double left =
      session_.room_for(replicas, depth_.load_for(options_, plan_, replicas, ahead_));
  if (time <= left) return time;
  return left >= std::min(time, shortest_look(replicas)) ? left : 0;
}

double Search::epoch_seconds(std::uint32_t replicas, double step) const {
  const ShardShape shape{plan_.dataset->samples(), replicas, plan_.timing.batch_samples};
  return kSpareOfEpoch * static_cast<double>(shape.steps_per_epoch()) * step;
}

double Search::in_whole_epochs(std::uint32_t replicas, double time, double fill,
                               double step) const {
  if (plan_.client != ClientKind::kFaithful) return time;
  const double epoch = epoch_seconds(replicas, step) + kSpareOfEpoch * fill;
  const Curve::Estimate seen = curve().estimate(replicas);
  // What was reckoned from parts of epochs cannot settle this number, so a look at a whole epoch
  // may take all that is left.
  const bool too_near =
      kReckonedWell * seen.reckoned > std::abs(seen.value - options_.au_threshold);
  const double most = too_near ? session_.left() : kLongLookShare * budget();
  if (epoch + fill + 2 * step > std::max(time, most)) return time;
  return std::ceil((time - fill - 2 * step) / epoch) * epoch + fill + 2 * step;
}

double Search::still_needed(std::uint32_t replicas, double crossing) const {
  const Curve::Estimate seen = curve().estimate(replicas);
  const double value = curve().predicted(replicas, crossing);
  // Where the stock still grew, the next look must be long enough for that growth to be small
  // beside the distance from the threshold.
  const double off = std::max(std::abs(value - options_.au_threshold), Curve::kPursued);
  // So near the threshold, parts of epochs settle nothing: a whole one is needed.
  if (kReckonedWell * seen.reckoned > off)
    return epoch_seconds(replicas, compute() / std::max(0.05, value));
  if (seen.more > kUnsettled * off)
    return curve().longest_look(replicas) * seen.more / (kUnsettled * off);
  return seconds_to_decide(replicas, value, seen) + kStepsOfALook * compute();
}

std::uint32_t Search::affordable(std::uint32_t near, std::uint32_t far, double crossing,
                                 double side_share) const {
  // Even without a limit, a side that is not known at all comes before one that is to be known
  // exactly.
  const double most = side_share == kFirstShare ? budget() : 100 * budget();
  const double share = side_share * std::min(session_.left(), most);
  const int step = near <= far ? 1 : -1;
  std::uint32_t easiest = near;
  double least = 1e300;
  for (std::uint32_t n = near;; n += step) {
    const double needed = settled(n) ? 1e300 : still_needed(n, crossing);
    if (needed <= share) return n;
    if (needed < 0.9 * least) {
      least = needed;
      easiest = n;
    }
    if (n == far) return easiest;
  }
}

}  // namespace feedrate

#include "feedrate/find/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace feedrate {
namespace {

// The probability of a wrong verdict on one number, half of it in either direction. The interval is
// wrong where the last number that is fed is called not fed, or the next one is called fed. As
// utilisation differs by a whole accelerator's share from one number to the next, only one of the
// two is ever near the threshold.
constexpr double kAlpha = 0.1;
// The sequence is narrowest at this many batches, each as long as so many correlation times.
constexpr double kTightest = 16;
constexpr double kBatchCorrelations = 5;
// No verdict rests on less than this many correlation times.
constexpr double kCorrelationsMin = 5;
constexpr double kLongestReads = 1;  // nor on less time than one of the longest reads takes
// Looks above this utilisation do not show what more the storage could have given.
constexpr double kBelowKnee = 0.97;
// Capacities that differ by less are taken as one: at the knee a barrier costs about as much.
constexpr double kUneven = 0.006;
// A look that lost more than this share in one wait tells no rate of the storage.
constexpr double kOneWait = 0.05;
// The width in standard errors for the last look: two per cent on one side, less what earlier looks
// may have spent.
constexpr double kLastLook = 2.2;
constexpr double kModel = 0.002;  // relative error of taking one capacity for all numbers
constexpr double kAgrees = 1.0;   // standard errors on the right side of the threshold

}  // namespace

Curve::Estimate Curve::estimate(std::uint32_t replicas) const {
  Estimate estimate;
  const auto found = looks_.find(replicas);
  if (found == looks_.end()) return estimate;
  double bound = 2;  // the lowest of the looks that are upper bounds only
  double work = 0;
  double own = 0;
  double more = 0;
  double freedom = 0;
  bool all_late = true;
  // Looks at whole epochs say more than what was reckoned from parts of epochs.
  const bool whole = std::ranges::any_of(
      found->second, [](const Look& look) { return look.of_steps && look.reckoned == 0; });
  for (const Look& look : found->second) {
    if (whole && look.of_steps && look.reckoned > 0) continue;
    if (!look.of_steps) {
      bound = std::min(bound, look.value);
      continue;
    }
    estimate.seconds += look.seconds;
    work += look.seconds * look.value;
    more += look.seconds * look.more;
    estimate.reckoned += look.seconds * look.reckoned;
    estimate.one_wait = std::max(estimate.one_wait, look.one_wait);
    own += look.own_constant * look.own_freedom;
    freedom += look.own_freedom;
    all_late = all_late && look.own_freedom > 0;
  }
  if (estimate.seconds > 0) {
    estimate.value = work / estimate.seconds;
    estimate.more = more / estimate.seconds;
    estimate.reckoned /= estimate.seconds;
    // A wait counts only if more than half of all that was lost was lost in it.
    const bool most = 2 * estimate.one_wait > estimate.seconds - work;
    estimate.one_wait =
        most ? std::min(1.0, work / (estimate.seconds - estimate.one_wait)) - estimate.value : 0;
  } else if (bound < 2) {
    estimate.of_steps = false;
    estimate.value = bound;
    for (const Look& look : found->second)
      if (look.value == bound) estimate.seconds = look.seconds;
  }
  // Noise is relative to what the storage moves, so the error shrinks with the utilisation; 0.05
  // keeps it from vanishing.
  estimate.error = noise_.standard_error(estimate.seconds) * std::min(1.0, estimate.value + 0.05);
  estimate.starving_error = estimate.error;
  // The steps' own noise may be the smaller one, so it is taken only where there are enough steps,
  // and widened for being an estimate itself.
  if (all_late && freedom >= 7 && seconds_enough(estimate.seconds))
    estimate.starving_error =
        std::min(estimate.error, std::sqrt(own / freedom / estimate.seconds) * (1 + 4 / freedom));
  estimate.error = std::hypot(estimate.error, estimate.reckoned);
  estimate.starving_error =
      std::hypot(estimate.starving_error, estimate.reckoned, estimate.one_wait);
  return estimate;
}

bool Curve::seconds_enough(double seconds) const { return seconds >= shortest_look(); }

double Curve::multiple(double seconds) const {
  if (last_) return kLastLook;
  const double correlation = noise_.correlation_seconds();
  const double batches = correlation > 0 ? seconds / (kBatchCorrelations * correlation) : 1e6;
  return sequence_width(std::clamp(batches, 1.0, 1e6), kTightest, kAlpha);
}

Verdict Curve::verdict(std::uint32_t replicas) const {
  const Estimate seen = estimate(replicas);
  if (seen.seconds <= 0 || !std::isfinite(seen.error)) return Verdict::kOpen;
  if (!seconds_enough(seen.seconds)) return Verdict::kOpen;
  const double off = seen.value - threshold_;
  const double width = multiple(seen.seconds) * seen.error;
  if (off + seen.more < -multiple(seen.seconds) * seen.starving_error) return Verdict::kStarve;
  if (!seen.of_steps) return Verdict::kOpen;
  if (off >= width) return Verdict::kFed;
  const Verdict by_capacity = verdict_by_capacity(replicas, seen);
  if (by_capacity != Verdict::kOpen) return by_capacity;
  return std::abs(off) + width + seen.more <= 2 * kPursued && std::abs(off) < kPursued
             ? Verdict::kEdge
             : Verdict::kOpen;
}

Curve::Distance Curve::distance(const Capacity& all, std::uint32_t replicas) const {
  const double share = all.fed / replicas;
  return {share - threshold_, multiple(all.seconds) * all.error / replicas + kModel * share};
}

bool Curve::capacity_decides(std::uint32_t replicas) const {
  const std::optional<Capacity> all = capacity();
  if (!all || !seconds_enough(all->seconds)) return false;
  const auto [off, width] = distance(*all, replicas);
  return std::abs(off) >= width;
}

double Curve::shortest_look() const {
  return std::max(kCorrelationsMin * noise_.correlation_seconds(), kLongestReads * longest_read_);
}

// All looks together know better what the storage feeds than those at one number. They decide where
// the looks at that number agree with them.
Verdict Curve::verdict_by_capacity(std::uint32_t replicas, const Estimate& seen) const {
  const std::optional<Capacity> all = capacity();
  if (!all) return Verdict::kOpen;
  const auto [off, width] = distance(*all, replicas);
  if (off < -width && seen.value + seen.more < threshold_ - kAgrees * seen.error)
    return Verdict::kStarve;
  if (off >= width &&
      seen.value >= threshold_ + std::min(kAgrees * seen.error, 0.5 * (1 - threshold_)))
    return Verdict::kFed;
  return Verdict::kOpen;
}

std::optional<Curve::Capacity> Curve::capacity() const {
  Capacity all;
  double least = 1e300;
  double most = 0;
  double doubt = 0;
  double unsure = 0;
  double reckoned = 0;
  for (const auto& [replicas, looks] : looks_) {
    const Estimate seen = estimate(replicas);
    if (seen.seconds <= 0 || !seen.of_steps || seen.value >= kBelowKnee) continue;
    if (seen.one_wait > kOneWait) continue;  // no rate
    // Everything that the storage delivers counts; the part that may not arrive counts as doubt.
    const double fed = (seen.value + seen.more) * replicas;
    unsure += seen.seconds * seen.more * replicas / 2;
    reckoned += seen.seconds * seen.reckoned * replicas;
    all.seconds += seen.seconds;
    all.fed += seen.seconds * fed;
    all.replicas += seen.seconds * replicas;
    least = std::min(least, fed);
    most = std::max(most, fed);
    doubt = std::max(doubt, (seen.error + seen.more / 2) * replicas);
  }
  if (all.seconds <= 0 || !std::isfinite(doubt)) return std::nullopt;
  all.fed /= all.seconds;
  all.replicas /= all.seconds;
  // Numbers that disagree by more than noise are not limited by one rate of the storage.
  if (most - least > 3 * doubt + kUneven * all.fed) return std::nullopt;
  all.delivered_error =
      std::hypot(all.fed * noise_.standard_error(all.seconds), reckoned / all.seconds);
  all.error = std::hypot(all.delivered_error, unsure / all.seconds);
  return all;
}

double Curve::half_width(const Capacity& all) const {
  if (!seconds_enough(all.seconds)) return std::numeric_limits<double>::infinity();
  return multiple(all.seconds) * all.delivered_error + kModel * all.fed;
}

std::size_t Curve::numbers_below_knee() const {
  std::size_t below = 0;
  for (const auto& [replicas, looks] : looks_) {
    const Estimate seen = estimate(replicas);
    if (seen.seconds > 0 && seen.of_steps && seen.value < kBelowKnee && seen.one_wait <= kOneWait)
      ++below;
  }
  return below;
}

bool Curve::limited_otherwise() const { return numbers_below_knee() >= 2 && !capacity(); }

std::pair<std::uint32_t, std::uint32_t> Curve::below_threshold() const {
  std::uint32_t count = 0;
  std::uint32_t lowest = looks_.empty() ? 1 : looks_.rbegin()->first;
  for (const auto& [replicas, looks] : looks_) {
    if (estimate(replicas).value >= threshold_ - kPursued) continue;
    ++count;
    lowest = std::min(lowest, replicas);
  }
  return {count, lowest};
}

double Curve::seconds_to_decide(double value) const {
  const double off = std::max(std::abs(value - threshold_), kPursued);
  double seconds = shortest_look();
  // The multiple shrinks as batches come in, so the fixed point is found in a few rounds.
  for (int round = 0; round < 8; ++round) {
    const double width = multiple(std::max(seconds, 1e-6));
    const double scale = width * std::min(1.0, value + 0.05) / off;
    seconds = std::max(shortest_look(), noise_.constant() * scale * scale);
  }
  return seconds;
}

std::uint32_t Curve::fed() const {
  std::uint32_t most = 0;
  for (const auto& [replicas, looks] : looks_)
    if (verdict(replicas) == Verdict::kFed) most = std::max(most, replicas);
  return most;
}

std::optional<std::uint32_t> Curve::starving() const {
  for (const auto& [replicas, looks] : looks_)
    if (verdict(replicas) == Verdict::kStarve) return replicas;
  return std::nullopt;
}

bool Curve::contradicts_itself() const {
  const auto starves = starving();
  return starves && fed() > *starves;
}

double Curve::crossing(double otherwise) const {
  if (const auto all = capacity()) return all->fed / threshold_;
  // Numbers near the threshold know best, so weights fall with the square of the distance from it.
  double weights = 0;
  double sum = 0;
  for (const auto& [replicas, looks] : looks_) {
    const Estimate seen = estimate(replicas);
    if (seen.seconds <= 0 || seen.value >= 0.985) continue;
    const double off = std::abs(seen.value - threshold_) + 0.02;
    const double weight = seen.seconds / (off * off);
    weights += weight;
    sum += weight * seen.value * replicas / threshold_;
  }
  return weights > 0 ? sum / weights : otherwise;
}

double Curve::predicted(std::uint32_t replicas, double crossing) const {
  const Estimate seen = estimate(replicas);
  const double model = std::min(1.0, threshold_ * crossing / replicas);
  if (seen.seconds <= 0 || !seen.of_steps) return model;
  return seen.value;
}

namespace {

struct Half {
  double seconds = 0, work = 0, unsure = 0, doubt = 0;
  double value() const { return work / seconds; }
  double unknown() const { return doubt / seconds; }  // reckoned, or lost in one wait
  double more() const { return unsure / seconds; }    // see SteadyState
};

std::array<Half, 2> cut_in_halves(const std::vector<Look>& looks) {
  std::array<Half, 2> halves;
  const double middle = (looks.front().at + looks.back().at) / 2;
  for (const Look& look : looks) {
    if (!look.of_steps) continue;
    Half& half = halves[look.at > middle ? 1 : 0];
    half.seconds += look.seconds;
    half.work += look.seconds * look.value;
    half.unsure += look.seconds * look.more;
    half.doubt += look.seconds * look.reckoned + look.one_wait;
  }
  return halves;
}

}  // namespace

bool Curve::changed(std::uint32_t replicas, double step_seconds) const {
  const auto found = looks_.find(replicas);
  if (found == looks_.end()) return false;
  const auto [first, second] = cut_in_halves(found->second);
  if (first.seconds <= 0 || second.seconds <= 0) return false;
  const Half& lower = first.value() < second.value() ? first : second;
  // The lower half may be as high in the long run: then its stock had only not been filled yet.
  const double difference = std::abs(first.value() - second.value()) - lower.more();
  const double error = std::hypot(
      std::hypot(noise_.standard_error(first.seconds), noise_.standard_error(second.seconds)),
      std::hypot(first.unknown(), second.unknown()));
  return difference > 5 * kPursued &&
         difference > step_seconds / std::min(first.seconds, second.seconds) &&
         difference > multiple(std::min(first.seconds, second.seconds)) * error;
}

std::pair<double, double> Curve::halves(std::uint32_t replicas) const {
  const auto [first, second] = cut_in_halves(looks_.at(replicas));
  return std::minmax(first.value(), second.value());
}

double Curve::half_width(std::uint32_t replicas) const {
  const Estimate seen = estimate(replicas);
  const double times = multiple(seen.seconds);
  // A number that was decided by the noise of its own steps is reported with that noise.
  const bool by_steps = seen.value + seen.more - threshold_ < -times * seen.starving_error;
  return std::min(1.0, times * (by_steps ? seen.starving_error : seen.error));
}

double Curve::longest_look(std::uint32_t replicas) const {
  double longest = 0;
  const auto found = looks_.find(replicas);
  if (found == looks_.end()) return 0;
  for (const Look& look : found->second) longest = std::max(longest, look.seconds);
  return longest;
}

void Curve::forget_from(std::uint32_t replicas) {
  std::erase_if(looks_, [&](const auto& entry) {
    return entry.first >= replicas || verdict(entry.first) != Verdict::kFed;
  });
}

double Curve::apart(std::uint32_t replicas) const {
  const auto found = looks_.find(replicas);
  return found == looks_.end() ? 0 : found->second.back().at - found->second.front().at;
}

}  // namespace feedrate

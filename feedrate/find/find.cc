#include "feedrate/find/find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/units.h"
#include "feedrate/find/reason.h"
#include "feedrate/find/searcher.h"

namespace feedrate {
namespace {

constexpr std::uint32_t kAlike = 3;  // numbers below the threshold, while none above it was seen
constexpr double kTurnShare = 0.3;   // of the budget, to look at later readings
constexpr double kRateShare = 0.05;  // share of the budget for measuring the rate of later readings
constexpr std::uint64_t kRateSamples = 400'000;
// Share of what the storage moves; accelerators that get less may need a wider window.
constexpr double kPromised = 0.97;

}  // namespace

Result<> Search::run(const FindObserver& observer) {
  FEEDRATE_TRY(depth_, find_depth(options_, plan_, session_, limit_, budget()));
  session_.forget_noise_beyond(depth_.reads_used);
  for (Curve* const curve : {&first_, &again_}) curve->reads_take(depth_.longest_read_seconds);
  FEEDRATE_CHECK(read_the_rest());
  if (options_.at_least > 0) return look_only_at(options_.at_least / replica());
  while (true) {
    FEEDRATE_CHECK(turn_to_later_readings());
    std::optional<std::uint32_t> next = choose();
    if (!next) return {};
    double time = look_time(*next);
    if (time <= 0 && curve().looks().empty()) {
      // Even the number that is easiest to decide takes too long to look at. One look where the
      // boundary may be is better than none.
      next =
          static_cast<std::uint32_t>(std::clamp(std::floor(crossing()) + 1, 1.0, double(limit_)));
      time = look_time(*next);
    }
    if (time <= 0) return {};
    FEEDRATE_CHECK(look(*next, time));
    FEEDRATE_CHECK(try_more_ahead());
    if (observer.known) observer.known(result());
  }
}

double Search::crossing() const {
  const auto [count, lowest] = curve().below_threshold();
  // Short epochs of the framework's client bend the curve as well, but not so far.
  const bool otherwise = options_.goes_on && curve().limited_otherwise();
  if (otherwise || (count >= kAlike && curve().fed() == 0))
    return std::sqrt(std::max(1.0, double(curve().fed())) *
                     std::min(lowest, curve().starving().value_or(lowest)));
  return curve().crossing(depth_.replicas_fed(plan_, options_));
}

Result<> Search::read_the_rest() {
  std::uint64_t before = session_.unread() + 1;
  while (options_.goes_on && session_.unread() > 0 && session_.unread() < before &&
         depth_.samples_per_second > 0 && std::isfinite(depth_.samples_per_second)) {
    before = session_.unread();
    const double needed = static_cast<double>(session_.unread()) / depth_.samples_per_second;
    // A first pass that would take a large part of the budget is not worth it: the answer is then
    // about first readings.
    if (needed > kFirstPassShare * std::min(budget(), session_.left())) return {};
    if (options_.samples_max > 0 && static_cast<double>(session_.unread()) >
                                        kFirstPassShare * static_cast<double>(options_.samples_max))
      return {};
    FEEDRATE_TRY(const Session::Outcome outcome,
                 measure_rate(needed * 1.2, session_.unread() + plan_.timing.batch_samples));
    if (outcome.samples_per_second <= 0) break;
  }
  return {};
}

Result<Session::Outcome> Search::measure_rate(double seconds, std::uint64_t samples, double share,
                                              std::uint64_t transfer_bytes) {
  TrialRequest request;
  const std::uint32_t several = std::min(session_.several(), limit_);
  request.accelerators = several * replica();
  request.load = depth_.load_for(options_, plan_, several, 1, true);
  const double readers = std::floor(share * static_cast<double>(request.load.readers));
  request.load.readers = static_cast<std::uint32_t>(std::max(1.0, readers));
  if (transfer_bytes > 0) request.load.transfer_bytes = transfer_bytes;
  request.free_steps = true;
  TrialLimits limits;
  limits.time = from_seconds(std::max(seconds, 0.05));
  limits.samples_max = samples;
  return session_.run(request, limits);
}

Result<> Search::turn_to_later_readings() {
  if (reads_again_ || stays_with_first_ || !options_.goes_on || session_.unread() > 0) return {};
  const double left = std::min(session_.left(), 100 * budget());
  stays_with_first_ = left < kTurnShare * budget() || options_.samples_max > 0;
  if (stays_with_first_) return {};
  FEEDRATE_TRY(const Session::Outcome outcome, measure_rate(kRateShare * budget(), kRateSamples));
  reads_again_ = true;
  ahead_refused_ = 0;
  const Session::Rate before = session_.first_reading();
  const double after = outcome.samples_per_second;
  again_rate_ =
      compared_rate_ = {after, outcome.seconds, outcome.reads_in_flight, depth_.transfer_bytes};
  FEEDRATE_CHECK(compare_at_one_depth(before));
  // Where later readings are as fast as the first ones, what was seen so far holds for them too.
  if (before.seconds > 0 && after > 0 && std::isfinite(after)) {
    const double error = std::hypot(session_.noise().standard_error(before.seconds),
                                    session_.noise().standard_error(outcome.seconds));
    const double doubt = std::isfinite(error) ? std::max(kAsFast, 3 * error) : kAsFast;
    if (std::abs(after / before.samples_per_second - 1) <= doubt) again_.take_from(first_);
  }
  if (after > 0 && again_.looks().empty()) depth_.samples_per_second = after;
  return {};
}

// A first pass that is over before the depth is found had fewer reads in flight than what follows.
Result<> Search::compare_at_one_depth(const Session::Rate& first) {
  if (first.seconds <= 0 || as_many_in_flight(first, again_rate_) ||
      again_rate_.samples_per_second <= (1 + kAsFast) * first.samples_per_second)
    return {};
  const double share =
      static_cast<double>(first.reads_in_flight) / static_cast<double>(again_rate_.reads_in_flight);
  FEEDRATE_TRY(const Session::Outcome outcome,
               measure_rate(kRateShare * budget(), kRateSamples, share, first.transfer_bytes));
  if (outcome.samples_per_second > 0)
    compared_rate_ = {outcome.samples_per_second, outcome.seconds, outcome.reads_in_flight,
                      first.transfer_bytes};
  return {};
}

bool Search::seen_long_enough(std::uint32_t replicas) const {
  constexpr double kFar = 0.1;
  const double off = std::abs(curve().estimate(replicas).value - options_.au_threshold);
  return off >= kFar || curve().apart(replicas) >= apart_wanted();
}

std::uint32_t Search::fewer_that_would_starve(std::uint32_t replicas) const {
  constexpr double kFarBeyond = 1.5;
  const double far = std::ceil(kFarBeyond * depth_.replicas_fed(plan_, options_));
  return far >= 1 ? static_cast<std::uint32_t>(std::min<double>(far, replicas)) : replicas;
}

Result<> Search::look_only_at(std::uint32_t asked) {
  FEEDRATE_CHECK(turn_to_later_readings());
  FEEDRATE_CHECK(look_until_known(fewer_that_would_starve(asked)));
  if (verdict_on_asked(asked) != Verdict::kStarve) FEEDRATE_CHECK(look_until_known(asked));
  return {};
}

Result<> Search::look_until_known(std::uint32_t replicas) {
  while (curve().verdict(replicas) == Verdict::kOpen || !seen_long_enough(replicas)) {
    const double time = look_time(replicas);
    if (time <= 0) break;
    FEEDRATE_CHECK(look(replicas, time));
    FEEDRATE_CHECK(try_more_ahead());
  }
  curve().look_last();
  return {};
}

Result<> Search::look(std::uint32_t replicas, double time) {
  TrialRequest request;
  request.accelerators = replicas * replica();
  request.load = depth_.load_for(options_, plan_, replicas, ahead_);
  TrialLimits limits;
  limits.time = from_seconds(time);
  // A look in which the first reading of the data set ends says nothing of either reading. So it
  // ends with the first reading, and where little of that is left, the rest is read before the
  // look.
  const std::uint64_t unread = options_.goes_on && !reads_again_ ? session_.unread() : 0;
  const double taken =
      std::min(depth_.samples_per_second, replicas * plan_.timing.batch_samples / compute());
  if (unread > 0 && static_cast<double>(unread) < taken * shortest_look(replicas)) {
    FEEDRATE_CHECK(measure_rate(1.2 * static_cast<double>(unread) / taken,
                                unread + plan_.timing.batch_samples));
    return {};
  }
  limits.samples_max = unread;
  FEEDRATE_TRY(const Session::Outcome outcome, session_.run(request, limits));
  depth_.learn_of_reads(outcome);
  for (Curve* const curve : {&first_, &again_}) curve->reads_take(depth_.longest_read_seconds);
  const Utilisation& seen = outcome.utilisation;
  if (outcome.reading == Session::Reading::kMixed) return {};
  const double before = curve().estimate(replicas).seconds;
  if (seen.seconds > 0)
    curve().add(replicas, {session_.spent(), seen.seconds, seen.value, seen.of_steps, seen.more,
                           seen.own_constant, seen.own_freedom, seen.reckoned, seen.one_wait});
  // A look that told nothing is followed by longer ones.
  if (curve().estimate(replicas).seconds <= before) ++unmeasured_;
  return {};
}

std::optional<std::uint32_t> Search::last_by_capacity(std::uint32_t fed,
                                                      std::uint32_t starving) const {
  const auto range = by_capacity();
  if (!range || starving > limit_) return std::nullopt;
  const auto whole = [&](double n) {
    return static_cast<std::uint32_t>(
        std::clamp<double>(std::floor(n), fed, std::max(fed, starving - 1)));
  };
  if (whole(range->first) != whole(range->second)) return std::nullopt;
  return whole(range->first);
}

std::uint32_t Search::leap(std::uint32_t fed) const {
  constexpr double kKnown = 0.985;
  return curve().estimate(fed).value < kKnown ? 1 : std::max(1U, fed / 4);
}

std::optional<std::uint32_t> Search::choose() const {
  const std::uint32_t fed = std::min(curve().fed(), limit_);
  const std::uint32_t starving = curve().starving().value_or(limit_ + 1);
  if (fed >= starving)  // contradictory: look again at the one that was looked at for less time
    return curve().estimate(fed).seconds <= curve().estimate(starving).seconds ? fed : starving;
  // What is delivered may tell the answer before the windows of the numbers around it have filled.
  // Something other than the storage's rate may limit fewer accelerators, so the last number that
  // this rate feeds is looked at as well.
  if (const auto last = last_by_capacity(fed, starving)) {
    const Curve::Estimate seen = curve().estimate(*last);
    if (*last > fed && seen.seconds <= 0) return last;
    if (*last == fed || (seen.of_steps && seen.value >= options_.au_threshold - Curve::kPursued))
      return second_look(fed, starving);
  }
  const double x = crossing();
  const double guess = std::clamp(std::floor(x), 0.0, static_cast<double>(limit_));
  auto below = std::clamp(static_cast<std::uint32_t>(guess), fed, starving - 1);
  // Every number so far was fed. Go up by leaps, since what feeds a few may feed many.
  if (starving > limit_ && fed > 0 && below == fed && fed < limit_)
    below = std::min(limit_, guess > fed ? static_cast<std::uint32_t>(guess) : fed + leap(fed));
  const std::uint32_t above = std::clamp(below + 1, fed + 1, starving);
  std::uint32_t lowest = fed + 1;  // not yet proven either way
  while (lowest < starving && settled(lowest)) ++lowest;
  if (lowest >= starving) return second_look(fed, starving);
  std::uint32_t highest = starving - 1;
  while (highest > fed && settled(highest)) --highest;
  const bool lower_open = below > fed && lowest <= below && !(settled(below) && lowest > below);
  const bool upper_open = above < starving && highest >= above;
  std::optional<std::uint32_t> lower, upper;
  if (lower_open) lower = affordable(below, lowest, x, fed == 0 ? kFirstShare : kSideShare);
  if (upper_open)
    upper = affordable(above, highest, x, starving > limit_ ? kFirstShare : kSideShare);
  if (lower && settled(*lower)) lower = lowest;
  if (upper && settled(*upper)) upper = highest;
  if (!lower && !upper) return lowest;
  if (!lower || !upper) return lower ? lower : upper;
  if ((fed == 0) != (starving > limit_)) return fed == 0 ? lower : upper;
  const double below_gap = static_cast<double>(below - fed) / std::max(1U, below);
  const double above_gap = static_cast<double>(starving - above) / std::max(1U, above);
  if (fed == 0 && starving > limit_) {  // start where it is most likely decided either way
    if (curve().looks().empty()) return upper;
    return still_needed(*upper, x) < still_needed(*lower, x) ? upper : lower;
  }
  return below_gap >= above_gap ? lower : upper;
}

std::optional<std::uint32_t> Search::second_look(std::uint32_t fed, std::uint32_t starving) const {
  const double apart = apart_wanted();
  const bool low = fed > 0 && curve().apart(fed) < apart;
  const bool high = starving <= limit_ && curve().apart(starving) < apart;
  if (low && high)
    return curve().looks().at(fed).back().at < curve().looks().at(starving).back().at ? fed
                                                                                      : starving;
  if (low) return fed;
  if (high) return starving;
  return std::nullopt;
}

Result<> Search::try_more_ahead() {
  const std::uint32_t starving = curve().starving().value_or(0);
  if (starving == 0 || options_.keep_prefetch || starving == ahead_refused_) return {};
  // The wider window is tried only where the accelerators get less than both their demand and what
  // the storage was seen to move, by more than noise.
  const double reached = curve().estimate(starving).value * starving;
  const double promised =
      std::min<double>(starving, options_.au_threshold * depth_.replicas_fed(plan_, options_));
  const double doubt = 2 * curve().estimate(starving).error * starving;
  if (!curve().estimate(starving).of_steps || reached + doubt >= kPromised * promised) return {};
  const TrialLoad now = depth_.load_for(options_, plan_, starving, ahead_);
  const TrialLoad more = depth_.load_for(options_, plan_, starving, ahead_ * 4);
  ahead_refused_ = starving;
  if (more.prefetch_batches <= now.prefetch_batches) return {};
  const double before = curve().estimate(starving).value;
  const double time = look_time(starving);
  if (time <= 0) return {};
  ahead_ *= 4;
  Curve with_less = curve();
  curve().forget_from(starving);
  FEEDRATE_CHECK(look(starving, time));
  const Curve::Estimate after = curve().estimate(starving);
  if (after.value > before + std::max(0.01, 2 * after.error)) {
    ahead_refused_ = 0;
    return {};
  }
  ahead_ /= 4;
  curve().take_from(with_less);
  return {};
}

OwnLimit Search::own_limit(const FindResult& result) const {
  constexpr double kBusy = 0.8;  // share of the allowed reads in flight that counts as all of them
  if (!result.beyond || plan_.client != ClientKind::kNative) return OwnLimit::kNone;
  const RunResult& beyond = *result.beyond;
  const std::uint32_t replicas = beyond.job.accelerators / replica();
  const TrialLoad now = depth_.load_for(options_, plan_, replicas, ahead_);
  const bool busy = beyond.in_flight_mean >= kBusy * static_cast<double>(beyond.in_flight_limit);
  TrainingPlan sized = plan_;
  sized.transfer_bytes = now.transfer_bytes;
  const std::uint64_t more = (now.readers + 1) * reads_of_a_reader(sized) * replicas;
  if (busy && !options_.keep_readers && more > options_.inflight_max)
    return OwnLimit::kReadsInFlight;
  Depth wider = depth_;
  wider.windows *= 4;
  const bool no_room =
      wider.load_for(options_, plan_, replicas, ahead_).prefetch_batches <= now.prefetch_batches;
  return !busy && no_room && !options_.keep_prefetch ? OwnLimit::kReadAhead : OwnLimit::kNone;
}

Result<FindResult> find_accelerators(const FindOptions& options, const TrainingPlan& plan,
                                     std::uint64_t accelerators_by_data, std::uint32_t several,
                                     const TrialRunner& run, const FindObserver& observer,
                                     const std::stop_token& stop) {
  std::uint64_t most = std::min<std::uint64_t>(options.accelerators_max, accelerators_by_data);
  if (options.bound_inflight) {
    const std::uint64_t replicas = options.inflight_max / reads_of_a_replica(options, plan);
    most = std::min(most, std::max<std::uint64_t>(1, replicas) * plan.replica_accelerators());
  }
  const auto limit = static_cast<std::uint32_t>(most / plan.replica_accelerators());
  Session session(options, plan, several, run, observer, stop);
  Search search(options, plan, session, limit);
  const Result<> ended = search.run(observer);
  // An interrupted search still has an answer, if it made a trial.
  if (!ended && (ended.error().kind() != ErrorKind::kCancelled || session.trials().empty()))
    return fail(ended.error());
  FindResult result = search.result();
  result.interrupted = !ended.has_value();
  explain(options, plan, accelerators_by_data, search.own_limit(result), result);
  return result;
}

}  // namespace feedrate

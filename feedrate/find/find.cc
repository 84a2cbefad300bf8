#include "feedrate/find/find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/units.h"
#include "feedrate/find/depth.h"
#include "feedrate/find/reason.h"
#include "feedrate/find/search.h"
#include "feedrate/find/session.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {
namespace {

constexpr double kUnboundedSeconds = 60;  // what chunks are measured by where there is no budget
constexpr double kLookShare = 0.2;        // of the budget, for one look at most
constexpr double kLongLookShare = 0.3;    // where a shorter one could not settle
constexpr double kLongerLook = 2.5;
constexpr double kUnsettled = 0.25;      // of the distance from the threshold
constexpr std::uint32_t kAlike = 3;      // numbers below the threshold, and none above it
constexpr double kSideShare = 0.35;      // of what is left, for the verdict on one side
constexpr double kFirstShare = 0.12;     // where that side is not known at all
constexpr double kApartShare = 1.0 / 3;  // of the budget, between two looks at the boundary
constexpr int kStepsOfALook = 8, kStepsAtLeast = 4;
constexpr double kFirstPassShare = 0.25;  // of the budget, to read all of a small data set once
constexpr double kTurnShare = 0.3;        // of the budget, to look at later readings
constexpr double kAsFast = 0.03;          // rates that differ by less are one
constexpr double kRateShare = 0.05;       // of the budget, for what the storage moves then
constexpr std::uint64_t kRateSamples = 400'000;
constexpr double kSpareOfEpoch = 1.1;
constexpr double kReckonedWell = 3;  // times as far off the threshold as the reckoning is in doubt
constexpr double kNarrowSpare = 1.3, kSpareOfLook = 1.5;
constexpr double kPromised = 0.97;  // of what the storage moves: less reaches the accelerators

class Search {
 public:
  Search(const FindOptions& options, const TrainingPlan& plan, Session& session,
         std::uint32_t limit)
      : options_(options),
        plan_(plan),
        session_(session),
        limit_(limit),
        first_(options.au_threshold, session.noise()),
        again_(options.au_threshold, session.noise()) {}

  Result<> run(const FindObserver& observer) {
    FEEDRATE_TRY(depth_, find_depth(options_, plan_, session_, limit_, budget()));
    session_.forget_noise_beyond(depth_.reads_used);
    FEEDRATE_CHECK(read_the_rest());
    if (options_.at_least > 0) return look_only_at(options_.at_least / replica());
    while (true) {
      FEEDRATE_CHECK(turn_to_later_readings());
      const std::optional<std::uint32_t> next = choose();
      if (!next) return {};
      const double time = look_time(*next);
      if (time <= 0) return {};
      FEEDRATE_CHECK(look(*next, time));
      FEEDRATE_CHECK(try_more_ahead());
      if (observer.known) observer.known(result());
    }
  }

  FindResult result() const;

 private:
  // From where to where the threshold is crossed, in replicas, for all that starves shows.
  std::optional<std::pair<double, double>> by_capacity() const;
  std::uint32_t replica() const { return plan_.replica_accelerators(); }
  Curve& curve() { return reads_again_ ? again_ : first_; }
  const Curve& curve() const { return reads_again_ ? again_ : first_; }
  double budget() const {
    return options_.budget.count() > 0 ? to_seconds(options_.budget) : kUnboundedSeconds;
  }
  double compute() const { return to_seconds(plan_.timing.compute); }
  // Where the curve is thought to meet the threshold. What starves alike at several numbers is not
  // limited by the storage's rate: then halfway between what is known.
  double crossing() const {
    const auto [count, lowest] = curve().below_threshold();
    // Short epochs of the framework's client bend the curve, too, but not so far.
    const bool otherwise = options_.goes_on && curve().limited_otherwise();
    if (otherwise || (count >= kAlike && curve().fed() == 0))
      return std::sqrt(std::max(1.0, double(curve().fed())) *
                       std::min(lowest, curve().starving().value_or(lowest)));
    return curve().crossing(depth_.replicas_fed(plan_, options_));
  }

  // A data set that is read in a small part of the budget is read once first, for what that gives;
  // the rest of the search is then about later readings.
  Result<> read_the_rest() {
    std::uint64_t before = session_.unread() + 1;
    while (options_.goes_on && session_.unread() > 0 && session_.unread() < before &&
           depth_.samples_per_second > 0 && std::isfinite(depth_.samples_per_second)) {
      before = session_.unread();
      const double needed = static_cast<double>(session_.unread()) / depth_.samples_per_second;
      if (needed > kFirstPassShare * std::min(budget(), session_.left())) return {};
      if (options_.samples_max > 0 &&
          static_cast<double>(session_.unread()) >
              kFirstPassShare * static_cast<double>(options_.samples_max))
        return {};
      FEEDRATE_TRY(const Session::Outcome outcome,
                   measure_rate(needed * 1.2, session_.unread() + plan_.timing.batch_samples));
      if (outcome.samples_per_second <= 0) break;
    }
    return {};
  }

  Result<Session::Outcome> measure_rate(double seconds, std::uint64_t samples) {
    TrialRequest request;
    const std::uint32_t several = std::min(session_.several(), limit_);
    request.accelerators = several * replica();
    request.load = depth_.load_for(options_, plan_, several, 1);
    request.free_steps = true;
    TrialLimits limits;
    limits.time = from_seconds(std::max(seconds, 0.05));
    limits.samples_max = samples;
    return session_.run(request, limits);
  }

  // Once all has been read the rest of the search is about later readings. What was seen of the
  // first ones holds for them where they are as fast; else it says nothing of them, and the search
  // begins anew, if enough of the budget is left for that.
  Result<> turn_to_later_readings() {
    if (reads_again_ || stays_with_first_ || !options_.goes_on || session_.unread() > 0) return {};
    const double left = std::min(session_.left(), 100 * budget());
    stays_with_first_ = left < kTurnShare * budget() || options_.samples_max > 0;
    if (stays_with_first_) return {};
    FEEDRATE_TRY(const Session::Outcome outcome, measure_rate(kRateShare * budget(), kRateSamples));
    reads_again_ = true;
    ahead_refused_ = 0;
    const Session::Rate before = session_.first_reading();
    const double after = outcome.samples_per_second;
    again_rate_ = {after, outcome.seconds, outcome.reads_in_flight};
    if (before.seconds > 0 && after > 0 && std::isfinite(after)) {
      const double error = std::hypot(session_.noise().standard_error(before.seconds),
                                      session_.noise().standard_error(outcome.seconds));
      const double doubt = std::isfinite(error) ? std::max(kAsFast, 3 * error) : kAsFast;
      if (std::abs(after / before.samples_per_second - 1) <= doubt) again_.take_from(first_);
    }
    if (after > 0 && again_.looks().empty()) depth_.samples_per_second = after;
    return {};
  }

  // What is near the threshold is looked at twice, like a boundary.
  bool seen_long_enough(std::uint32_t replicas) const {
    constexpr double kFar = 0.1;
    const double off = std::abs(curve().estimate(replicas).value - options_.au_threshold);
    return off >= kFar || curve().apart(replicas) >= apart_wanted();
  }
  double apart_wanted() const {
    return kApartShare * (options_.budget.count() > 0 ? budget() : session_.spent());
  }

  std::optional<ColdAnswer> cold_answer() const;
  void add_circumstances(FindResult& result) const;
  void describe_trials(FindResult& result) const;
  void add_points(std::uint32_t fed, std::uint32_t starving, std::uint32_t& low,
                  std::uint32_t& high, FindResult& result) const;

  // What is far beyond what the storage moved takes long to look at, and starves where fewer do.
  std::uint32_t fewer_that_would_starve(std::uint32_t replicas) const {
    constexpr double kFarBeyond = 1.5;
    const double far = std::ceil(kFarBeyond * depth_.replicas_fed(plan_, options_));
    return far >= 1 ? static_cast<std::uint32_t>(std::min<double>(far, replicas)) : replicas;
  }
  Verdict verdict_on_asked(std::uint32_t replicas) const {
    const auto starving = curve().starving();
    return starving && *starving <= replicas ? Verdict::kStarve : curve().verdict(replicas);
  }

  Result<> look_only_at(std::uint32_t asked) {
    FEEDRATE_CHECK(turn_to_later_readings());
    FEEDRATE_CHECK(look_until_known(fewer_that_would_starve(asked)));
    if (verdict_on_asked(asked) != Verdict::kStarve) FEEDRATE_CHECK(look_until_known(asked));
    return {};
  }

  Result<> look_until_known(std::uint32_t replicas) {
    while (curve().verdict(replicas) == Verdict::kOpen || !seen_long_enough(replicas)) {
      const double time = look_time(replicas);
      if (time <= 0) break;
      FEEDRATE_CHECK(look(replicas, time));
      FEEDRATE_CHECK(try_more_ahead());
    }
    curve().look_last();
    return {};
  }

  Result<> look(std::uint32_t replicas, double time) {
    TrialRequest request;
    request.accelerators = replicas * replica();
    request.load = depth_.load_for(options_, plan_, replicas, ahead_);
    TrialLimits limits;
    limits.time = from_seconds(time);
    FEEDRATE_TRY(const Session::Outcome outcome, session_.run(request, limits));
    const Utilisation& seen = outcome.utilisation;
    if (outcome.reading == Session::Reading::kMixed) return {};
    const double before = curve().estimate(replicas).seconds;
    if (seen.seconds > 0)
      curve().add(replicas, {session_.spent(), seen.seconds, seen.value, seen.of_steps, seen.more,
                             seen.own_constant, seen.own_freedom, seen.reckoned});
    // A look that told nothing is followed by longer ones.
    if (curve().estimate(replicas).seconds <= before) ++unmeasured_;
    return {};
  }

  // Of a trial with so many: how long the first batches take, and a step that is as long as its AU
  // makes it.
  double samples_in_flight(const TrialLoad& load) const {  // of one replica
    return double(load.readers) * double(samples_of_a_read(plan_, load.transfer_bytes));
  }
  struct Pace {
    double fill, step, utilisation;
  };
  Pace pace(std::uint32_t replicas) const {
    const double value = std::max(0.05, curve().predicted(replicas, crossing()));
    const double rate = std::max(1e-9, depth_.samples_per_second);
    const TrialLoad load = depth_.load_for(options_, plan_, replicas, ahead_);
    const double first =
        replicas * std::max<double>(plan_.timing.batch_samples, samples_in_flight(load));
    return {std::isfinite(rate) ? first / rate : 0, compute() / value, value};
  }
  double shortest_look(std::uint32_t replicas) const {
    const auto [fill, step, value] = pace(replicas);
    return fill + kStepsAtLeast * step;
  }

  // On the real clock a trial ends when the last read in flight has come back.
  double seconds_to_end(std::uint32_t replicas) const {
    if (!options_.elapsed || !std::isfinite(depth_.samples_per_second)) return 0;
    const TrialLoad load = depth_.load_for(options_, plan_, replicas, ahead_);
    return samples_in_flight(load) * replicas / std::max(1e-9, depth_.samples_per_second);
  }

  // The last number that is fed, where by_capacity() leaves only one.
  std::optional<std::uint32_t> last_by_capacity(std::uint32_t fed, std::uint32_t starving) const {
    const auto range = by_capacity();
    if (!range || starving > limit_) return std::nullopt;
    const auto whole = [&](double n) {
      return static_cast<std::uint32_t>(
          std::clamp<double>(std::floor(n), fed, std::max(fed, starving - 1)));
    };
    if (whole(range->first) != whole(range->second)) return std::nullopt;
    return whole(range->first);
  }

  // More seconds of look at so many, whose utilisation is thought to be `value`.
  double seconds_to_decide(std::uint32_t replicas, double value,
                           const Curve::Estimate& seen) const {
    if (seen.seconds <= 0 && curve().capacity_decides(replicas))
      return kSpareOfLook * curve().shortest_look();
    return std::max(0.0, curve().seconds_to_decide(value) - (seen.of_steps ? seen.seconds : 0));
  }

  // How long the next look at so many should last; 0: it does not fit any more.
  double look_time(std::uint32_t replicas) const {
    const auto [fill, step, value] = pace(replicas);
    const double least = 2 * std::min(fill, budget() / 4) + (kStepsOfALook + 2) * step;
    const Curve::Estimate seen = curve().estimate(replicas);
    const double wanted = fill + 2 * step + seconds_to_decide(replicas, value, seen);
    double time = std::clamp(wanted, least, std::max(least, kLookShare * budget()));
    // A stock that still grew when the last look ended: only a longer one tells.
    const double off = std::abs(seen.value - options_.au_threshold);
    if (seen.more > kUnsettled * off)
      time =
          std::max(time, std::min(kLongerLook * curve().longest_look(replicas) + fill,
                                  options_.budget.count() > 0 ? kLongLookShare * budget() : 1e300));
    if (unmeasured_ > 0) time *= 1 << std::min(unmeasured_, 6);
    time = in_whole_epochs(replicas, time, fill, step);
    const double left = session_.left() - seconds_to_end(replicas);
    if (time <= left) return time;
    return left >= std::min(time, shortest_look(replicas)) ? left : 0;
  }

  double epoch_seconds(std::uint32_t replicas, double step) const {
    const ShardShape shape{plan_.dataset->samples(), replicas, plan_.timing.batch_samples};
    return kSpareOfEpoch * static_cast<double>(shape.steps_per_epoch()) * step;
  }

  // The framework's client begins anew each epoch. Where one is no longer than a look may be, a
  // look is made of whole ones.
  double in_whole_epochs(std::uint32_t replicas, double time, double fill, double step) const {
    if (plan_.client != ClientKind::kFaithful) return time;
    const double epoch = epoch_seconds(replicas, step) + kSpareOfEpoch * fill;
    const Curve::Estimate seen = curve().estimate(replicas);
    // What was reckoned from parts of epochs does not settle it: at most all that is left.
    const bool too_near =
        kReckonedWell * seen.reckoned > std::abs(seen.value - options_.au_threshold);
    const double most = too_near ? session_.left() : kLongLookShare * budget();
    if (epoch + fill + 2 * step > std::max(time, most)) return time;
    return std::ceil((time - fill - 2 * step) / epoch) * epoch + fill + 2 * step;
  }

  double still_needed(std::uint32_t replicas, double crossing) const {
    const Curve::Estimate seen = curve().estimate(replicas);
    const double value = curve().predicted(replicas, crossing);
    // A look whose stock still grew has to be so much longer that this is little beside the
    // distance from the threshold.
    const double off = std::max(std::abs(value - options_.au_threshold), Curve::kPursued);
    // What was reckoned from parts of epochs settles nothing so near: a whole one is needed.
    if (kReckonedWell * seen.reckoned > off)
      return epoch_seconds(replicas, compute() / std::max(0.05, value));
    if (seen.more > kUnsettled * off)
      return curve().longest_look(replicas) * seen.more / (kUnsettled * off);
    return seconds_to_decide(replicas, value, seen) + kStepsOfALook * compute();
  }

  // Of the numbers from `near` to `far`, which grow easier to decide, the first that what is left
  // will do for; the easiest where it does for none.
  std::uint32_t affordable(std::uint32_t near, std::uint32_t far, double crossing,
                           double side_share) const {
    // Without a limit, too, a side that is not known at all comes before one that is known exactly.
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

  // How far to go up from a number that is fed: where no look has shown what the storage can give,
  // and all that was expected is fed, one by one would not come to an end.
  std::uint32_t leap(std::uint32_t fed) const {
    constexpr double kKnown = 0.985;
    return curve().estimate(fed).value < kKnown ? 1 : std::max(1U, fed / 4);
  }

  // That would decide this number and the next, where what was seen so far is a guide. Where that
  // would take much longer than this search, and N is large: one that leaves fewer numbers.
  void name_narrower_budget(std::uint32_t guess, double crossing, FindResult& result) const {
    constexpr double kTooLong = 10, kTenth = 0.1;
    const double budget = narrower_budget(guess, crossing);
    result.narrower_budget_seconds = budget;
    result.narrower_numbers = 1;
    const double left =
        (result.accelerators_high - result.accelerators_low + 1.0) / replica();  // replicas
    const double numbers = std::floor(std::min(kTenth * guess, left / 2));
    if (options_.at_least > 0 || numbers < 2 || budget <= kTooLong * session_.spent()) return;
    // Its interval would be as wide as so many numbers of the curve.
    const double off = options_.au_threshold * numbers / 2 / guess;
    const double value = options_.au_threshold - off;
    const double needed = session_.spent() + kNarrowSpare * curve().seconds_to_decide(value) /
                                                 std::max(0.1, measured_share());
    if (!(needed < budget)) return;
    result.narrower_budget_seconds = std::max(needed, kNarrowSpare * to_seconds(options_.budget));
    result.narrower_numbers = static_cast<std::uint32_t>(numbers) * replica();
  }
  // Of the time of the search so far, what looks measured.
  double measured_share() const {
    double measured = 0;
    for (const auto& [replicas, looks] : curve().looks())
      for (const Look& look : looks) measured += look.seconds;
    return session_.spent() > 0 ? measured / session_.spent() : 1;
  }
  double narrower_budget(std::uint32_t guess, double crossing) const {
    constexpr double kMost = 24 * 3600;
    constexpr double kNoGuide = 4;
    const double needed = kNarrowSpare * (session_.spent() + still_needed(guess, crossing) +
                                          still_needed(std::min(guess + 1, limit_), crossing));
    if (!std::isfinite(needed)) return kNoGuide * std::max(session_.spent(), 1.0);
    const double budget = options_.budget.count() > 0 ? to_seconds(options_.budget) : 0;
    return std::min(kMost, std::max(needed, kNarrowSpare * budget));
  }

  // That would hold a look, where what the storage moves is known, from short trials alone: with
  // much to spare. Where it would go through the data set, too, it has to be read once before.
  double first_look_budget() const {
    constexpr double kSpare = 2, kDepthShare = 0.45;
    if (!(depth_.samples_per_second > 0)) return 0;
    const double look = shortest_look(choose().value_or(1)) * (1 << std::min(unmeasured_, 6));
    const double share = std::min(kDepthShare, session_.spent() / budget());
    const double needed = kSpare * std::max(session_.spent() + look, look / (1 - share));
    const double pass = static_cast<double>(plan_.dataset->samples()) / depth_.samples_per_second;
    return options_.goes_on && needed > pass ? std::max(needed, pass / kFirstPassShare + look)
                                             : needed;
  }

  bool settled(std::uint32_t n) const { return curve().verdict(n) != Verdict::kOpen; }
  // The next number to look at; none when nothing is left to tell.
  std::optional<std::uint32_t> choose() const;
  std::optional<std::uint32_t> second_look(std::uint32_t fed, std::uint32_t starving) const;

  // Where the accelerators get less than the storage moves, batches arrive unevenly, and more of
  // them ahead may help.
  Result<> try_more_ahead();

  const FindOptions& options_;
  const TrainingPlan& plan_;
  Session& session_;
  std::uint32_t limit_;  // replicas
  // One curve for data read for the first time, one for data read again: a cache of the storage
  // makes them differ.
  Curve first_, again_;
  Session::Rate again_rate_;
  bool reads_again_ = false, stays_with_first_ = false;
  Depth depth_;
  std::uint32_t ahead_ = 1;  // times the window that keeps the readers busy
  std::uint32_t ahead_refused_ = 0;
  int unmeasured_ = 0;
};

std::optional<std::uint32_t> Search::choose() const {
  const std::uint32_t fed = std::min(curve().fed(), limit_);
  const std::uint32_t starving = curve().starving().value_or(limit_ + 1);
  if (fed >= starving)  // contradictory: whoever was looked at for less time
    return curve().estimate(fed).seconds <= curve().estimate(starving).seconds ? fed : starving;
  // What is delivered may tell before the windows of the numbers around it have filled. Something
  // else than the storage's rate may limit fewer, so the last that it feeds is looked at, too.
  if (const auto last = last_by_capacity(fed, starving)) {
    const Curve::Estimate seen = curve().estimate(*last);
    if (*last > fed && seen.seconds <= 0) return last;
    if (*last == fed || (seen.of_steps && seen.value >= options_.au_threshold - Curve::kPursued))
      return second_look(fed, starving);
  }
  const double x = crossing();
  const double guess = std::clamp(std::floor(x), 0.0, static_cast<double>(limit_));
  auto below = std::clamp(static_cast<std::uint32_t>(guess), fed, starving - 1);
  // Nothing starved yet: go up by leaps, since what feeds few may feed many.
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

// What first readings gave, where later ones give something else.
std::optional<ColdAnswer> Search::cold_answer() const {
  if (!reads_again_ || again_.looks().empty()) return std::nullopt;
  const double a = options_.au_threshold;
  const double to_replicas = to_seconds(plan_.timing.compute) / (a * plan_.timing.batch_samples);
  const Session::Rate first = session_.first_reading();
  if (first.seconds <= 0) return std::nullopt;
  double x = first.samples_per_second * to_replicas;
  double error = session_.noise().standard_error(first.seconds);
  if (const auto seen = first_.capacity()) {
    x = seen->fed / a;
    error = seen->error / seen->fed;
  }
  if (!std::isfinite(x) || !std::isfinite(error)) return std::nullopt;
  constexpr double kWidth = 3;
  constexpr double kRateModel = 0.01;  // how well a rate without pauses says what accelerators get
  const double doubt = kWidth * error + kRateModel;
  const auto whole = [&](double value) {
    return static_cast<std::uint32_t>(
               std::clamp(std::floor(value), 0.0, static_cast<double>(limit_))) *
           replica();
  };
  ColdAnswer cold{whole(x), whole(x * (1 - doubt)), whole(x * (1 + doubt))};
  const double bytes = plan_.dataset->mean_sample_bytes();
  cold.bytes_per_second = first.samples_per_second * bytes;
  cold.again_bytes_per_second = again_rate_.samples_per_second * bytes;
  // Alike: a cache makes later readings faster, by more than noise, or it makes no difference.
  const double faster = again_rate_.samples_per_second / first.samples_per_second - 1;
  const double noise = std::hypot(session_.noise().standard_error(first.seconds),
                                  session_.noise().standard_error(again_rate_.seconds));
  if (!(faster > std::max(kAsFast, 3 * noise))) return std::nullopt;
  // More reads in flight move more, too, without any cache.
  constexpr double kAsMany = 0.8;
  if (static_cast<double>(first.reads_in_flight) <
      kAsMany * static_cast<double>(again_rate_.reads_in_flight))
    return std::nullopt;
  if (crossing() - x < 1.5) return std::nullopt;
  return cold;
}

// What the search cost, and what it had to do.
void Search::add_circumstances(FindResult& result) const {
  result.spent_seconds = session_.spent();
  result.budget_seconds = to_seconds(options_.budget);
  result.samples_max = options_.samples_max;
  result.samples_read = session_.read_all_it_may();
  const double noise = session_.noise().constant();
  result.noise_seconds = std::isfinite(noise) ? noise : 0;
  result.correlation_seconds = session_.noise().correlation_seconds();
  result.depth_reads = depth_.reads;
  result.transfer_bytes = depth_.transfer_bytes;
  const std::uint32_t at = std::max(1U, result.accelerators / replica());
  const TrialLoad load = depth_.load_for(options_, plan_, at, ahead_);
  result.read_ahead_bytes = double(at) * load.prefetch_batches * plan_.micro_batch_samples() *
                            plan_.dataset->mean_sample_bytes();
  result.depths = depth_.points;
  result.saturated = depth_.saturated;
  result.trials = session_.trials();
}

// What was seen of each number; a boundary that moved widens the interval [low, high].
void Search::add_points(std::uint32_t fed, std::uint32_t starving, std::uint32_t& low,
                        std::uint32_t& high, FindResult& result) const {
  for (const auto& [replicas, looks] : curve().looks()) {
    const Curve::Estimate seen = curve().estimate(replicas);
    static constexpr const char* kVerdicts[] = {"open", "fed", "starve", "edge"};
    // What still fills windows may or may not reach the accelerators: the middle of both.
    const double open = seen.more / 2;
    result.points.push_back({replicas * replica(), seen.value + open,
                             std::min(1.0, curve().half_width(replicas) + open), seen.seconds,
                             static_cast<std::uint32_t>(looks.size()),
                             kVerdicts[static_cast<int>(curve().verdict(replicas))]});
    if (!curve().changed(replicas, compute())) continue;
    const auto [least, most] = curve().halves(replicas);
    // Of the boundary, or what was on the other side of it at another time.
    const bool crossed = least < options_.au_threshold && most >= options_.au_threshold;
    if (replicas != fed && replicas != starving && !crossed) continue;
    result.findings.push_back(fmt::format(
        "the storage changed meanwhile: AU of {} was {:.1f} % at one time and {:.1f} % at another",
        replicas * replica(), 100 * least, 100 * most));
    const auto reach = [&](double value) {
      return static_cast<std::uint32_t>(
          std::clamp(std::floor(value * replicas / options_.au_threshold), 0.0, double(limit_)));
    };
    low = std::min(low, reach(least));
    high = std::max(high, reach(most));
  }
}

// What starves shows what the storage feeds. Where accelerators that take no time were given as
// much, it is the storage's rate and nothing else, and bounds numbers that nobody has looked at;
// what has only filled windows so far will reach accelerators, too.
std::optional<std::pair<double, double>> Search::by_capacity() const {
  // A rate that is known less well would agree with anything; where looks at several numbers agree,
  // too, it may be known half as well.
  const double sharp = curve().numbers_below_knee() >= 2 ? 0.3 : 0.15;
  constexpr double kModel = 0.03;
  constexpr double kWidth = 3;
  const auto all = curve().capacity();
  if (!all || all->fed <= 0 || plan_.client != ClientKind::kNative) return std::nullopt;
  const Session::Rate rate = reads_again_ ? again_rate_ : session_.first_reading();
  const double promised = rate.samples_per_second * compute() / plan_.timing.batch_samples;
  const double doubt = kWidth * std::hypot(session_.noise().standard_error(rate.seconds),
                                           all->delivered_error / all->fed);
  if (!(doubt < sharp) || std::abs(promised / all->fed - 1) > doubt + kModel) return std::nullopt;
  const double width = curve().half_width(*all);
  return std::pair{(all->fed - width) / options_.au_threshold,
                   (all->fed + width) / options_.au_threshold};
}

FindResult Search::result() const {
  FindResult result;
  result.client = to_string(plan_.client);
  result.job.accelerator = plan_.timing.accelerator;
  result.job.au_threshold = options_.au_threshold;
  result.limit = limit_ * replica();
  const std::uint32_t fed = std::min(curve().fed(), limit_);
  const std::uint32_t starving = curve().starving().value_or(limit_ + 1);
  std::uint32_t low = std::min(fed, starving - 1);
  std::uint32_t high = std::max(starving - 1, fed);
  if (fed >= starving)
    result.findings.push_back(
        fmt::format("{} were fed and {} were not: this is not one curve, so the interval holds both",
                    fed * replica(), starving * replica()));
  else if (const auto range = by_capacity()) {
    const auto whole = [&](double n) {
      return static_cast<std::uint32_t>(std::clamp<double>(std::floor(n), low, high));
    };
    high = whole(range->second);
    low = whole(range->first);
  }
  add_points(fed, starving, low, high, result);
  settle_points(low * replica(), high * replica(), result);
  const double x = crossing();
  const auto guess = static_cast<std::uint32_t>(std::clamp(std::floor(x), 0.0, double(limit_)));
  result.measured = !curve().looks().empty();
  if (!result.measured) result.first_look_budget_seconds = first_look_budget();
  result.accelerators = std::clamp(guess, low, high) * replica();
  result.accelerators_low = low * replica();
  result.accelerators_high = high * replica();
  if (low < high && options_.at_least == 0) {
    const auto all_edges = [&] {
      for (std::uint32_t n = low + 1; n <= high; ++n)
        if (curve().verdict(n) != Verdict::kEdge) return false;
      return true;
    };
    if (!all_edges()) name_narrower_budget(std::max(1U, guess), x, result);
  }
  if (options_.at_least > 0) {
    result.asked = options_.at_least;
    const Verdict verdict = verdict_on_asked(options_.at_least / replica());
    result.answer = verdict == Verdict::kFed      ? "pass"
                    : verdict == Verdict::kStarve ? "fail"
                                                  : "undecided";
    if (verdict == Verdict::kOpen)
      result.narrower_budget_seconds = narrower_budget(options_.at_least / replica(), x);
  }
  if (session_.read_all_it_may() && result.narrower_budget_seconds > 0)
    result.findings.push_back(fmt::format(
        "the search of the {} client ended after {} samples, as one without --budget does; "
        "--until-sure sets no limit",
        result.client, format_count(static_cast<double>(options_.samples_max))));
  if (session_.discarded() > 0)
    result.findings.push_back(fmt::format(
        "{} left out, since this host did not let the client run for a part of it",
        session_.discarded() == 1 ? "a trial was"
                                  : fmt::format("{} trials were", session_.discarded())));
  // Where noise would hide a difference nothing is said of one.
  constexpr double kCanTell = 0.05;
  result.read_again = reads_again_ && !again_.looks().empty() &&
                      session_.noise().standard_error(again_rate_.seconds) < kCanTell;
  result.cold = cold_answer();
  add_circumstances(result);
  result.at_answer = session_.last_run(low * replica());
  if (starving <= limit_) result.beyond = session_.last_run(starving * replica());
  describe_trials(result);
  return result;
}

// What all trials have in common is told of one of them.
void Search::describe_trials(FindResult& result) const {
  std::optional<RunResult> run = result.at_answer ? result.at_answer : result.beyond;
  if (!run && !curve().looks().empty())
    run = session_.last_run(curve().looks().rbegin()->first * replica());
  if (!run) return;
  result.job = run->job;
  result.dataset = run->dataset;
  result.reactors = run->reactors;
  result.io = run->place.io;
  result.clock = run->place.clock;
  result.seeds = run->seeds;
  result.warnings = run->warnings;
  result.errors = run->errors;
}

}  // namespace

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
  if (!ended && (ended.error().kind() != ErrorKind::kCancelled || session.trials().empty()))
    return fail(ended.error());
  FindResult result = search.result();
  result.interrupted = !ended.has_value();
  explain(options, plan, accelerators_by_data, result);
  return result;
}

}  // namespace feedrate

#include "feedrate/find/find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/find/depth.h"
#include "feedrate/find/reason.h"
#include "feedrate/find/search.h"
#include "feedrate/find/session.h"

namespace feedrate {
namespace {

constexpr double kUnboundedSeconds = 60;  // what chunks are measured by where there is no budget
constexpr double kLookShare = 0.15;       // of the budget, for one look at most
constexpr double kLongLookShare = 0.3;    // where a shorter one could not settle
constexpr double kLongerLook = 2.5;
constexpr double kUnsettled = 0.25;      // of the distance from the threshold
constexpr std::uint32_t kAlike = 3;      // numbers below the threshold, and none above it
constexpr double kSideShare = 0.35;      // of what is left, for the verdict on one side
constexpr double kFirstShare = 0.12;     // where that side is not known at all
constexpr double kApartShare = 1.0 / 3;  // of the budget, between two looks at the boundary
constexpr int kStepsOfALook = 8;
constexpr double kPromised = 0.97;  // of what the storage moves: less reaches the accelerators

class Search {
 public:
  Search(const FindOptions& options, const TrainingPlan& plan, Session& session,
         std::uint32_t limit)
      : options_(options),
        plan_(plan),
        session_(session),
        limit_(limit),
        curve_(options.au_threshold, session.noise()) {}

  Result<> run(const FindObserver& observer) {
    FEEDRATE_TRY(depth_, find_depth(options_, plan_, session_, limit_, budget()));
    if (options_.at_least > 0) return look_only_at(options_.at_least / replica());
    while (true) {
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
  void answer_asked(double crossing, FindResult& result) const;  // --at-least
  std::uint32_t replica() const { return plan_.replica_accelerators(); }
  double budget() const {
    return options_.budget.count() > 0 ? to_seconds(options_.budget) : kUnboundedSeconds;
  }
  double compute() const { return to_seconds(plan_.timing.compute); }
  // Where the curve is thought to meet the threshold. What starves alike at several numbers is not
  // limited by the storage's rate: then halfway between what is known.
  double crossing() const {
    const auto [count, lowest] = curve_.below_threshold();
    if (curve_.limited_otherwise() || (count >= kAlike && curve_.fed() == 0))
      return std::sqrt(std::max(1.0, double(curve_.fed())) *
                       std::min(lowest, curve_.starving().value_or(lowest)));
    return curve_.crossing(depth_.replicas_fed(plan_, options_));
  }

  Result<> look_only_at(std::uint32_t replicas) {
    while (curve_.verdict(replicas) == Verdict::kOpen) {
      const double time = look_time(replicas);
      if (time <= 0) break;
      FEEDRATE_CHECK(look(replicas, time));
      FEEDRATE_CHECK(try_more_ahead());
    }
    curve_.look_last();
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
    if (seen.seconds > 0)
      curve_.add(replicas, {session_.spent(), seen.seconds, seen.value, seen.of_steps, seen.more,
                            seen.own_constant, seen.own_freedom});
    else
      ++unmeasured_;
    return {};
  }

  // How long the next look at so many should last; 0: it does not fit any more.
  double look_time(std::uint32_t replicas) const {
    const double value = std::max(0.05, curve_.predicted(replicas, crossing()));
    const double step = compute() / value;
    const double rate = std::max(1e-9, depth_.samples_per_second);
    const TrialLoad load = depth_.load_for(options_, plan_, replicas, ahead_);
    const double first = replicas * std::max<double>(plan_.timing.batch_samples, load.readers);
    const double fill = std::isfinite(rate) ? first / rate : 0;
    const double least = 2 * std::min(fill, budget() / 4) + (kStepsOfALook + 2) * step;
    const Curve::Estimate seen = curve_.estimate(replicas);
    const double wanted =
        fill + 2 * step +
        std::max(0.0, curve_.seconds_to_decide(value) - (seen.of_steps ? seen.seconds : 0));
    double time = std::clamp(wanted, least, std::max(least, kLookShare * budget()));
    // A stock that still grew when the last look ended: only a longer one tells.
    const double off = std::abs(seen.value - options_.au_threshold);
    if (seen.more > kUnsettled * off)
      time = std::max(time, std::min(kLongerLook * curve_.longest_look(replicas) + fill,
                                     kLongLookShare * budget()));
    if (unmeasured_ > 0) time *= 1 << std::min(unmeasured_, 6);
    const double left = session_.left();
    if (time <= left) return time;
    return left >= std::min(time, fill + 4 * step) ? left : 0;
  }

  double still_needed(std::uint32_t replicas, double crossing) const {
    const Curve::Estimate seen = curve_.estimate(replicas);
    const double value = curve_.predicted(replicas, crossing);
    // A look whose stock still grew has to be so much longer that this is little beside the
    // distance from the threshold.
    const double off = std::max(std::abs(value - options_.au_threshold), Curve::kPursued);
    if (seen.more > kUnsettled * off)
      return curve_.longest_look(replicas) * seen.more / (kUnsettled * off);
    return std::max(0.0, curve_.seconds_to_decide(value) - (seen.of_steps ? seen.seconds : 0)) +
           kStepsOfALook * compute();
  }

  // Of the numbers from `near` to `far`, which grow easier to decide, the first that what is left
  // will do for; the easiest where it does for none.
  std::uint32_t affordable(std::uint32_t near, std::uint32_t far, double crossing,
                           double side_share) const {
    const double share = side_share * std::min(session_.left(), 100 * budget());
    const int step = near <= far ? 1 : -1;
    std::uint32_t easiest = near;
    double least = 1e300;
    for (std::uint32_t n = near;; n += step) {
      const double needed = still_needed(n, crossing);
      if (needed <= share) return n;
      if (needed < 0.9 * least) {
        least = needed;
        easiest = n;
      }
      if (n == far) return easiest;
    }
  }

  // That would decide this number and the next, where what was seen so far is a guide.
  double narrower_budget(std::uint32_t guess, double crossing) const {
    constexpr double kSpare = 1.3;
    constexpr double kMost = 24 * 3600;
    constexpr double kNoGuide = 4;
    const double needed = kSpare * (session_.spent() + still_needed(guess, crossing) +
                                    still_needed(std::min(guess + 1, limit_), crossing));
    if (!std::isfinite(needed)) return kNoGuide * std::max(session_.spent(), 1.0);
    const double budget = options_.budget.count() > 0 ? to_seconds(options_.budget) : 0;
    return std::min(kMost, std::max(needed, kSpare * budget));
  }

  bool settled(std::uint32_t n) const { return curve_.verdict(n) != Verdict::kOpen; }

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
  Curve curve_;
  Depth depth_;
  std::uint32_t ahead_ = 1;  // times the window that keeps the readers busy
  std::uint32_t ahead_refused_ = 0;
  int unmeasured_ = 0;
};

std::optional<std::uint32_t> Search::choose() const {
  const std::uint32_t fed = std::min(curve_.fed(), limit_);
  const std::uint32_t starving = curve_.starving().value_or(limit_ + 1);
  if (fed >= starving)  // contradictory: whoever was looked at for less time
    return curve_.estimate(fed).seconds <= curve_.estimate(starving).seconds ? fed : starving;
  const double x = crossing();
  const double guess = std::clamp(std::floor(x), 0.0, static_cast<double>(limit_));
  auto below = std::clamp(static_cast<std::uint32_t>(guess), fed, starving - 1);
  // Nothing starved yet: go up by leaps, since what feeds few may feed many.
  if (starving > limit_ && fed > 0 && below == fed && fed < limit_)
    below = std::min(limit_, std::max(fed + 1, static_cast<std::uint32_t>(guess)));
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
  if (fed == 0 && starving > limit_)  // start where it is most likely decided either way
    return curve_.looks().empty() ? upper : lower;
  return below_gap >= above_gap ? lower : upper;
}

std::optional<std::uint32_t> Search::second_look(std::uint32_t fed, std::uint32_t starving) const {
  const double apart =
      options_.budget.count() > 0 ? kApartShare * budget() : kApartShare * session_.spent();
  const bool low = fed > 0 && curve_.apart(fed) < apart;
  const bool high = starving <= limit_ && curve_.apart(starving) < apart;
  if (low && high)
    return curve_.looks().at(fed).back().at < curve_.looks().at(starving).back().at ? fed
                                                                                    : starving;
  if (low) return fed;
  if (high) return starving;
  return std::nullopt;
}

Result<> Search::try_more_ahead() {
  const std::uint32_t starving = curve_.starving().value_or(0);
  if (starving == 0 || options_.keep_prefetch || starving == ahead_refused_) return {};
  const double reached = curve_.estimate(starving).value * starving;
  const double promised =
      std::min<double>(starving, options_.au_threshold * depth_.replicas_fed(plan_, options_));
  if (!curve_.estimate(starving).of_steps || reached >= kPromised * promised) return {};
  const TrialLoad now = depth_.load_for(options_, plan_, starving, ahead_);
  const TrialLoad more = depth_.load_for(options_, plan_, starving, ahead_ * 4);
  ahead_refused_ = starving;
  if (more.prefetch_batches <= now.prefetch_batches) return {};
  const double before = curve_.estimate(starving).value;
  const double time = look_time(starving);
  if (time <= 0) return {};
  ahead_ *= 4;
  Curve with_less = curve_;
  curve_.forget_from(starving);
  FEEDRATE_CHECK(look(starving, time));
  const Curve::Estimate after = curve_.estimate(starving);
  if (after.value > before + std::max(0.01, 2 * after.error)) {
    ahead_refused_ = 0;
    return {};
  }
  ahead_ /= 4;
  curve_.take_from(with_less);
  return {};
}

void Search::answer_asked(double crossing, FindResult& result) const {
  result.asked = options_.at_least;
  const Verdict verdict = curve_.verdict(options_.at_least / replica());
  result.answer = verdict == Verdict::kFed      ? "pass"
                  : verdict == Verdict::kStarve ? "fail"
                                                : "undecided";
  if (verdict == Verdict::kOpen)
    result.narrower_budget_seconds = narrower_budget(options_.at_least / replica(), crossing);
}

FindResult Search::result() const {
  FindResult result;
  result.client = to_string(plan_.client);
  result.accelerator = plan_.timing.accelerator;
  result.au_threshold = options_.au_threshold;
  result.limit = limit_ * replica();
  const std::uint32_t fed = std::min(curve_.fed(), limit_);
  const std::uint32_t starving = curve_.starving().value_or(limit_ + 1);
  std::uint32_t low = std::min(fed, starving - 1);
  std::uint32_t high = std::max(starving - 1, fed);
  if (fed >= starving)
    result.findings.push_back(
        fmt::format("{} were fed and {} starved: this is not one curve, so the interval holds both",
                    fed * replica(), starving * replica()));
  for (const auto& [replicas, looks] : curve_.looks()) {
    const Curve::Estimate seen = curve_.estimate(replicas);
    static constexpr const char* kVerdicts[] = {"open", "fed", "starve", "edge"};
    result.points.push_back({replicas * replica(), seen.value, curve_.half_width(replicas),
                             seen.seconds, static_cast<std::uint32_t>(looks.size()),
                             kVerdicts[static_cast<int>(curve_.verdict(replicas))]});
    if (!curve_.changed(replicas)) continue;
    const auto [least, most] = curve_.halves(replicas);
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
  const double x = crossing();
  const auto guess = static_cast<std::uint32_t>(std::clamp(std::floor(x), 0.0, double(limit_)));
  result.measured = !curve_.looks().empty();
  result.accelerators = std::clamp(guess, low, high) * replica();
  result.accelerators_low = low * replica();
  result.accelerators_high = high * replica();
  if (low < high && options_.at_least == 0) {
    const auto all_edges = [&] {
      for (std::uint32_t n = low + 1; n <= high; ++n)
        if (curve_.verdict(n) != Verdict::kEdge) return false;
      return true;
    };
    if (!all_edges()) result.narrower_budget_seconds = narrower_budget(std::max(1U, guess), x);
  }
  if (options_.at_least > 0) answer_asked(x, result);
  result.spent_seconds = session_.spent();
  result.budget_seconds = to_seconds(options_.budget);
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
  result.at_answer = session_.last_run(low * replica());
  if (starving <= limit_) result.beyond = session_.last_run(starving * replica());
  if (!curve_.looks().empty())
    result.any = session_.last_run(curve_.looks().rbegin()->first * replica());
  return result;
}

}  // namespace

Result<FindResult> find_accelerators(const FindOptions& options, const TrainingPlan& plan,
                                     std::uint64_t accelerators_by_data, std::uint32_t several,
                                     const TrialRunner& run, const FindObserver& observer,
                                     const std::stop_token& stop) {
  std::uint64_t most = std::min<std::uint64_t>(options.accelerators_max, accelerators_by_data);
  if (options.bound_inflight)
    most =
        std::min(most, std::max<std::uint64_t>(1, options.inflight_max / reads_of_a_reader(plan)) *
                           plan.replica_accelerators());
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

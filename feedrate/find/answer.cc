// What a search has found: the answer, its interval, and the circumstances in which it holds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/units.h"
#include "feedrate/find/reason.h"
#include "feedrate/find/searcher.h"

namespace feedrate {

bool as_many_in_flight(const Session::Rate& first, const Session::Rate& again) {
  constexpr double kAsMany = 0.8;
  return first.transfer_bytes >= again.transfer_bytes &&
         static_cast<double>(first.reads_in_flight) >=
             kAsMany * static_cast<double>(again.reads_in_flight);
}

// Returns what first readings of the data gave, where later readings give something else.
std::optional<ColdAnswer> Search::cold_answer() const {
  if (!reads_again_ || again_.looks().empty()) return std::nullopt;
  const double a = options_.au_threshold;
  const double to_replicas = to_seconds(plan_.timing.compute) / (a * plan_.timing.batch_samples);
  const Session::Rate first = session_.first_reading();
  if (first.seconds <= 0) return std::nullopt;
  const double by_rate = first.samples_per_second * to_replicas;
  double x = by_rate;
  double error = session_.noise().standard_error(first.seconds);
  if (const auto seen = first_.capacity()) {
    x = seen->fed / a;
    error = seen->error / seen->fed;
  }
  if (!std::isfinite(x) || !std::isfinite(error)) return std::nullopt;
  constexpr double kWidth = 3;
  // Error of taking a rate without pauses for what accelerators get.
  constexpr double kRateModel = 0.01;
  const double doubt = kWidth * error + kRateModel;
  const auto whole = [&](double value) {
    return static_cast<std::uint32_t>(
               std::clamp(std::floor(value), 0.0, static_cast<double>(limit_))) *
           replica();
  };
  // First readings are few, and looks at them short. Where these say something else than the rate,
  // the interval has room for both.
  ColdAnswer cold{whole(x), whole(std::min(x * (1 - doubt), by_rate * (1 - kRateModel))),
                  whole(std::max(x * (1 + doubt), by_rate * (1 + kRateModel)))};
  const double bytes = plan_.dataset->mean_sample_bytes();
  cold.bytes_per_second = first.samples_per_second * bytes;
  cold.again_bytes_per_second = again_rate_.samples_per_second * bytes;
  // A cache makes later readings faster by more than noise. Where it does not, one answer is
  // enough.
  const double faster = compared_rate_.samples_per_second / first.samples_per_second - 1;
  const double noise = std::hypot(session_.noise().standard_error(first.seconds),
                                  session_.noise().standard_error(compared_rate_.seconds));
  if (!(faster > std::max(kAsFast, 3 * noise))) return std::nullopt;
  if (!as_many_in_flight(first, compared_rate_)) return std::nullopt;
  // A difference of about one replica may be rounding, so it is not reported.
  if (crossing() - x < 1.5) return std::nullopt;
  return cold;
}

// Returns whether first and later readings can be compared. Where noise would hide a difference,
// none is reported.
bool Search::can_compare_readings() const {
  constexpr double kCanTell = 0.05;
  return reads_again_ && !again_.looks().empty() &&
         as_many_in_flight(session_.first_reading(), compared_rate_) &&
         session_.noise().standard_error(compared_rate_.seconds) < kCanTell;
}

// Adds what the search cost, and the conditions under which it was made.
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

// Adds what was seen of each number. Where the storage changed meanwhile, the interval [low, high]
// is widened to hold both states.
void Search::add_points(std::uint32_t fed, std::uint32_t starving, std::uint32_t& low,
                        std::uint32_t& high, FindResult& result) const {
  for (const auto& [replicas, looks] : curve().looks()) {
    const Curve::Estimate seen = curve().estimate(replicas);
    static constexpr const char* kVerdicts[] = {"open", "fed", "not-fed", "edge"};
    // The stock that still fills windows may or may not reach the accelerators, so the middle of
    // both cases is reported.
    const double open = seen.more / 2;
    result.points.push_back({replicas * replica(), seen.value + open,
                             std::min(1.0, curve().half_width(replicas) + open), seen.seconds,
                             static_cast<std::uint32_t>(looks.size()),
                             kVerdicts[static_cast<int>(curve().verdict(replicas))]});
    if (!curve().changed(replicas, compute())) continue;
    const auto [least, most] = curve().halves(replicas);
    // Only a change at the boundary matters, or one that crossed the threshold.
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

// Returns the interval of what the storage feeds, as the numbers that are not fed show it. Where
// accelerators that take no time were given as much, that is the storage's rate and nothing else,
// and it bounds numbers that nobody has looked at. What has only filled windows so far counts,
// since it will reach accelerators.
std::optional<std::pair<double, double>> Search::by_capacity() const {
  // A rate that is known less well would agree with anything. Where looks at several numbers agree
  // as well, it may be known half as well.
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
    result.findings.push_back(fmt::format(
        "{} were fed and {} were not: this is not one curve, so the interval holds both",
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
  for (FindPoint& point : result.points) point.decided_by = decided_by(result, point);
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
      result.narrower_budget_seconds =
          worth_naming(narrower_budget(options_.at_least / replica(), x));
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
  result.read_again = can_compare_readings();
  result.cold = cold_answer();
  add_circumstances(result);
  result.at_answer = session_.last_run(low * replica());
  if (starving <= limit_) result.beyond = session_.last_run(starving * replica());
  describe_trials(result);
  return result;
}

// What all trials have in common is taken from one of them.
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

}  // namespace feedrate

// Says which budget would do where the given one did not.
#include <algorithm>
#include <cmath>

#include "feedrate/find/searcher.h"

namespace feedrate {
namespace {

constexpr double kNarrowSpare = 1.3;
// Nobody waits for more than a day, and the search gets at least 30 % of that.
constexpr double kMost = 0.3 * 24 * 3600;

}  // namespace

double Search::worth_naming(double seconds) { return seconds <= kMost ? seconds : 0; }

void Search::name_narrower_budget(std::uint32_t guess, double crossing, FindResult& result) const {
  constexpr double kTooLong = 10, kTenth = 0.1;
  double budget = narrower_budget(guess, crossing);
  result.narrower_numbers = 1;
  const double left =
      (result.accelerators_high - result.accelerators_low + 1.0) / replica();  // replicas
  double numbers = std::floor(std::min(kTenth * guess, left / 2));
  // Where no day is long enough to settle the number, two of several are worth naming a budget for.
  if (budget > kMost) numbers = std::max(numbers, std::min(2.0, left / 2));
  if (numbers >= 2 && budget > kTooLong * session_.spent()) {
    while (budget_for(numbers, guess) > kMost && 2 * numbers <= left / 2) numbers *= 2;
    if (const double needed = budget_for(numbers, guess); needed < budget) {
      budget = needed;
      result.narrower_numbers = static_cast<std::uint32_t>(numbers) * replica();
    }
  }
  result.narrower_budget_seconds = worth_naming(budget);
}

// Returns the budget that would leave this many numbers in the interval. It takes the interval to
// be as wide as that of the curve's utilisation.
double Search::budget_for(double numbers, std::uint32_t guess) const {
  const double off = options_.au_threshold * numbers / 2 / guess;
  const double needed =
      session_.spent() + kNarrowSpare * curve().seconds_to_decide(options_.au_threshold - off) /
                             std::max(0.1, measured_share());
  return std::max(needed, kNarrowSpare * to_seconds(options_.budget));
}

double Search::measured_share() const {
  double measured = 0;
  for (const auto& [replicas, looks] : curve().looks())
    for (const Look& look : looks) measured += look.seconds;
  return session_.spent() > 0 ? measured / session_.spent() : 1;
}

double Search::narrower_budget(std::uint32_t guess, double crossing) const {
  constexpr double kNoGuide = 4;
  const double needed = kNarrowSpare * (session_.spent() + still_needed(guess, crossing) +
                                        still_needed(std::min(guess + 1, limit_), crossing));
  if (!std::isfinite(needed)) return kNoGuide * std::max(session_.spent(), 1.0);
  const double budget = options_.budget.count() > 0 ? to_seconds(options_.budget) : 0;
  return std::max(needed, kNarrowSpare * budget);
}

double Search::first_look_budget() const {
  constexpr double kSpare = 2, kDepthShare = 0.45;
  if (!(depth_.samples_per_second > 0)) return 0;
  const double look = shortest_look(choose().value_or(1)) * (1 << std::min(unmeasured_, 6));
  const double share = std::min(kDepthShare, session_.spent() / budget());
  const double needed = kSpare * std::max(session_.spent() + look, look / (1 - share));
  const double pass = static_cast<double>(plan_.dataset->samples()) / depth_.samples_per_second;
  return worth_naming(
      options_.goes_on && needed > pass ? std::max(needed, pass / kFirstPassShare + look) : needed);
}

}  // namespace feedrate

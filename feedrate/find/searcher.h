// One search, from its first trial to its answer. find.cc has what it does, look_time.cc how long
// each look takes, and named_budget.cc which budget it names where its own did not do. Private to
// find/.
#pragma once

#include <optional>
#include <utility>

#include "feedrate/find/depth.h"
#include "feedrate/find/find.h"
#include "feedrate/find/reason.h"
#include "feedrate/find/search.h"
#include "feedrate/find/session.h"

namespace feedrate {

// Returns whether two rates were measured with about as many reads in flight, in transfers no
// larger than the first ones, so that they can be compared: more of either move more without any
// cache.
bool as_many_in_flight(const Session::Rate& first, const Session::Rate& again);

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

  Result<> run(const FindObserver& observer);

  FindResult result() const;
  // Returns the search's own limit that kept it from asking for more at the largest load it tried.
  OwnLimit own_limit(const FindResult& result) const;

 private:
  // Returns the interval, in replicas, in which the threshold is crossed, as the numbers that are
  // not fed show it.
  std::optional<std::pair<double, double>> by_capacity() const;
  std::uint32_t replica() const { return plan_.replica_accelerators(); }
  Curve& curve() { return reads_again_ ? again_ : first_; }
  const Curve& curve() const { return reads_again_ ? again_ : first_; }
  double budget() const {
    constexpr double kUnbounded = 60;  // seconds that shares are taken of where there is no budget
    return options_.budget.count() > 0 ? to_seconds(options_.budget) : kUnbounded;
  }
  double compute() const { return to_seconds(plan_.timing.compute); }
  // Returns where the curve is thought to meet the threshold. Where several numbers are not fed for
  // a reason other than the storage's rate, it lies halfway between what is known.
  double crossing() const;

  // Reads a data set once, if that takes a small part of the budget only, and keeps the rate. The
  // rest of the search is then about later readings.
  Result<> read_the_rest();

  // `share` of the readers that the depth asks for, and its transfers unless others are given.
  Result<Session::Outcome> measure_rate(double seconds, std::uint64_t samples, double share = 1,
                                        std::uint64_t transfer_bytes = 0);
  // Measures later readings with as many reads in flight as the first ones had, where more of them
  // may be why they are faster.
  Result<> compare_at_one_depth(const Session::Rate& first);

  // Once everything has been read, the rest of the search is about later readings. What was seen of
  // the first readings holds for later ones if they are as fast. If not, it says nothing of them,
  // and the search begins anew if enough of the budget is left for that.
  Result<> turn_to_later_readings();

  // Returns whether a number needs no further look. One near the threshold is looked at twice, like
  // a boundary.
  bool seen_long_enough(std::uint32_t replicas) const;
  double apart_wanted() const {
    constexpr double kShare = 1.0 / 3;  // of the budget, between two looks at the boundary
    return kShare * (options_.budget.count() > 0 ? budget() : session_.spent());
  }

  std::optional<ColdAnswer> cold_answer() const;
  bool can_compare_readings() const;
  void add_circumstances(FindResult& result) const;
  void describe_trials(FindResult& result) const;
  void add_points(std::uint32_t fed, std::uint32_t starving, std::uint32_t& low,
                  std::uint32_t& high, FindResult& result) const;

  // Returns a smaller number that is looked at first: one far beyond what the storage moved takes
  // long to look at, and is not fed if a smaller one is not.
  std::uint32_t fewer_that_would_starve(std::uint32_t replicas) const;
  Verdict verdict_on_asked(std::uint32_t replicas) const {
    const auto starving = curve().starving();
    return starving && *starving <= replicas ? Verdict::kStarve : curve().verdict(replicas);
  }

  Result<> look_only_at(std::uint32_t asked);

  Result<> look_until_known(std::uint32_t replicas);

  Result<> look(std::uint32_t replicas, double time);

  // The pace of a trial with this many replicas: the time of the first batches, and the length of a
  // step as its AU makes it [s].
  double samples_in_flight(const TrialLoad& load) const;  // of one replica
  struct Pace {
    double fill, step, utilisation;
  };
  Pace pace(std::uint32_t replicas) const;
  double shortest_look(std::uint32_t replicas) const;

  // Returns the last number that is fed, where by_capacity() leaves only one.
  std::optional<std::uint32_t> last_by_capacity(std::uint32_t fed, std::uint32_t starving) const;

  // Returns how many more seconds to look at this many replicas, whose utilisation is thought to be
  // `value`.
  double seconds_to_decide(std::uint32_t replicas, double value, const Curve::Estimate& seen) const;

  // Returns how long the next look at this many replicas should last; 0 if it does not fit any
  // more.
  double look_time(std::uint32_t replicas) const;

  double epoch_seconds(std::uint32_t replicas, double step) const;

  // Rounds a look up to whole epochs, where one epoch is no longer than a look may be: the
  // framework's client begins anew each epoch.
  double in_whole_epochs(std::uint32_t replicas, double time, double fill, double step) const;

  double still_needed(std::uint32_t replicas, double crossing) const;

  // Numbers from `near` to `far` grow easier to decide. Returns the first that the remaining budget
  // can decide, or the easiest one where it can decide none.
  std::uint32_t affordable(std::uint32_t near, std::uint32_t far, double crossing,
                           double side_share) const;

  // Returns how far to go up from a number that is fed. Where no look has shown what the storage
  // can give, and all that was expected is fed, going up one by one would never end.
  std::uint32_t leap(std::uint32_t fed) const;

  // Names the budget that would decide this number and the next, going by what was seen so far.
  // Where that would take much longer than this search, and N is large, it names one that leaves
  // fewer numbers open.
  void name_narrower_budget(std::uint32_t guess, double crossing, FindResult& result) const;
  // Returns the share of the search's time in which looks measured.
  double measured_share() const;
  double narrower_budget(std::uint32_t guess, double crossing) const;
  static double worth_naming(double seconds);  // 0 where nobody would wait for so long
  double budget_for(double numbers, std::uint32_t guess) const;

  // Returns the budget that would hold one look, judging by short trials alone and therefore with
  // much to spare. Where it would go through the whole data set, it includes reading that once
  // before.
  double first_look_budget() const;

  bool settled(std::uint32_t n) const { return curve().verdict(n) != Verdict::kOpen; }
  // Returns the next number to look at; none when nothing is left to tell.
  std::optional<std::uint32_t> choose() const;
  std::optional<std::uint32_t> second_look(std::uint32_t fed, std::uint32_t starving) const;

  // Where the accelerators get less than the storage moves, batches arrive unevenly, and more of
  // them read ahead may help. This tries it.
  Result<> try_more_ahead();

  // Share of the remaining budget for the verdict on one side.
  static constexpr double kSideShare = 0.35;
  static constexpr double kFirstShare = 0.12;  // the same where that side is not known at all
  // The share of the budget that reading a small data set once may take.
  static constexpr double kFirstPassShare = 0.25;
  static constexpr double kAsFast = 0.03;  // Rates that differ by less count as equal.

  const FindOptions& options_;
  const TrainingPlan& plan_;
  Session& session_;
  std::uint32_t limit_;  // replicas
  // One curve for data read for the first time and one for data read again: a cache in the storage
  // makes them differ.
  Curve first_, again_;
  Session::Rate again_rate_;
  // Of later readings with as many reads in flight as first ones had; what the two are compared by.
  Session::Rate compared_rate_;
  bool reads_again_ = false, stays_with_first_ = false;
  Depth depth_;
  std::uint32_t ahead_ = 1;  // multiple of the window that keeps the readers busy
  std::uint32_t ahead_refused_ = 0;
  int unmeasured_ = 0;
};

}  // namespace feedrate

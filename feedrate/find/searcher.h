// One search, from its first trial to its answer: find.cc has what it does, look_time.cc how long,
// named_budget.cc which budget it names where its own did not do. Private to find/.
#pragma once

#include <optional>
#include <utility>

#include "feedrate/find/depth.h"
#include "feedrate/find/find.h"
#include "feedrate/find/reason.h"
#include "feedrate/find/search.h"
#include "feedrate/find/session.h"

namespace feedrate {

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
  // The limit of the search's own that kept it from asking for more where most is asked for.
  OwnLimit own_limit(const FindResult& result) const;

 private:
  // From where to where the threshold is crossed, in replicas, for all that starves shows.
  std::optional<std::pair<double, double>> by_capacity() const;
  std::uint32_t replica() const { return plan_.replica_accelerators(); }
  Curve& curve() { return reads_again_ ? again_ : first_; }
  const Curve& curve() const { return reads_again_ ? again_ : first_; }
  double budget() const {
    constexpr double kUnbounded = 60;  // what chunks are measured by where there is no budget
    return options_.budget.count() > 0 ? to_seconds(options_.budget) : kUnbounded;
  }
  double compute() const { return to_seconds(plan_.timing.compute); }
  // Where the curve is thought to meet the threshold. What starves alike at several numbers is not
  // limited by the storage's rate: then halfway between what is known.
  double crossing() const;

  // A data set that is read in a small part of the budget is read once first, for what that gives;
  // the rest of the search is then about later readings.
  Result<> read_the_rest();

  Result<Session::Outcome> measure_rate(double seconds, std::uint64_t samples);

  // Once all has been read the rest of the search is about later readings. What was seen of the
  // first ones holds for them where they are as fast; else it says nothing of them, and the search
  // begins anew, if enough of the budget is left for that.
  Result<> turn_to_later_readings();

  // What is near the threshold is looked at twice, like a boundary.
  bool seen_long_enough(std::uint32_t replicas) const;
  double apart_wanted() const {
    constexpr double kShare = 1.0 / 3;  // of the budget, between two looks at the boundary
    return kShare * (options_.budget.count() > 0 ? budget() : session_.spent());
  }

  std::optional<ColdAnswer> cold_answer() const;
  void add_circumstances(FindResult& result) const;
  void describe_trials(FindResult& result) const;
  void add_points(std::uint32_t fed, std::uint32_t starving, std::uint32_t& low,
                  std::uint32_t& high, FindResult& result) const;

  // What is far beyond what the storage moved takes long to look at, and starves where fewer do.
  std::uint32_t fewer_that_would_starve(std::uint32_t replicas) const;
  Verdict verdict_on_asked(std::uint32_t replicas) const {
    const auto starving = curve().starving();
    return starving && *starving <= replicas ? Verdict::kStarve : curve().verdict(replicas);
  }

  Result<> look_only_at(std::uint32_t asked);

  Result<> look_until_known(std::uint32_t replicas);

  Result<> look(std::uint32_t replicas, double time);

  // Of a trial with so many: how long the first batches take, and a step that is as long as its AU
  // makes it.
  double samples_in_flight(const TrialLoad& load) const;  // of one replica
  struct Pace {
    double fill, step, utilisation;
  };
  Pace pace(std::uint32_t replicas) const;
  double shortest_look(std::uint32_t replicas) const;

  // The last number that is fed, where by_capacity() leaves only one.
  std::optional<std::uint32_t> last_by_capacity(std::uint32_t fed, std::uint32_t starving) const;

  // More seconds of look at so many, whose utilisation is thought to be `value`.
  double seconds_to_decide(std::uint32_t replicas, double value, const Curve::Estimate& seen) const;

  // How long the next look at so many should last; 0: it does not fit any more.
  double look_time(std::uint32_t replicas) const;

  double epoch_seconds(std::uint32_t replicas, double step) const;

  // The framework's client begins anew each epoch. Where one is no longer than a look may be, a
  // look is made of whole ones.
  double in_whole_epochs(std::uint32_t replicas, double time, double fill, double step) const;

  double still_needed(std::uint32_t replicas, double crossing) const;

  // Of the numbers from `near` to `far`, which grow easier to decide, the first that what is left
  // will do for; the easiest where it does for none.
  std::uint32_t affordable(std::uint32_t near, std::uint32_t far, double crossing,
                           double side_share) const;

  // How far to go up from a number that is fed: where no look has shown what the storage can give,
  // and all that was expected is fed, one by one would not come to an end.
  std::uint32_t leap(std::uint32_t fed) const;

  // That would decide this number and the next, where what was seen so far is a guide. Where that
  // would take much longer than this search, and N is large: one that leaves fewer numbers.
  void name_narrower_budget(std::uint32_t guess, double crossing, FindResult& result) const;
  // Of the time of the search so far, what looks measured.
  double measured_share() const;
  double narrower_budget(std::uint32_t guess, double crossing) const;
  static double worth_naming(double seconds);  // 0 where nobody would wait for so long
  double budget_for(double numbers, std::uint32_t guess) const;

  // That would hold a look, where what the storage moves is known, from short trials alone: with
  // much to spare. Where it would go through the data set, too, it has to be read once before.
  double first_look_budget() const;

  bool settled(std::uint32_t n) const { return curve().verdict(n) != Verdict::kOpen; }
  // The next number to look at; none when nothing is left to tell.
  std::optional<std::uint32_t> choose() const;
  std::optional<std::uint32_t> second_look(std::uint32_t fed, std::uint32_t starving) const;

  // Where the accelerators get less than the storage moves, batches arrive unevenly, and more of
  // them ahead may help.
  Result<> try_more_ahead();

  static constexpr double kSideShare = 0.35;   // of what is left, for the verdict on one side
  static constexpr double kFirstShare = 0.12;  // where that side is not known at all
  // Of the budget, to read all of a small data set once.
  static constexpr double kFirstPassShare = 0.25;

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

}  // namespace feedrate

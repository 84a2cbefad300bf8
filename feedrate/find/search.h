// What a search has tried and seen so far, and the conclusions from it. Private to find/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "feedrate/find/find.h"
#include "feedrate/find/noise.h"

namespace feedrate {

// One look at a number of replicas.
struct Look {
  double at = 0;  // seconds of the search when it ended
  double seconds = 0, value = 0;
  bool of_steps = true;
  double more = 0;
  double own_constant = 0, own_freedom = 0;  // see Utilisation
  double reckoned = 0, one_wait = 0;
};

enum class Verdict : std::uint8_t { kOpen, kFed, kStarve, kEdge };

// The curve of utilisation over the number of replicas, as far as it was looked at.
class Curve {
 public:
  Curve(double threshold, const Noise& noise) : threshold_(threshold), noise_(noise) {}

  void add(std::uint32_t replicas, const Look& look) { looks_[replicas].push_back(look); }
  const std::map<std::uint32_t, std::vector<Look>>& looks() const { return looks_; }

  struct Estimate {
    double seconds = 0, value = 0, error = 0;  // error: of one standard deviation
    // The error by the steps of these looks alone, where nearly all of them were late; otherwise
    // equal to `error`. A step that is late every time hides no rare stall, so this error may be
    // the smaller one.
    double starving_error = 0;
    double more = 0;      // see SteadyState
    double reckoned = 0;  // see Utilisation; part of the errors
    // How much higher the value of all looks would be without the one wait in which most was lost;
    // it is part of the error of a number that is not fed.
    double one_wait = 0;
    bool of_steps = true;
  };
  Estimate estimate(std::uint32_t replicas) const;
  // Returns the verdict on a number. kEdge means within 0.2 points of the threshold, as far as the
  // evidence goes.
  Verdict verdict(std::uint32_t replicas) const;
  // Says that no look follows. An open number is then judged once more, as somebody may who looks
  // only now.
  void look_last() { last_ = true; }
  // Returns the seconds of trial after which a number with this utilisation is likely to be
  // decided.
  double seconds_to_decide(double value) const;
  // Returns whether all looks together would decide this number, whatever the noise of a look at
  // it. A look that is just long enough to agree will then do.
  bool capacity_decides(std::uint32_t replicas) const;
  double shortest_look() const;  // [s]; no verdict rests on less
  // Sets how long a read may take: a look that is not longer knows nothing of such reads.
  void reads_take(double longest_seconds) { longest_read_ = longest_seconds; }

  // The largest number proven fed (0 if none) and the smallest proven not fed (nullopt if none).
  std::uint32_t fed() const;
  std::optional<std::uint32_t> starving() const;
  // Returns whether a larger number is fed than one that is not, which no single curve explains.
  bool contradicts_itself() const;

  // The number of replicas that the storage feeds at full utilisation, by all looks that are not
  // fed: it is utilisation x replicas, if that is the same for all of them within noise. If it is
  // not, something other than the storage's rate is the limit, and capacity() returns none.
  // `replicas` is where it was looked at, weighted by time. `delivered_error` is the error of what
  // was delivered, whether or not it had reached the accelerators yet.
  struct Capacity {
    double fed = 0, error = 0, delivered_error = 0, seconds = 0, replicas = 0;
  };
  std::optional<Capacity> capacity() const;
  // Returns half the width, in replicas, of the interval that holds what is delivered at all times;
  // infinite where too little was seen.
  double half_width(const Capacity& all) const;
  std::size_t numbers_below_knee() const;
  // Returns whether looks below the knee were made at several numbers that no one capacity
  // explains.
  bool limited_otherwise() const;
  // Returns how many numbers were seen below the threshold, proven or not, and the lowest of them.
  std::pair<std::uint32_t, std::uint32_t> below_threshold() const;
  // Returns where the curve meets the threshold, in replicas, by what was seen near it: utilisation
  // x replicas of a number that is not fed is what the storage feeds. Returns `otherwise` when
  // there is no such number.
  double crossing(double otherwise) const;
  double predicted(std::uint32_t replicas, double crossing) const;
  // Returns whether the looks at this number differ by more than noise and by more than one step of
  // `step_seconds` makes: then the storage changed meanwhile.
  bool changed(std::uint32_t replicas, double step_seconds) const;
  // Returns the mean utilisation in the first and in the second half of the time of its looks, the
  // lower one first.
  std::pair<double, double> halves(std::uint32_t replicas) const;
  double half_width(std::uint32_t replicas) const;
  double longest_look(std::uint32_t replicas) const;  // seconds
  // Prepares for other settings: what was fed stays so, and the rest is forgotten. take_from()
  // undoes it.
  void forget_from(std::uint32_t replicas);
  void take_from(const Curve& other) { looks_ = other.looks_; }
  // Returns the seconds of the search between the first and the last look at this number.
  double apart(std::uint32_t replicas) const;

  static constexpr double kPursued = 0.002;  // differences below are not pursued

 private:
  double multiple(double seconds) const;
  bool seconds_enough(double seconds) const;
  Verdict verdict_by_capacity(std::uint32_t replicas, const Estimate& seen) const;
  // How far the replica's share of the capacity lies above the threshold, and how well that is
  // known.
  struct Distance {
    double off = 0, width = 0;
  };
  Distance distance(const Capacity& all, std::uint32_t replicas) const;

  double threshold_;
  bool last_ = false;
  double longest_read_ = 0;
  const Noise& noise_;
  std::map<std::uint32_t, std::vector<Look>> looks_;
};

}  // namespace feedrate

// What a search has tried and seen so far, and what follows from it. Private to find/.
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

// The curve of utilisation over replicas, as far as it was looked at.
class Curve {
 public:
  Curve(double threshold, const Noise& noise) : threshold_(threshold), noise_(noise) {}

  void add(std::uint32_t replicas, const Look& look) { looks_[replicas].push_back(look); }
  const std::map<std::uint32_t, std::vector<Look>>& looks() const { return looks_; }

  struct Estimate {
    double seconds = 0, value = 0, error = 0;  // error: of one standard deviation
    // The error by the steps of these looks alone, where nearly all were late; else as `error`.
    // What is late every time hides no rare stall, so this may be the smaller one.
    double starving_error = 0;
    double more = 0;      // see SteadyState
    double reckoned = 0;  // see Utilisation; part of the errors
    // How much higher the value would be without the one wait in which most was lost, of all looks
    // together; part of the error of what starves.
    double one_wait = 0;
    bool of_steps = true;
  };
  Estimate estimate(std::uint32_t replicas) const;
  // kEdge: within 0.2 points of the threshold, for all that the evidence says.
  Verdict verdict(std::uint32_t replicas) const;
  // No look follows: what is open is judged once more, as one may who looks only now.
  void look_last() { last_ = true; }
  // Seconds of trial after which a number whose utilisation is `value` is likely to be decided.
  double seconds_to_decide(double value) const;
  // What all looks together say of the storage would decide this number, whatever the noise of a
  // look at it: one that is just long enough to agree will do.
  bool capacity_decides(std::uint32_t replicas) const;
  double shortest_look() const;  // [s]; no verdict rests on less
  // So long a read may take: a look that is not longer knows nothing of such ones.
  void reads_take(double longest_seconds) { longest_read_ = longest_seconds; }

  // The largest number proven fed (0: none), the smallest proven to starve (none: nullopt).
  std::uint32_t fed() const;
  std::optional<std::uint32_t> starving() const;
  // Fed above what starves: not one curve.
  bool contradicts_itself() const;

  // What the storage feeds, in replicas at full utilisation, by all looks that starve: utilisation
  // x replicas, if that is the same for all of them within noise (else none: something else than
  // the storage's rate is the limit). `replicas`: where it was looked at, weighted by time.
  // `delivered_error`: of what was delivered, whether or not it had reached the accelerators yet.
  struct Capacity {
    double fed = 0, error = 0, delivered_error = 0, seconds = 0, replicas = 0;
  };
  std::optional<Capacity> capacity() const;
  // Half the interval that holds what is delivered at all times, in replicas; infinite where too
  // little was seen.
  double half_width(const Capacity& all) const;
  std::size_t numbers_below_knee() const;
  // Looks below the knee were made at several numbers, and no one capacity explains them.
  bool limited_otherwise() const;
  // How many numbers were seen below the threshold, proven or not, and the lowest of them.
  std::pair<std::uint32_t, std::uint32_t> below_threshold() const;
  // Where the curve meets the threshold, in replicas, by what was seen near it: utilisation x
  // replicas of trials that starve is what the storage feeds. `otherwise` when there are none.
  double crossing(double otherwise) const;
  double predicted(std::uint32_t replicas, double crossing) const;
  // The looks at this number differ by more than noise and more than a step of so many seconds
  // makes: the storage changed meanwhile.
  bool changed(std::uint32_t replicas, double step_seconds) const;
  // The mean utilisation in the first and in the second half of the time of its looks, the lower
  // first.
  std::pair<double, double> halves(std::uint32_t replicas) const;
  double half_width(std::uint32_t replicas) const;
  double longest_look(std::uint32_t replicas) const;  // seconds
  // Other settings from now on: what was fed stays so, what was not is forgotten (and taken back).
  void forget_from(std::uint32_t replicas);
  void take_from(const Curve& other) { looks_ = other.looks_; }
  // Seconds of the search between the first and the last look at this number.
  double apart(std::uint32_t replicas) const;

  static constexpr double kPursued = 0.002;  // differences below are not pursued

 private:
  double multiple(double seconds) const;
  bool seconds_enough(double seconds) const;
  Verdict verdict_by_capacity(std::uint32_t replicas, const Estimate& seen) const;
  // By how much its share of that lies above the threshold, and how well this is known.
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

// The noise of a storage: how far off a rate can be that was measured for a given time. It is
// learnt from every trial of a search. Private to find/.
//
// For a stationary process the variance of a mean over T seconds tends to v / T. The constant v is
// the product of variance and correlation time, and belongs to the storage, not to a trial: a short
// one that saw no stall knows nothing of it. So series of all trials are cut into blocks of 1, 2,
// 4, ... times the interval at which they were watched; each length gives an estimate of v (block
// length x variance of block means about their trial's mean), pooled over the trials. Blocks
// shorter than the correlation time give too little, and those shorter than a step's pattern too
// much, so the longest that enough was seen of count: the largest of three estimates.
#pragma once

#include <array>
#include <span>

namespace feedrate {

class Noise {
 public:
  // Learns from consecutive values of one trial, each a mean over `interval` seconds (rates, or
  // step times); only their ratio to their mean matters. Blocks shorter than `shortest` seconds are
  // left out.
  void add(std::span<const double> values, double interval, double shortest);

  void add(const Noise& other);  // takes over what the other has learnt

  // Returns v [s], relative to the mean: a rate measured for T seconds has the standard error
  // sqrt(v / T). It is 0 where all values were equal, and infinite before enough was seen to tell.
  double constant() const;
  // Returns the time [s] after which a value is nearly independent of the values before it.
  double correlation_seconds() const;
  // Returns the standard error of a rate measured for this long, relative to the rate.
  double standard_error(double seconds) const;

 private:
  static constexpr std::size_t kScales = 40;  // lengths of 2^(i - 14) seconds
  struct Scale {
    double sum = 0;      // of length x squared deviations
    double freedom = 0;  // degrees of freedom of that sum
    double lengths = 0;  // of length x degrees of freedom
  };
  std::array<Scale, kScales> scales_{};
};

// The multiple of the standard error within which a mean that is looked at again and again stays
// with probability 1 - alpha for ever: the asymptotic confidence sequence of Waudby-Smith, Arbour,
// Sinha, Kennedy and Ramdas (Annals of Statistics 2024, arXiv 2103.06476, theorem 2.2), after
// `batches` independent batches and narrowest at `tightest` of them. It replaces the 1.96 of a
// normal interval that may be looked at only once.
double sequence_width(double batches, double tightest, double alpha);

}  // namespace feedrate

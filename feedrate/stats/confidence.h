// Confidence intervals of a steady-state mean by the method of batch means: a run is cut into
// equal batches of steps, long enough that their means are nearly independent.
#pragma once

#include <cmath>
#include <span>

namespace feedrate {

struct ConfidenceInterval {
  double mean = 0;
  double half_width = 0;  // infinite with fewer than two batches

  // Returns false when there are too few batches to say anything.
  bool bounded() const { return std::isfinite(half_width); }
};

// Returns the two-sided 95 % quantile of Student's t; infinite for less than one degree of freedom.
double student_t_95(std::size_t degrees_of_freedom);

// Returns the 95 % interval of the mean of (nearly) independent batch means, by Student's t.
ConfidenceInterval batch_means(std::span<const double> means);

}  // namespace feedrate

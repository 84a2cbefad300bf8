#include "feedrate/stats/confidence.h"

#include <array>
#include <limits>

namespace feedrate {
namespace {

// The table of NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, "Critical Values of the
// Student's t Distribution", column 0.975, for 1 to 30 degrees of freedom.
constexpr std::array<double, 30> kStudent95 = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
constexpr double kNormal95 = 1.959964;

}  // namespace

// Beyond the table it takes the first terms of Abramowitz and Stegun 26.7.5, which are good to
// 0.0002 from 31 on.
double student_t_95(std::size_t degrees_of_freedom) {
  if (degrees_of_freedom == 0) return std::numeric_limits<double>::infinity();
  if (degrees_of_freedom <= kStudent95.size()) return kStudent95[degrees_of_freedom - 1];
  const double freedom = static_cast<double>(degrees_of_freedom);
  const double z = kNormal95;
  const double first = (z * z * z + z) / 4;
  const double second = (5 * z * z * z * z * z + 16 * z * z * z + 3 * z) / 96;
  return z + first / freedom + second / (freedom * freedom);
}

ConfidenceInterval batch_means(std::span<const double> means) {
  if (means.empty()) return {0, std::numeric_limits<double>::infinity()};
  const double count = static_cast<double>(means.size());
  double sum = 0;
  for (const double mean : means) sum += mean;
  const double mean = sum / count;
  if (means.size() == 1) return {mean, std::numeric_limits<double>::infinity()};
  double squares = 0;
  for (const double value : means) squares += (value - mean) * (value - mean);
  return {mean, student_t_95(means.size() - 1) * std::sqrt(squares / (count - 1) / count)};
}

}  // namespace feedrate

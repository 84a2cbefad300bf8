#include "feedrate/stats/transient.h"

#include <vector>

namespace feedrate {

std::size_t transient_length(std::span<const double> values) {
  constexpr std::size_t kBatch = 5;
  constexpr std::size_t kFewest = 20;
  if (values.size() < kFewest) return 0;
  std::vector<double> means;
  for (std::size_t first = 0; first + kBatch <= values.size(); first += kBatch) {
    double sum = 0;
    for (std::size_t i = 0; i < kBatch; ++i) sum += values[first + i];
    means.push_back(sum / kBatch);
  }
  // From the end, so that the sums of each remainder come from those of the one before.
  double sum = 0;
  double squares = 0;
  double least = 0;
  std::size_t cut = 0;
  for (std::size_t first = means.size(); first-- > 0;) {
    const auto count = static_cast<double>(means.size() - first);
    const double before = count > 1 ? sum / (count - 1) : means[first];
    sum += means[first];
    squares += (means[first] - before) * (means[first] - sum / count);
    if (first > means.size() / 2) continue;
    // What rounding alone leaves of equal values is no variance.
    const double mean = sum / count;
    const double statistic = squares > 1e-18 * count * mean * mean ? squares / (count * count) : 0;
    if (first == means.size() / 2 || statistic <= least) {
      least = statistic;
      cut = first;
    }
  }
  return cut * kBatch;
}

}  // namespace feedrate

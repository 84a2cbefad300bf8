#include "feedrate/workload/checkpoint_interval.h"

#include <cmath>

namespace feedrate {

Seconds daly_interval(Seconds mean_time_between_failures, Seconds cost) {
  const Seconds mtbf = mean_time_between_failures;
  if (cost >= Count(2) * mtbf) return mtbf;
  const Count half = cost / (Count(2) * mtbf);
  return root(Count(2) * mtbf * cost) * Count(1 + std::sqrt(half.value()) / 3 + half.value() / 9) -
         cost;
}

Count daly_goodput(Seconds mean_time_between_failures, Seconds interval, Seconds cost,
                   Seconds restart) {
  const Seconds mtbf = mean_time_between_failures;
  const Count lasts(std::exp(-(restart / mtbf).value()));
  // This is the limit of the formula below: a failure costs the restart and nothing else.
  if (interval + cost <= Seconds(0)) return lasts;
  const Count ends(std::expm1(((interval + cost) / mtbf).value()));
  return interval / (mtbf * ends) * lasts;
}

}  // namespace feedrate

// The options of `find` that limit its search.
#pragma once

#include <string>

#include "feedrate/find/limits.h"
#include "feedrate/options/option_table.h"

namespace feedrate {

struct FindLimits {
  std::string au, max, budget, at_least, wall, inflight_max, rate_max, memory;
  bool until_sure = false, only_n = false, both = false;

  void declare(OptionTable& table);
  Result<SearchLimits> resolve(ClockKind clock, ClientKind client, Workload& workload) const;

 private:
  Result<> resolve_budget(ClockKind clock, SearchLimits& limits) const;
};

}  // namespace feedrate

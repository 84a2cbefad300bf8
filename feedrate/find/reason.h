// Why one accelerator more would starve, as far as evidence carries it. Private to find/.
#pragma once

#include "feedrate/find/find.h"

namespace feedrate {

// Which limit of its own kept a search from asking the storage for more than it did where
// accelerators starve.
enum class OwnLimit : std::uint8_t { kNone, kReadsInFlight, kReadAhead };

// Fills limited_by and reason. "Saturated" only where more load moved no more; where the search's
// own limit bounds the answer, that; where nothing else is established, the sentence says so and
// names what most time was lost to.
void explain(const FindOptions& options, const TrainingPlan& plan,
             std::uint64_t accelerators_by_data, OwnLimit own_limit, FindResult& result);

// What looks at a number leave open, all looks together may have decided: of those up to `low`
// and above `high`.
void settle_points(std::uint32_t low, std::uint32_t high, FindResult& result);

}  // namespace feedrate

// Explains why one accelerator more would not be fed, as far as the evidence goes. Private to
// find/.
#pragma once

#include "feedrate/find/find.h"

namespace feedrate {

// The search's own limit that kept it from asking the storage for more at a number of accelerators
// that is not fed.
enum class OwnLimit : std::uint8_t { kNone, kReadsInFlight, kReadAhead };

// Fills limited_by and reason. It says "saturated" only where more load moved no more. Where the
// search's own limit bounds the answer, it names that limit. Where nothing else is established, it
// says so and names what most time was lost to.
void explain(const FindOptions& options, const TrainingPlan& plan,
             std::uint64_t accelerators_by_data, OwnLimit own_limit, FindResult& result);

// Decides numbers whose own looks leave them open by what all looks together have decided: up to
// `low` they are fed, above `high` they are not.
void settle_points(std::uint32_t low, std::uint32_t high, FindResult& result);

}  // namespace feedrate

// Finds the transient of a simulation or a measurement: the part to leave out at its beginning.
#pragma once

#include <cstddef>
#include <span>

namespace feedrate {

// Returns how many values at the beginning belong to the transient, by MSER-5 (K. P. White, "An
// effective truncation heuristic for bias reduction in simulation output", Simulation 69(6), 1997):
// it takes means of five values, and the cut within the first half that leaves the least variance
// of the rest's mean. Returns 0 for fewer than 20 values, which are too few to tell. A cut of more
// than a tenth of many values counts only if what it cuts off differs from the rest: MSER cuts off
// half of a long series of heavy-tailed noise, and so favours its calm part.
std::size_t transient_length(std::span<const double> values);

}  // namespace feedrate

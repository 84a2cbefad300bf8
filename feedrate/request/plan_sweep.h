// What `plan --sweep` asks for, and which words of a plan change a figure of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/options/settings.h"
#include "feedrate/request/plan_options.h"

namespace feedrate {

// Parses "accelerators=8..1024", which doubles from the first number up to the last and includes
// that one, or "accelerators=8,16,24".
Result<std::vector<std::uint64_t>> parse_sweep(const std::string& text);

struct PlannedSweep {
  std::vector<SweepRow> rows;
  std::vector<std::uint64_t> left_out;  // Counts for which there is no plan.
  std::optional<Error> why;             // Why the first of those was left out.
  Settings settings;                    // Those that all points have.
};

// Plans each point. Keys of DLIO files that were ignored are named once in `words`.
PlannedSweep plan_sweep(const PlanOptions& options, PlanWords& words,
                        const std::vector<std::uint64_t>& counts);

// Fails for a key of --set that changes the workload but no figure of the plan. Keys that describe
// the data set may be given all the same, so that find and train take the same words.
Result<> check_sets(PlanOptions& options, const std::vector<std::string>& overrides,
                    const std::vector<std::optional<std::uint64_t>>& counts);

}  // namespace feedrate

// DLIO's workload files, read as they are: the format of argonne-lcf/dlio_benchmark and of the
// MLPerf Storage configurations. docs/workloads.md has the table of what becomes what.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/workload/workload.h"

namespace feedrate {

inline constexpr std::string_view kDlioTiming = "dlio";  // the set of the step time of such a file

struct DlioWorkload {
  Workload workload;
  // Keys that the file has and that mean nothing to training reads, in the order of the file; a
  // list is named once.
  std::vector<std::string> ignored;
  // Keys of ours that the overrides, not the file, gave their value: "readers".
  std::vector<std::string> asked;
};

// `overrides` are Hydra's words: "++workload.train.epochs=3", with one '+' or none too, and
// "~workload.checkpoint" to remove. A file whose keys stand below `workload:` is read too.
// What the file leaves out has DLIO's default; a step time that is left out, or 0, stays unset.
// kUsage with line and column, or with the override's own text: a key that is none of DLIO's (with
// a spelling hint), a value out of limits, a format without a counterpart.
Result<DlioWorkload> parse_dlio_workload(std::string_view yaml, std::string_view origin,
                                         std::span<const std::string> overrides);

// "++workload.train.epochs=3" and the like: no path of a file or directory.
bool is_dlio_override(std::string_view word);

}  // namespace feedrate

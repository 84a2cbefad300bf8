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
  // Keys of the file that mean nothing to training reads, in the order of the file; a list is named
  // once.
  std::vector<std::string> ignored;
  // Keys of ours whose value came from the overrides, not from the file: "readers".
  std::vector<std::string> asked;
};

// Parses a file of DLIO. `overrides` are Hydra's words: "++workload.train.epochs=3", also with one
// '+' or none, and "~workload.checkpoint" to remove. The keys of the file may stand below
// `workload:`. A key that the file leaves out has DLIO's default; a step time that is left out, or
// 0, stays unset. Returns kUsage, with line and column or with the override's own text, for a key
// that DLIO does not have (with a spelling hint), a value out of limits, and a format without a
// counterpart.
Result<DlioWorkload> parse_dlio_workload(std::string_view yaml, std::string_view origin,
                                         std::span<const std::string> overrides);

// Returns whether a word is an override like "++workload.train.epochs=3", and not the path of a
// file or directory.
bool is_dlio_override(std::string_view word);

}  // namespace feedrate

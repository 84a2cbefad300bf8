// The views of results: text for people, JSON out and in, CSV, and what describes them. Each is
// made from the Report alone and computes no figure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "feedrate/base/error.h"
#include "feedrate/result/checkpoint_result.h"
#include "feedrate/result/data_result.h"
#include "feedrate/result/doctor_result.h"
#include "feedrate/result/find_result.h"
#include "feedrate/result/load_result.h"
#include "feedrate/result/plan_result.h"
#include "feedrate/result/run_result.h"
#include "feedrate/result/together_result.h"

namespace feedrate {

using Report =
    std::variant<RunResult, FindReport, CheckpointResult, CompactResult, LoadResult, PlanResult,
                 DoctorReport, DatagenResult, DropResult, WorkloadsReport, TogetherReport>;

// Returns the text for people: the first line is the verdict, and it ends with a newline. `explain`
// adds a plan's formulas and sources.
std::string to_text(const Report& report, bool explain = false);
// Keys come in a fixed order, and equal values give equal text. Bytes that are not UTF-8 become
// U+FFFD.
std::string to_json(const Report& report);
// Writes one line for each value: verb, key, value, unit and which direction is better (RFC 4180).
// A plan has columns of its own: job, section, key, value, unit, label, formula, source.
std::string to_csv(const Report& report);
// Reads the text of to_json() back. The error is kCorrupt and names the key that is missing or
// wrong, or the version of an older result.
Result<Report> parse_report(std::string_view json);

// Return the JSON Schema (draft 2020-12) of every verb's result, and the text of docs/results.md.
// Both are made from the tables.
std::string report_schema();
std::string report_page();

}  // namespace feedrate

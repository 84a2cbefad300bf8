// The parts of docs/ about workload files, made from the rows of workload_fields.h. For
// feedrate_describe, and for the test that holds docs/ to it.
#pragma once

#include <string>
#include <string_view>

namespace feedrate {

// Makes docs/workload.schema.json: a JSON Schema of workload files, for editors.
std::string workload_schema();
// Returns docs/workloads.md with the table of keys as it should be between its two marks, or ""
// where the page has no marks.
std::string with_workload_keys(std::string_view page);

}  // namespace feedrate

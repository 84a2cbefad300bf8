// What every verb does with its report: fills in the envelope, writes JSON, prints the text.
#pragma once

#include <string_view>

#include "feedrate/cli/command.h"
#include "feedrate/cli/output.h"
#include "feedrate/result/views.h"

namespace feedrate {

std::string_view build_name();  // "feedrate 0.1.0 (12.2.0)"

// The verb, the settings that were given, the host and, where the result depends on it, what the
// command took of it. `place` and `effective` are the verb's to fill in.
void fill_envelope(const CommandContext& context, std::string_view verb, Envelope& report);

// JSON where it was asked for, and the text to stdout, unless that is where the JSON went.
Result<> show_report(const Report& report, const ResultTarget& json);

}  // namespace feedrate

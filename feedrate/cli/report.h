// What every verb does with its report: fills in the envelope, writes JSON, prints the text.
#pragma once

#include <string_view>

#include "feedrate/cli/command.h"
#include "feedrate/cli/output.h"
#include "feedrate/result/views.h"

namespace feedrate {

std::string_view build_name();  // "feedrate 0.1.0 (12.2.0)"

// The verb, the settings that were given, the host and, where the result depends on it, what the
// command took of it. `place` is the verb's to fill in, and so are settings in `effective` that it
// worked out itself.
void fill_envelope(const CommandContext& context, std::string_view verb, Envelope& report);

// JSON where it was asked for, and the text to stdout, unless that is where the JSON went.
Result<> show_report(const Report& report, const ResultTarget& json);

// What `error` says of the work that it ended.
void note_failure(const Error& error, bool figures, Envelope& report);

// The report of work that ended with `error`, where JSON was asked for: it says why it is not
// whole. `figures`: what was done before has figures of its own, which an interruption leaves valid
// and which are then printed. Returns the error. After a usage error there is no report, since
// nothing was done.
template <class T>
std::unexpected<Error> report_failure(const CommandContext& context, std::string_view verb,
                                      T& report, const Error& error, bool figures,
                                      const ResultTarget& json) {
  if (error.kind() == ErrorKind::kUsage) return fail(error);
  note_failure(error, figures, report);
  fill_envelope(context, verb, report);
  // Of two errors the first is the one to be told of.
  const Result<> shown =
      report.valid ? show_report(report, json) : json.write(json.wanted() ? to_json(report) : "");
  static_cast<void>(shown);
  return fail(error);
}

}  // namespace feedrate

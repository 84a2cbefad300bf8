// Does for every verb what is done with its report: fills in the envelope, writes JSON, prints the
// text.
#pragma once

#include <string_view>

#include "feedrate/cli/output.h"
#include "feedrate/experiment/transfer.h"
#include "feedrate/options/command.h"
#include "feedrate/request/run_options.h"
#include "feedrate/result/report_failure.h"
#include "feedrate/result/views.h"

namespace feedrate {

// Names on stderr the keys of a DLIO file that mean nothing here.
void tell_ignored(const CommandContext& context, const std::vector<std::string>& keys);
// Resolves the workload, and tells what of it was ignored.
Result<Workload> resolve_workload(WorkloadOptions& options, const CommandContext& context);

// Fills in the verb, the settings that were given, the host and, where the result depends on it,
// the time and memory that the command took. The verb itself fills in `place`, and the settings in
// `effective` that it worked out.
void fill_envelope(const CommandContext& context, std::string_view verb, Envelope& report);

// Writes JSON where that was asked for, and prints the text to stdout, unless the JSON went there.
Result<> show_report(const Report& report, const ResultTarget& json);

// Shows the report of work that ended with `error`, which says why it is not whole. `figures` says
// that what was done before has figures of its own, which an interruption leaves valid and which
// are then printed; otherwise there is a report only where JSON was asked for. Returns the error.
// After a usage error there is no report, since nothing was done.
template <class T>
std::unexpected<Error> report_failure(const CommandContext& context, std::string_view verb,
                                      T& report, const Error& error, bool figures,
                                      const ResultTarget& json) {
  if (error.kind() == ErrorKind::kUsage) return fail(error);
  note_failure(error, figures, report);
  fill_envelope(context, verb, report);
  // Where writing the report fails as well, the first error is the one to tell.
  const Result<> shown =
      report.valid ? show_report(report, json) : json.write(json.wanted() ? to_json(report) : "");
  static_cast<void>(shown);
  return fail(error);
}

// Shows the report of a verb that moves checkpoints or models, whole or not, and returns the exit
// status or how it ended. Its settings are those that it reports and those that were given: what
// --help says of the others is not always a value.
template <class R>
Result<int> show_transfer(const CommandContext& given, Reported<R> done, const ResultTarget& json) {
  CommandContext context = given;
  context.settings = context.requested;
  const std::string verb = done.report.verb;
  if (!done.ended)
    return report_failure(context, verb, done.report, done.ended.error(), done.figures, json);
  fill_envelope(context, verb, done.report);
  FEEDRATE_CHECK(show_report(done.report, json));
  return 0;
}

}  // namespace feedrate

#include "feedrate/result/report_failure.h"

namespace feedrate {

void note_failure(const Error& error, bool figures, Envelope& report) {
  report.interrupted = error.kind() == ErrorKind::kCancelled;
  if (report.interrupted && figures) return;
  report.valid = false;
  report.invalid_reasons.push_back(error.message() +
                                   (error.hint().empty() ? std::string() : "; " + error.hint()));
  if (!report.interrupted)
    report.errors.push_back({std::string(to_string(error.kind())), 1, error.message()});
}

}  // namespace feedrate

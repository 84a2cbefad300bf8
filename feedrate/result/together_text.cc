// The text of jobs that ran together: the first one's verdict, a line for each, and then the report
// of each with its own ledger.
#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {
namespace {

std::string verdict_of_job(const JobTogether& job) {
  if (job.train) return verdict_of(*job.train);
  return job.checkpoint ? verdict_of(*job.checkpoint) : "nothing was measured";
}

std::string rate_text(const JobTogether& job, double rate) {
  if (rate <= 0) return "its rate is not known";
  return job.train ? fmt::format("{} samples/s", format_count(rate)) : format_rate(rate);
}

std::string job_line(const JobTogether& job) {
  std::string line = fmt::format("  {}: {}", job.job, rate_text(job, job.rate()));
  if (!job.was_alone() || job.rate() <= 0 || job.rate_alone() <= 0) return line + "\n";
  return line + fmt::format(", alone {}: {} lost\n", rate_text(job, job.rate_alone()),
                            fraction_text(job.lost_fraction()));
}

bool reads_files(const JobTogether& job) {
  return job.train && job.train->place.clock == "real" && job.train->place.io != "none";
}

}  // namespace

std::string verdict_of(const TogetherReport& report) {
  if (report.jobs.empty()) return "nothing was run";
  if (!report.valid) return invalid_text(report);
  std::string text =
      verdict_of_job(report.jobs.front()) +
      fmt::format(", beside {}", format_counted(report.jobs.size() - 1, "other job"));
  if (reads_files(report.jobs.front())) text += " (where the bytes came from is not known)";
  const bool told = text.find("interrupted") != std::string::npos;
  return text + (report.interrupted && !told ? " (interrupted: partial result)" : "");
}

std::string text_of(const TogetherReport& report) {
  std::string text = "together:\n";
  for (const JobTogether& job : report.jobs) text += job_line(job);
  text += warnings_text(report.warnings, report.errors);
  for (const JobTogether& job : report.jobs) {
    text += fmt::format("\n{}\n{}\n", job.job, verdict_of_job(job));
    if (job.train) text += text_of(*job.train);
    if (job.checkpoint) text += text_of(*job.checkpoint);
  }
  return text;
}

}  // namespace feedrate

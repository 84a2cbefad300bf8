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
  return job.train ? fmt::format("{} samples/s", format_count(rate)) : format_rate(rate);
}

// Tells of a job that hung when the run ended; "" for others.
std::string stuck_text(const JobTogether& job) {
  if (job.stuck_seconds <= 0) return {};
  return fmt::format(", no step for the last {}", format_duration(from_seconds(job.stuck_seconds)));
}

// A job cannot be faster beside others; by more than this it is no rounding.
constexpr double kFaster = 1.05;

std::string job_line(const JobTogether& job) {
  const std::optional<double> rate = job.rate(), alone = job.rate_alone();
  std::string line =
      fmt::format("  {}: {}", job.job, rate ? rate_text(job, *rate) : "its rate is not known");
  if (rate && alone && *rate > kFaster * *alone)
    line += fmt::format(
        ", alone {}: slower by itself, so these runs are too short or too uneven to "
        "tell what was lost",
        rate_text(job, *alone));
  else if (const auto lost = job.lost_fraction())
    line += fmt::format(", alone {}: {} lost", rate_text(job, *alone), fraction_text(*lost));
  else if (job.was_alone() && rate)
    line += ", its rate alone is not known";
  return line + stuck_text(job) + "\n";
}

}  // namespace

std::string verdict_of(const TogetherReport& report) {
  if (report.jobs.empty()) return "nothing was run";
  if (!report.valid) return invalid_text(report);
  std::string text =
      verdict_of_job(report.jobs.front()) +
      fmt::format(", beside {}", format_counted(report.jobs.size() - 1, "other job"));
  for (const JobTogether& job : report.jobs)
    if (job.stuck_seconds > 0)
      text += fmt::format("; {} made no step for the last {}", job.job,
                          format_duration(from_seconds(job.stuck_seconds)));
  constexpr double kAsLong = 0.9;
  const double first = report.jobs.front().train ? report.jobs.front().train->seconds : 0;
  for (const JobTogether& job : report.jobs)
    if (job.train && job.stuck_seconds <= 0 && job.train->seconds < kAsLong * first)
      text += fmt::format("; {} was over after {} of {}", job.job,
                          format_duration(from_seconds(job.train->seconds)),
                          format_duration(from_seconds(first)));
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

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/units.h"
#include "feedrate/result/doctor_result.h"
#include "feedrate/result/text_parts.h"

namespace feedrate {

namespace {

std::string findings_text(const DoctorReport& report) {
  const std::uint64_t warnings = report.count(FindingVerdict::kWarn);
  const std::uint64_t bads = report.count(FindingVerdict::kBad);
  if (bads > 0)
    return fmt::format("{} will spoil measurements here, {}", format_counted(bads, "finding"),
                       format_counted(warnings, "warning"));
  if (warnings > 0) return fmt::format("nothing bad, {}", format_counted(warnings, "warning"));
  return "nothing will spoil measurements here";
}

}  // namespace

std::string verdict_of(const DoctorReport& report) {
  if (!report.valid) return invalid_text(report);
  if (!report.interrupted) return findings_text(report);
  return fmt::format("{} (interrupted after {}: the rest is not known)", findings_text(report),
                     format_counted(report.findings.size(), "check"));
}

// Each finding has one line, with the reason and the remedy below those that need them.
std::string text_of(const DoctorReport& report) {
  std::size_t width = 0;
  for (const Finding& finding : report.findings) width = std::max(width, finding.check.size());
  std::string text = "\n";
  for (const Finding& finding : report.findings) {
    text += fmt::format("{:<8}{:<{}}  {}\n", to_string(finding.verdict), finding.check, width,
                        finding.found);
    if (!finding.why.empty()) text += fmt::format("          why:    {}\n", finding.why);
    if (!finding.remedy.empty()) text += fmt::format("          remedy: {}\n", finding.remedy);
  }
  return text + warnings_text(report.warnings, report.errors);
}

}  // namespace feedrate

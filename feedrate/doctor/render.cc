#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "feedrate/base/json_text.h"
#include "feedrate/base/text.h"
#include "feedrate/doctor/doctor.h"

namespace feedrate {
namespace {

constexpr std::array<Verdict, 4> kVerdicts{Verdict::kOk, Verdict::kWarn, Verdict::kBad,
                                           Verdict::kUnknown};

std::string summary(const DoctorReport& report) {
  const std::uint64_t warnings = report.count(Verdict::kWarn), bads = report.count(Verdict::kBad);
  if (bads > 0)
    return fmt::format("{} will spoil measurements here, {}\n", format_counted(bads, "finding"),
                       format_counted(warnings, "warning"));
  if (warnings > 0) return fmt::format("nothing bad, {}\n", format_counted(warnings, "warning"));
  return "nothing will spoil measurements here\n";
}

}  // namespace

std::string render_text(const DoctorReport& report) {
  std::size_t width = 0;
  for (const Finding& finding : report.findings) width = std::max(width, finding.check.size());
  std::string text;
  for (const Finding& finding : report.findings) {
    text += fmt::format("{:<8}{:<{}}  {}\n", to_string(finding.verdict), finding.check, width,
                        finding.found);
    if (!finding.why.empty()) text += fmt::format("          why:    {}\n", finding.why);
    if (!finding.remedy.empty()) text += fmt::format("          remedy: {}\n", finding.remedy);
  }
  return text + "\n" + summary(report);
}

std::string to_json(const DoctorReport& report) {
  nlohmann::ordered_json json;
  json["feedrate_doctor"] = 1;
  json["directory"] = report.asked;
  json["looked_at"] = report.looked_at;
  json["subject"] = report.subject;
  for (const Verdict verdict : kVerdicts)
    json["counts"][std::string(to_string(verdict))] = report.count(verdict);
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : report.findings)
    json["findings"].push_back({{"check", finding.check},
                                {"verdict", to_string(finding.verdict)},
                                {"found", finding.found},
                                {"why", finding.why},
                                {"remedy", finding.remedy}});
  return json_text(json) + "\n";
}

}  // namespace feedrate

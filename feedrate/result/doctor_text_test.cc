// Tests the text that `doctor` prints, and its JSON.
#include <gtest/gtest.h>

#include "feedrate/result/result_testing.h"

namespace feedrate {
namespace {

TEST(DoctorText, WhyAndRemedyStandBelowWhatNeedsThem) {
  EXPECT_EQ(to_text(full_doctor()),
            "1 finding will spoil measurements here, 1 warning (interrupted after 4 checks: the "
            "rest is not known)\n"
            "\n"
            "ok      clock       tsc\n"
            "warn    read-ahead  8 MiB\n"
            "          why:    because\n"
            "          remedy: do this\n"
            "bad     open files  40\n"
            "          why:    since\n"
            "          remedy: do that\n"
            "unknown NUMA        not countable here: no\n"
            "  error: 2 x io: read \"x\" at offset 3: Input/output error\n"
            "  warning: a warning\n"
            "  warning: another\n");
}

TEST(DoctorText, NamesAreAsWideAsTheWidest) {
  DoctorReport report;
  report.findings = {{"a", FindingVerdict::kOk, "x", "", ""},
                     {"long name", FindingVerdict::kOk, "y", "", ""}};
  EXPECT_EQ(to_text(report),
            "nothing will spoil measurements here\n"
            "\n"
            "ok      a          x\n"
            "ok      long name  y\n");
}

TEST(DoctorText, TheVerdictCountsWhatSpoils) {
  DoctorReport report;
  EXPECT_EQ(verdict_of(report), "nothing will spoil measurements here");
  report.findings = {{"a", FindingVerdict::kUnknown, "", "", ""},
                     {"b", FindingVerdict::kOk, "", "", ""}};
  EXPECT_EQ(verdict_of(report), "nothing will spoil measurements here");
  report.findings[1].verdict = FindingVerdict::kWarn;
  EXPECT_EQ(verdict_of(report), "nothing bad, 1 warning");
  report.findings[0].verdict = FindingVerdict::kWarn;
  EXPECT_EQ(verdict_of(report), "nothing bad, 2 warnings");
  report.findings[0].verdict = FindingVerdict::kBad;
  EXPECT_EQ(verdict_of(report), "1 finding will spoil measurements here, 1 warning");
  report.findings[1].verdict = FindingVerdict::kBad;
  EXPECT_EQ(verdict_of(report), "2 findings will spoil measurements here, 0 warnings");
}

TEST(DoctorText, WhereNothingWasLookedAtItSaysSo) {
  DoctorReport report;
  report.interrupted = true;
  report.valid = false;
  report.invalid_reasons = {"nothing was looked at"};
  EXPECT_EQ(verdict_of(report), "INVALID: nothing was looked at");
}

TEST(DoctorText, VerdictsHaveTheirWords) {
  EXPECT_EQ(to_string(FindingVerdict::kOk), "ok");
  EXPECT_EQ(to_string(FindingVerdict::kWarn), "warn");
  EXPECT_EQ(to_string(FindingVerdict::kBad), "bad");
  EXPECT_EQ(to_string(FindingVerdict::kUnknown), "unknown");
}

TEST(DoctorJson, HasWhatTheTextHas) {
  DoctorReport report = full_doctor();
  report.place.directory = "da\xff";
  const TestJson json = json_of(report);
  EXPECT_EQ(json["feedrate"], kReportSchemaVersion);
  EXPECT_EQ(json["verdict"],
            "1 finding will spoil measurements here, 1 warning (interrupted after 4 checks: the "
            "rest is not known)");
  EXPECT_EQ(json["place"]["directory"], "da\xEF\xBF\xBD");
  const TestJson& result = json["result"];
  EXPECT_EQ(result["looked_at"], "/here");
  EXPECT_EQ(result["subject"], "empty");
  EXPECT_EQ(result["counts"], (TestJson{{"bad", 1}, {"ok", 1}, {"unknown", 1}, {"warn", 1}}));
  ASSERT_EQ(result["findings"].size(), 4U);
  EXPECT_EQ(result["findings"][0]["verdict"], "ok");
  EXPECT_EQ(result["findings"][1]["check"], "read-ahead");
  EXPECT_EQ(result["findings"][1]["verdict"], "warn");
  EXPECT_EQ(result["findings"][1]["found"], "8 MiB");
  EXPECT_EQ(result["findings"][1]["why"], "because");
  EXPECT_EQ(result["findings"][1]["remedy"], "do this");
  EXPECT_EQ(result["findings"][2]["verdict"], "bad");
  EXPECT_EQ(result["findings"][3]["verdict"], "unknown");
  report.findings.clear();
  EXPECT_EQ(json_of(report)["result"]["counts"]["warn"], 0) << "a count of none is a count";
}

TEST(DoctorJson, EveryVerdictIsReadBack) {
  const Result<Report> back = parse_report(to_json(full_doctor()));
  ASSERT_TRUE(back);
  const DoctorReport& report = std::get<DoctorReport>(*back);
  ASSERT_EQ(report.findings.size(), 4U);
  EXPECT_EQ(report.findings[0].verdict, FindingVerdict::kOk);
  EXPECT_EQ(report.findings[1].verdict, FindingVerdict::kWarn);
  EXPECT_EQ(report.findings[2].verdict, FindingVerdict::kBad);
  EXPECT_EQ(report.findings[3].verdict, FindingVerdict::kUnknown);
}

}  // namespace
}  // namespace feedrate

#include "feedrate/doctor/doctor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "feedrate/dataset/manifest.h"
#include "feedrate/host/host_testing.h"
#include "feedrate/result/views.h"

namespace feedrate {
namespace {

DoctorOptions quickly() {
  DoctorOptions options;
  options.watch = std::chrono::milliseconds(1);
  return options;
}

const Finding* find(const DoctorReport& report, std::string_view check) {
  const auto found = std::ranges::find(report.findings, check, &Finding::check);
  return found == report.findings.end() ? nullptr : &*found;
}

TEST(Doctor, EveryFindingHasItsWords) {
  const FakeTree tree;
  tree.write("file", std::string(10000, 'x'));
  const DoctorReport report = examine(tree.path(), quickly());
  EXPECT_EQ(report.place.directory, tree.path());
  EXPECT_EQ(report.looked_at, tree.path());
  EXPECT_EQ(report.subject, "1 file, 9.8 KiB");
  EXPECT_GE(report.findings.size(), 20U);
  std::set<std::string> names;
  std::uint64_t counted = 0;
  for (const Finding& finding : report.findings) {
    EXPECT_TRUE(names.insert(finding.check).second) << finding.check;
    EXPECT_FALSE(finding.found.empty()) << finding.check;
    const bool needs_words =
        finding.verdict == FindingVerdict::kWarn || finding.verdict == FindingVerdict::kBad;
    EXPECT_EQ(finding.why.empty(), !needs_words) << finding.check;
    EXPECT_EQ(finding.remedy.empty(), !needs_words) << finding.check;
  }
  for (const FindingVerdict verdict :
       {FindingVerdict::kOk, FindingVerdict::kWarn, FindingVerdict::kBad, FindingVerdict::kUnknown})
    counted += report.count(verdict);
  EXPECT_EQ(counted, report.findings.size());
}

TEST(Doctor, NothingIsLeftBehind) {
  const FakeTree tree;
  examine(tree.path(), quickly());
  EXPECT_TRUE(std::filesystem::is_empty(tree.path()));
}

TEST(Doctor, ADirectoryThatIsNotThereYet) {
  const FakeTree tree;
  const DoctorReport report = examine(tree.path("not/there"), quickly());
  EXPECT_EQ(report.looked_at, tree.path());
  const Finding* directory = find(report, "directory");
  EXPECT_EQ(directory->verdict, FindingVerdict::kOk);
  EXPECT_EQ(directory->found, "\"" + tree.path("not/there") +
                                  "\": it does not exist yet; looked at \"" + tree.path() + "\"");
  EXPECT_EQ(find(report, "page cache"), nullptr) << "there is nothing to be cached";
}

TEST(Doctor, AStopEndsItBeforeTheNextCheck) {
  const FakeTree tree;
  std::stop_source stop;
  stop.request_stop();
  DoctorOptions options;
  options.watch = std::chrono::hours(1);  // The stop ends the watching, too.
  options.stop = stop.get_token();
  const DoctorReport report = examine(tree.path(), options);
  EXPECT_TRUE(report.interrupted);
  EXPECT_FALSE(report.valid);
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.invalid_reasons,
            std::vector<std::string>{"nothing was looked at: it was interrupted before the first "
                                     "check; run it again"});
}

TEST(Doctor, AManifestMakesADataSetOfOurs) {
  const FakeTree tree;
  Manifest manifest;
  manifest.plan.workload = "resnet50";
  manifest.plan.format = "tfrecord";
  manifest.plan.files = 2;
  manifest.plan.samples_per_file = 4;
  manifest.plan.sample_bytes_mean = 10000;
  tree.write("data/feedrate.json", manifest_to_json(manifest));
  tree.write("data/train/one", "12345");
  tree.write("data/.hidden/two", "12345");
  EXPECT_EQ(examine(tree.path("data"), quickly()).subject,
            "a data set of ours that is not complete: resnet50, 1 file, 5 B");
  manifest.complete = true;
  tree.write("data/feedrate.json", manifest_to_json(manifest));
  EXPECT_TRUE(examine(tree.path("data"), quickly())
                  .subject.starts_with("a data set of ours: resnet50, 2 files, 78."));
  tree.write("data/feedrate.json", "{");
  const DoctorReport damaged = examine(tree.path("data"), quickly());
  EXPECT_EQ(find(damaged, "directory")->verdict, FindingVerdict::kBad);
}

TEST(Doctor, ADirectoryThatIsClosedIsBad) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const FakeTree tree;
  tree.write("closed/file", "x");
  ASSERT_EQ(chmod(tree.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(tree.path("closed").c_str(), 0700), 0);
  ASSERT_EQ(seteuid(65534), 0);
  const DoctorReport closed = examine(tree.path("closed"), quickly());
  const DoctorReport below = examine(tree.path("closed/below"), quickly());
  const DoctorReport read_only = examine(tree.path("none"), quickly());
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(closed.subject, "it cannot be listed: Permission denied");
  EXPECT_EQ(find(closed, "directory")->verdict, FindingVerdict::kBad);
  EXPECT_EQ(below.subject, "it cannot be looked at: Permission denied");
  EXPECT_EQ(find(read_only, "directory")->verdict, FindingVerdict::kBad);
  EXPECT_EQ(find(read_only, "directory")->why, "a data set cannot be made there");
}

}  // namespace
}  // namespace feedrate

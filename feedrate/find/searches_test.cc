// Tests what the two searches of one `find` have in common: the budget, the settings, the report.
#include "feedrate/find/searches.h"

#include "feedrate/experiment/experiment_testing.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

// An accelerator reads 4 MB/s, so 40 MB/s feed 11 at 90 %.
constexpr const char* kStorage = "bandwidth: 40MB/s\nlatency: 1ms\n";

FindSetup find_on(const std::string& storage, Duration budget) {
  FindSetup setup;
  setup.limits.clock = ClockKind::kVirtual;
  setup.limits.find.budget = budget;
  setup.wall = [] { return Instant{}; };
  TrainingSetup training = training_on(storage, 1, 0);
  setup.first = search_setup(training, setup.limits.find).value();
  return setup;
}

TEST(Searches, FindTheNumberAndDescribeIt) {
  const ModelFile file(kStorage);
  const Reported<FindReport> outcome = find(find_on(file.storage(), std::chrono::seconds(60)), {});
  ASSERT_TRUE(outcome.ended) << outcome.ended.error().message();
  const FindReport& report = outcome.report;
  EXPECT_EQ(report.verb, "find");
  ASSERT_EQ(report.searches.size(), 1U);
  const FindResult& found = report.searches.front();
  EXPECT_LE(found.accelerators_low, 11U);
  EXPECT_GE(found.accelerators_high, 11U);
  EXPECT_EQ(found.clock, "virtual");
  EXPECT_TRUE(found.repeatable);
  EXPECT_EQ(report.place.storage, file.storage());
  EXPECT_EQ(report.effective.at("budget"), "60.0 s");
  EXPECT_EQ(report.effective.at("clock"), "virtual");
  EXPECT_FALSE(report.interrupted);
}

TEST(Searches, TheFrameworksNumberIsFoundInTheSameBudget) {
  const ModelFile file(kStorage);
  FindSetup setup = find_on(file.storage(), std::chrono::seconds(60));
  setup.limits.framework = true;
  TrainingSetup training = setup.first.training;
  training.plan = test_plan(training.workload, ClientKind::kFaithful, 1);
  setup.framework = search_setup(training, setup.limits.find);
  const Reported<FindReport> outcome = find(setup, {});
  ASSERT_TRUE(outcome.ended);
  ASSERT_EQ(outcome.report.searches.size(), 2U);
  EXPECT_EQ(outcome.report.searches[1].client, "faithful");
  EXPECT_LE(outcome.report.searches[0].spent_seconds, 43);  // 30 % are kept for the other.
  setup.limits.find.budget = setup.first.find.budget = std::chrono::seconds(5);
  const Reported<FindReport> tight = find(setup, {});
  ASSERT_EQ(tight.report.searches.size(), 1U);
  EXPECT_NE(tight.report.searches[0].findings.back().find("the framework's number was left out"),
            std::string::npos);
}

TEST(Searches, AFrameworkThatCannotBeMeasuredIsAFinding) {
  const ModelFile file(kStorage);
  FindSetup setup = find_on(file.storage(), std::chrono::seconds(60));
  setup.limits.framework = true;
  setup.framework = Result<SearchSetup>(fail(ErrorKind::kUsage, "no such client"));
  const Reported<FindReport> outcome = find(setup, {});
  ASSERT_TRUE(outcome.ended);
  ASSERT_EQ(outcome.report.searches.size(), 1U);
  EXPECT_EQ(outcome.report.searches[0].findings.back(),
            "the framework's client could not be measured: no such client");
}

TEST(Searches, ADeepAnswerIsToldOfAndSoAreFreshFiles) {
  const ModelFile file(kStorage);
  FindSetup setup = find_on(file.storage(), std::chrono::seconds(60));
  setup.first.find.at_least = setup.limits.find.at_least = 4;
  setup.just_written = true;
  const Reported<FindReport> outcome = find(setup, {});
  ASSERT_TRUE(outcome.ended);
  const FindResult& found = outcome.report.searches.front();
  EXPECT_EQ(found.answer, "pass");
  EXPECT_NE(found.findings.front().find("asked of reads as deep as this storage needs"),
            std::string::npos);
  EXPECT_TRUE(found.just_written);
}

TEST(Searches, WallTimeCutsASearchThatThenCannotBeRepeated) {
  const ModelFile file(kStorage);
  FindSetup setup = find_on(file.storage(), {});
  setup.limits.wall = std::chrono::seconds(1);
  Instant now{};
  setup.wall = [&now] { return now += std::chrono::milliseconds(10); };
  const Reported<FindReport> outcome = find(setup, {});
  ASSERT_TRUE(outcome.ended);
  EXPECT_FALSE(outcome.report.searches.front().repeatable);
  EXPECT_EQ(outcome.report.effective.at("wall"), "1.0 s");
}

TEST(Searches, AnErrorKeepsWhatIsKnownOfTheReport) {
  const TemporaryDirectory directory;
  FindSetup setup = find_on("null", std::chrono::seconds(5));
  TrainingSetup& training = setup.first.training;
  training.world.clock = setup.limits.clock = ClockKind::kReal;
  training.place.spec = local_files();
  training.place.directory = directory.path();
  training.cache = CacheUse::kKeep;
  const Reported<FindReport> outcome = find(setup, {});
  ASSERT_FALSE(outcome.ended);
  EXPECT_TRUE(outcome.report.searches.empty());
  EXPECT_EQ(outcome.report.effective.at("clock"), "real");
}

TEST(Searches, ADataSetOfOneStepIsTooSmallForTheFramework) {
  TrainingSetup training = training_on("null", 1, 0);
  training.workload = test_workload("file", 4, 1, 10'000);
  training.plan = test_plan(training.workload, ClientKind::kFaithful, 1);
  const Result<SearchSetup> search = search_setup(training, {});
  ASSERT_FALSE(search);
  EXPECT_NE(search.error().message().find("an epoch of one step cannot be measured"),
            std::string::npos);
}

}  // namespace
}  // namespace feedrate

// Tests every sentence that a search can print.
#include <gtest/gtest.h>

#include "feedrate/result/views.h"

namespace feedrate {
namespace {

RunResult a_run(std::uint32_t accelerators) {
  RunResult run;
  run.job.workload = "resnet50";
  run.job.title = "a title";
  run.job.accelerator = "h100";
  run.job.timing_source = "a source";
  run.job.accelerators = run.job.replicas = accelerators;
  run.job.batch_samples = 400;
  run.job.compute_seconds_per_batch = 0.224;
  run.job.demand_bytes_per_second = 204750000;
  run.effective = {{"client", "native"}, {"io", "direct"}, {"clock", "real"}};
  run.dataset.directory = "/data";
  run.dataset.format = "tfrecord";
  run.dataset.files = 14;
  run.dataset.samples = 17514;
  run.dataset.bytes = 2008000000;
  run.reactors = 2;
  run.warnings = {"something to know"};
  return run;
}

FindResult a_search(std::uint32_t low, std::uint32_t number, std::uint32_t high) {
  FindResult find;
  find.client = "native";
  find.job = a_run(0).job;
  find.job.au_threshold = 0.9;
  find.job.timing_set = "measured";
  find.dataset = a_run(0).dataset;
  find.io = "direct";
  find.clock = "real";
  find.reactors = 2;
  find.warnings = {"something to know"};
  find.accelerators_low = low;
  find.accelerators = number;
  find.accelerators_high = high;
  find.measured = true;
  find.limit = 100;
  find.limited_by = "storage";
  find.reason = "because";
  find.points = {{20, 0.92, 0.01, 12.5, 2, "fed"}, {21, 0.88, 0.01, 9, 3, "not-fed"}};
  find.at_answer = a_run(low);
  find.beyond = a_run(high + 1);
  return find;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
std::string text_of_searches(std::vector<FindResult> searches) {
  FindReport report;
  report.searches = std::move(searches);
  return to_text(report);
}
bool has(const FindResult& find, const std::string& line) {
  return text_of_searches({find}).find(line) != std::string::npos;
}

TEST(FindText, OneNumberWhereBothSidesAreProven) {
  EXPECT_EQ(answer_text(a_search(20, 20, 20)), "20 x h100");
  EXPECT_EQ(range_text(a_search(20, 20, 20)), "20 x h100");
  EXPECT_EQ(first_line(text_of_searches({a_search(20, 20, 20)})),
            "20 x h100 fed at AU >= 90.0 %, measured step times");
  FindResult plain = a_search(0, 0, 0);
  plain.job.timing_set = "";
  plain.at_answer.reset();
  EXPECT_EQ(first_line(text_of_searches({plain})), "0 x h100 fed at AU >= 90.0 %");
}

TEST(FindText, ANumberWithItsIntervalWhereThatIsNarrow) {
  EXPECT_EQ(answer_text(a_search(19, 20, 21)), "20 x h100 (19 to 21)");
  EXPECT_EQ(answer_text(a_search(0, 1, 2)), "1 x h100 (0 to 2)");
  // The width is a tenth of the number.
  EXPECT_EQ(answer_text(a_search(57, 60, 63)), "60 x h100 (57 to 63)");
  EXPECT_EQ(range_text(a_search(19, 20, 21)), "between 19 and 21 x h100");
}

TEST(FindText, ARangeComesFirstWhereItIsWide) {
  EXPECT_EQ(answer_text(a_search(16, 20, 24)), "between 16 and 24 x h100");
  // The width is more than a tenth.
  EXPECT_EQ(answer_text(a_search(56, 60, 63)), "between 56 and 63 x h100");
  EXPECT_EQ(first_line(text_of_searches({a_search(16, 20, 24)})),
            "between 16 and 24 x h100 fed at AU >= 90.0 %, measured step times");
}

TEST(FindText, ARowSaysWhenOtherNumbersDecidedIt) {
  FindResult find = a_search(18, 18, 18);
  const auto says = [&find](const std::string& line) {
    for (FindPoint& point : find.points) point.decided_by = decided_by(find, point);
    return has(find, line);
  };
  find.points = {{18, 0.905, 0.01, 9, 3, "fed"},
                 {19, 0.91, 0.005, 9, 3, "not-fed"},
                 {20, 0.88, 0.01, 9, 3, "not-fed"},
                 {21, 0.89, 0.01, 9, 3, "open"}};
  EXPECT_TRUE(says("9.0 s      3  fed, by the looks at 3 numbers beside it\n"))
      << text_of_searches({find});
  EXPECT_TRUE(
      says(" 91.0 % +- 0.5      9.0 s      3  not fed, by the looks at 3 numbers beside it\n"));
  EXPECT_TRUE(says(" 88.0 % +- 1.0      9.0 s      3  not fed\n"));
  EXPECT_TRUE(says("  not decided\n"));
  find.points.resize(1);
  EXPECT_TRUE(says("  fed, by the rate of the storage\n"));
  find.points[0].half_width = 0.005;  // This is just enough.
  EXPECT_TRUE(says("  fed\n"));
}

TEST(FindText, OrMoreWhereTheSearchEndedAtItsLimit) {
  FindResult find = a_search(100, 100, 100);
  EXPECT_EQ(answer_text(find), "100 x h100 or more");
  find.accelerators_low = 99;
  EXPECT_EQ(answer_text(find), "100 x h100 (99 to 100 or more)");
  find.accelerators_low = 40;
  EXPECT_EQ(answer_text(find), "between 40 and 100 x h100 or more");
  find.most_tried = true;
  EXPECT_EQ(answer_text(find), "between 40 and 100 x h100 or more (no more were tried)");
}

TEST(FindText, TheEdgeNamesBothNumbersAndTheUtilisationOfTheLarger) {
  FindResult find = a_search(20, 20, 21);
  find.points = {{20, 0.945, 0.001, 60, 4, "fed"}, {21, 0.9003, 0.0015, 90, 5, "edge"}};
  EXPECT_EQ(answer_text(find), "20 or 21 x h100 (AU at 21 is 90.0 %)");
  EXPECT_TRUE(has(find, "within 0.2 points of the threshold\n")) << text_of_searches({find});
  find.narrower_budget_seconds = 100;  // Something else is still open, so this is no edge.
  EXPECT_EQ(answer_text(find), "20 x h100 (20 to 21)");
}

TEST(FindText, TheEdgeOfManyNumbersIsARangeThatNoBudgetNarrows) {
  FindResult find = a_search(1000, 1001, 1003);
  find.points = {{1001, 0.9001, 0.001, 60, 4, "edge"},
                 {1002, 0.8999, 0.001, 60, 4, "edge"},
                 {1003, 0.8992, 0.001, 90, 5, "edge"}};
  EXPECT_EQ(answer_text(find), "1000 to 1003 x h100 (AU at 1003 is 89.9 %)");
}

TEST(FindText, NothingMeasuredIsNotANumber) {
  FindResult find = a_search(0, 0, 100);
  find.measured = false;
  find.at_answer.reset();
  find.beyond.reset();
  find.points.clear();
  EXPECT_EQ(answer_text(find), "unknown how many h100 are fed: nothing could be measured");
  EXPECT_EQ(range_text(find), "nothing yet");
  EXPECT_EQ(first_line(text_of_searches({find})),
            "unknown how many h100 are fed: nothing could be measured at AU >= 90.0 %, measured "
            "step times");
}

// Where no trial could tell anything, a budget is named that would hold one, and nothing else is
// promised.
TEST(FindText, ABudgetInWhichNothingCouldBeMeasured) {
  FindResult find = a_search(0, 0, 100);
  find.measured = false;
  find.at_answer.reset();
  find.beyond.reset();
  find.points.clear();
  find.budget_seconds = 1;
  find.first_look_budget_seconds = 2.2;
  find.narrower_budget_seconds = 100;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "unknown: nothing could be measured in 1 s; --budget=3s would");
  EXPECT_TRUE(has(find, "would\nwhy not more: because\n\n")) << text_of_searches({find});
  EXPECT_FALSE(has(find, "more exactly"));
  EXPECT_FALSE(has(find, "looks")) << "a table of nothing";
  find.first_look_budget_seconds = 12;
  find.budget_seconds = 1.5;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "unknown: nothing could be measured in 1.5 s; --budget=20s would");
  find.first_look_budget_seconds = 0;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "unknown: nothing could be measured in 1.5 s; --budget=20s may");
  find.client = "faithful";
  find.budget_seconds = 0;
  find.samples_max = 2'000'000;
  find.first_look_budget_seconds = 45;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "unknown with the framework's habits: nothing could be measured in the 2.00 M samples "
            "of a search without --budget; --budget=45s would");
  find.interrupted = true;
  EXPECT_TRUE(text_of_searches({find}).starts_with("unknown how many h100 are fed: "));
}

TEST(FindText, AnInterruptedSearchThatLookedAtNoNumberSaysWhatTheRateSays) {
  FindResult find = a_search(0, 0, 100);
  find.measured = false;
  find.interrupted = true;
  find.points.clear();
  find.by_rate = 20;
  find.rate_bytes_per_second = 3.72e9;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "about 20 x h100 by the rate alone (3.72 GB/s), not proven, at AU >= 90.0 %, measured "
            "step times (so far: interrupted)");
  find.by_rate = 0;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "not even 1 x h100 by the rate alone (3.72 GB/s), not proven, at AU >= 90.0 %, "
            "measured step times (so far: interrupted)");
}

TEST(FindText, AnInterruptedSearchPrintsNoPlaceholders) {
  FindResult find = a_search(0, 0, 100);
  find.measured = false;
  find.interrupted = true;
  find.points.clear();
  find.depth_reads = find.transfer_bytes = 0;
  find.read_ahead_bytes = 0;
  find.depths = {{8, 1048576, 2e9, 0.1}};
  EXPECT_EQ(first_line(text_of_searches({find})),
            "unknown how many h100 are fed: nothing could be measured at AU >= 90.0 %, measured "
            "step times (so far: interrupted)");
  EXPECT_TRUE(has(find,
                  "  depth            unknown, the search was interrupted before it was found; "
                  "moved 2.00 GB/s with 8\n"))
      << text_of_searches({find});
}

TEST(FindText, ASearchThatEndedBeforeItsFirstTrialSaysWhy) {
  FindReport report;
  EXPECT_EQ(to_text(report), "nothing was searched\n");
  report.valid = false;
  report.invalid_reasons = {"interrupted"};
  report.errors = {{"io", 1, "a message"}};
  EXPECT_EQ(to_text(report), "INVALID: interrupted\n  error: 1 x io: a message\n");
}

TEST(FindText, AtLeastPassesFailsOrIsUndecided) {
  FindResult find = a_search(64, 64, 100);
  find.asked = 64;
  find.answer = "pass";
  EXPECT_EQ(first_line(text_of_searches({find})),
            "pass: 64 x h100 are fed at AU >= 90.0 %, measured step times");
  find.limited_by = "--at-least";
  EXPECT_FALSE(has(find, "why not more")) << "nobody asked about more";
  find.limited_by = "storage";
  EXPECT_TRUE(has(find, "why not more: because\n"));
  find.answer = "fail";
  EXPECT_EQ(answer_text(find), "fail: 64 x h100 are not fed");
  find.answer = "undecided";
  EXPECT_EQ(answer_text(find), "undecided: 64 x h100 may be fed or not");
  find.client = "faithful";
  EXPECT_EQ(answer_text(find),
            "undecided: 64 x h100 may be fed or not with the framework's habits");
  find.answer = "pass";
  EXPECT_EQ(answer_text(find), "pass: 64 x h100 are fed with the framework's habits");
}

TEST(FindText, TheFrameworksNumberIsTheSecondLine) {
  FindResult framework = a_search(12, 12, 12);
  framework.client = "faithful";
  framework.findings = {"of the framework"};
  const std::string text = text_of_searches({a_search(20, 20, 20), framework});
  EXPECT_TRUE(text.starts_with(
      "20 x h100 fed at AU >= 90.0 %, measured step times\n"
      "12 x h100 with the framework's habits at AU >= 90.0 %, measured step times\n"
      "why not more: because\n"
      "note: of the framework\n"
      "\n"
      "resnet50: a title\n"))
      << text;
  EXPECT_NE(text.find("  client           faithful, direct I/O, 2 reactors, real clock\n"),
            std::string::npos)
      << text;
}

TEST(FindText, ABudgetThatWouldTellIsNamed) {
  FindResult find = a_search(16, 20, 24);
  find.narrower_budget_seconds = 100;
  EXPECT_TRUE(
      has(find, "step times\nmore exactly: --budget=2m would tell\nwhy not more: because\n"))
      << text_of_searches({find});
  find.narrower_numbers = 4;
  EXPECT_TRUE(has(find, "more exactly: --budget=2m would narrow it to about 4 numbers\n"))
      << text_of_searches({find});
  find.narrower_budget_seconds = 0;
  EXPECT_FALSE(has(find, "more exactly"));
}

TEST(FindText, ABudgetNamesWhichNumberItWouldTell) {
  FindResult find = a_search(16, 20, 24);
  FindResult framework = a_search(8, 12, 16);
  framework.narrower_budget_seconds = 200;
  EXPECT_NE(text_of_searches({find, framework})
                .find("\nmore exactly: --budget=5m would tell the framework's number\n"),
            std::string::npos)
      << text_of_searches({find, framework});
  find.narrower_budget_seconds = 100;
  EXPECT_NE(
      text_of_searches({find, framework}).find("\nmore exactly: --budget=5m would tell both\n"),
      std::string::npos)
      << "the larger of the two";
  framework.interrupted = true;
  EXPECT_EQ(text_of_searches({find, framework}).find("more exactly"), std::string::npos);
}

TEST(FindText, AnInterruptedSearchSaysWhatIsKnownSoFar) {
  FindResult find = a_search(16, 20, 24);
  find.interrupted = true;
  find.narrower_budget_seconds = 100;
  EXPECT_EQ(first_line(text_of_searches({find})),
            "between 16 and 24 x h100 fed at AU >= 90.0 %, measured step times (so far: "
            "interrupted)");
  EXPECT_FALSE(has(find, "more exactly")) << "nobody waited for the budget that was given";
}

// What was just written may be in a cache at its first reading, too, so that equal rates prove
// nothing.
TEST(FindText, CachesMakeNoDifferenceOnlyWhereTheyMayHave) {
  FindResult find = a_search(20, 20, 20);
  EXPECT_FALSE(has(find, "caches"));
  find.read_again = true;
  EXPECT_TRUE(has(find,
                  "note: read again, the data set feeds as many as at its first reading: caches of "
                  "the storage make no difference\n"));
  find.just_written = true;
  EXPECT_FALSE(has(find, "make no difference"));
  EXPECT_TRUE(has(find,
                  "note: all that was read had been written just before, and came as fast again: "
                  "caches of the storage may have held it both times\n"));
  find.cold = ColdAnswer{10, 9, 11, 1e9, 2e9};
  EXPECT_TRUE(has(find, "cold 10 (9 to 11), warm 20 (20 to 20)"));
}

TEST(FindText, FindingsAreNotesBehindTheReason) {
  FindResult find = a_search(20, 20, 20);
  find.findings = {"the storage changed meanwhile", "all of it had been written just before"};
  EXPECT_TRUE(has(find,
                  "why not more: because\nnote: the storage changed meanwhile\n"
                  "note: all of it had been written just before\n\n"));
}

TEST(FindText, WhatTheAnswerRestsOn) {
  FindResult find = a_search(20, 20, 20);
  find.depth_reads = 128;
  find.transfer_bytes = 2 << 20;
  find.read_ahead_bytes = 40 << 20;
  find.depths = {{32, 2 << 20, 2e9}, {128, 2 << 20, 3.7e9}};
  find.spent_seconds = 43.21;
  find.budget_seconds = 60;
  find.noise_seconds = 0.0004;
  find.ceiling = {0.5, 100000, 56.5, 0.00001};
  find.job.other_timings = {{"storage-benchmark", 0.25}};
  find.points.push_back({22, 0.9, 0.2, 1, 1, "open"});
  EXPECT_EQ(
      text_of_searches({find}),
      "20 x h100 fed at AU >= 90.0 %, measured step times\n"
      "why not more: because\n"
      "\n"
      "resnet50: a title\n"
      "  data set         14 tfrecord files, 17,514 samples, 1.9 GiB in \"/data\"\n"
      "  one accelerator  h100: batch 400, 224.00 ms a step, 205 MB/s (a source)\n"
      "  step time        measured timing; storage-benchmark training reads 4.0 x less\n"
      "  client           native, direct I/O, 2 reactors, real clock\n"
      "  depth            128 reads in flight in transfers of 2 MiB, 40 MiB read ahead; moved "
      "2.00 GB/s with 32, 3.70 GB/s with 128\n"
      "  search           43.2 s of trials, of a budget of 60 s; a rate measured for 1 s is known "
      "to +-3.9 %\n"
      "  this host        feeds 56 x h100 at the no-storage ceiling: 100,000 samples/s, 10.0 us "
      "of CPU each\n"
      "  warning: something to know\n"
      "\n"
      "  accelerators                AU   measured  looks\n"
      "            20     92.0 % +- 1.0     12.5 s      2  fed\n"
      "            21     88.0 % +- 1.0      9.0 s      3  not fed\n"
      "            22     90.0 % +-20.0      1.0 s      1  not decided\n");
}

TEST(FindText, WithoutATrialNothingIsSaidOfTheJob) {
  FindResult find = a_search(0, 1, 2);
  find.job.workload.clear();
  EXPECT_TRUE(has(find, "1 x h100 (0 to 2) fed")) << text_of_searches({find});
  EXPECT_FALSE(has(find, "data set")) << text_of_searches({find});
}

TEST(FindText, WithoutABudgetOrNoiseThoseAreLeftOut) {
  FindResult find = a_search(20, 20, 20);
  find.spent_seconds = 3;
  EXPECT_TRUE(has(find, "  search           3.0 s of trials\n")) << text_of_searches({find});
}

TEST(FindText, OneReplicaOfAModelParallelJob) {
  FindResult find = a_search(32, 32, 32);
  find.job.tensor_parallel = 8;
  EXPECT_TRUE(has(find,
                  "  one replica      8 h100 (tensor 8 x pipeline 1): batch 400, 224.00 ms a "
                  "step, 1.64 GB/s (a source)\n"))
      << text_of_searches({find});
}

TEST(FindJson, ATrialThatMeasuredNothingHasNoUtilisation) {
  FindResult find = a_search(20, 20, 20);
  find.at_answer.reset();
  find.trials.resize(2);
  find.trials[1].utilisation = 0.5;
  FindReport report;
  report.searches = {find};
  const std::string json = to_json(report);
  EXPECT_NE(json.find("\"utilisation\": null"), std::string::npos) << json;
  EXPECT_NE(json.find("\"utilisation\": 0.5"), std::string::npos) << json;
  EXPECT_NE(json.find("\"at_answer\": null"), std::string::npos) << json;
  EXPECT_NE(json.find("\"limited_by\": \"storage\""), std::string::npos) << json;
}

}  // namespace
}  // namespace feedrate

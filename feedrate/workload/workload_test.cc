#include "feedrate/workload/workload.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace feedrate {
namespace {

std::string message_of(const Result<>& result) {
  return result ? "no error" : result.error().message();
}

TEST(Workload, DemandIsThePublishedOne) {
  // MB/s for one accelerator that never waits: batch / compute * sample bytes.
  struct Case {
    std::string_view workload, accelerator;
    double samples_per_second, megabytes_per_second;
  };
  const Case kCases[] = {{"unet3d", "v100", 2.94, 431.1},     {"unet3d", "a100", 11.01, 1613.5},
                         {"unet3d", "h100", 21.67, 3177.1},   {"unet3d", "b200", 43.21, 6334.6},
                         {"resnet50", "v100", 328.2, 37.6},   {"resnet50", "a100", 919.5, 105.4},
                         {"resnet50", "h100", 1785.7, 204.8}, {"cosmoflow", "v100", 106.8, 302.2},
                         {"cosmoflow", "a100", 181.5, 513.3}, {"cosmoflow", "h100", 285.7, 808.1},
                         {"bert", "v100", 49.6, 0.124},       {"retinanet", "b200", 504.7, 163.0},
                         {"flux", "b200", 35.6, 77.0}};
  for (const Case& expected : kCases) {
    const auto workload = find_workload(expected.workload);
    ASSERT_TRUE(workload.has_value()) << workload.error().render();
    const auto timing = workload->timing(expected.accelerator, kBenchmarkTiming);
    ASSERT_TRUE(timing.has_value()) << timing.error().render();
    const double sample_bytes = workload->dataset.read_bytes_mean();
    EXPECT_NEAR(timing->batch_samples / to_seconds(timing->compute), expected.samples_per_second,
                0.051);
    EXPECT_NEAR(Workload::demand_bytes_per_second(*timing, sample_bytes) / 1e6,
                expected.megabytes_per_second, 0.051)
        << expected.workload << " " << expected.accelerator;
    EXPECT_FALSE(timing->source.empty());
  }
}

// Rates of training logs, and what they ask of storage.
TEST(Workload, MeasuredDemandIsTheDerivedOne) {
  struct Case {
    std::string_view workload, accelerator;
    double samples_per_second, megabytes_per_second;
  };
  const Case kCases[] = {{"resnet50", "a100", 3327, 381},    {"resnet50", "h100", 6956, 798},
                         {"unet3d", "a100", 36.3, 5322},     {"unet3d", "h100", 70.5, 10335},
                         {"bert", "a100", 300, 0.75},        {"bert", "h100", 971, 2.4},
                         {"rnnt", "a100", 949, 373},         {"rnnt", "h100", 1736, 683},
                         {"retinanet", "a100", 144, 46.6},   {"retinanet", "h100", 329, 106},
                         {"deepcam", "a100", 40.9, 2316},    {"cosmoflow", "a100", 130.9, 370},
                         {"oc20", "a100", 121.7, 1.03},      {"dlrm_v1", "a100", 4.64e6, 742},
                         {"dlrm_v2", "h100", 1.593e6, 1453}, {"gpt3", "h100", 0.2988, 0.0012}};
  for (const Case& expected : kCases) {
    const auto workload = find_workload(expected.workload);
    ASSERT_TRUE(workload.has_value()) << workload.error().render();
    const auto timing = workload->timing(expected.accelerator, kMeasuredTiming);
    ASSERT_TRUE(timing.has_value()) << timing.error().render();
    EXPECT_NEAR(timing->samples_per_second() / expected.samples_per_second, 1, 1e-3)
        << expected.workload << " " << expected.accelerator;
    const double demand =
        Workload::demand_bytes_per_second(*timing, workload->dataset.sample_bytes_mean);
    EXPECT_NEAR(demand / 1e6 / expected.megabytes_per_second, 1, 0.04)
        << expected.workload << " " << expected.accelerator;
  }
}

TEST(Workload, OnlyWhatIsReadCountsAsDemand) {
  const Workload workload = find_workload("dlrm_v3").value();
  const AcceleratorTiming timing = workload.timing("b200").value();
  EXPECT_NEAR(timing.samples_per_second(), 43.69e6, 1e4);
  EXPECT_NEAR(Workload::demand_bytes_per_second(timing, workload.dataset.read_bytes_mean()) / 1e6,
              6990, 1);
}

TEST(Workload, TheBenchmarksTimingIsUsedBeforeTheMeasuredOne) {
  const Workload resnet50 = find_workload("resnet50").value();
  EXPECT_EQ(resnet50.timing("h100")->set, kBenchmarkTiming);
  EXPECT_EQ(resnet50.timing("h100", kMeasuredTiming)->batch_samples, 400U);
  EXPECT_EQ(find_workload("bert")->timing("h100")->set, kMeasuredTiming);
  EXPECT_EQ(resnet50.timing("H100")->accelerator, "h100");
  EXPECT_EQ(resnet50.spelled_accelerator("X9"), "X9");
  const auto others = resnet50.other_timings(resnet50.timing("h100").value());
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others[0].set, kMeasuredTiming);
  EXPECT_NEAR(others[0].speed_ratio, 3.895, 0.001);
  EXPECT_TRUE(resnet50.other_timings(resnet50.timing("v100").value()).empty());
}

TEST(Workload, UnknownTimingListsTheKnownOnes) {
  const Workload resnet50 = find_workload("resnet50").value();
  const auto typo = resnet50.timing("h100", "measurd");
  ASSERT_FALSE(typo.has_value());
  EXPECT_EQ(typo.error().message(),
            "--timing: resnet50 has no step times named 'measurd', did you mean 'measured'?");
  EXPECT_EQ(typo.error().hint(), "it has storage-benchmark, measured");
  const auto missing = resnet50.timing("v100", kMeasuredTiming);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message(), "--timing: resnet50 has no 'measured' step time for v100");
  EXPECT_EQ(missing.error().hint(), "it has storage-benchmark for v100; measured has a100, h100");
}

TEST(Workload, UnknownAcceleratorListsTheKnownOnes) {
  const auto timing = find_workload("resnet50").value().timing("h10");
  ASSERT_FALSE(timing.has_value());
  EXPECT_EQ(timing.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(timing.error().message(),
            "--accelerator: resnet50 has no step time for 'h10', did you mean 'h100'?");
  EXPECT_EQ(timing.error().hint().substr(0, 24), "it has v100, a100, h100;");
}

TEST(Catalogue, IsSortedAndRoundTrips) {
  const std::vector<std::string> names = catalogue_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  const std::set<std::string> set(names.begin(), names.end());
  for (const char* name : {"bert", "cosmoflow", "deepcam", "dlrm_v1", "dlrm_v2", "dlrm_v3", "flux",
                           "gpt3", "oc20", "resnet50", "retinanet", "rnnt", "unet3d"})
    EXPECT_TRUE(set.contains(name)) << name;
  for (const std::string& name : names) {
    const auto workload = find_workload(name);
    ASSERT_TRUE(workload.has_value()) << workload.error().render();
    EXPECT_EQ(workload->name, name);
    EXPECT_FALSE(workload->title.empty());
    EXPECT_FALSE(workload->source.empty());
    EXPECT_FALSE(workload->notes.empty());
    for (const AcceleratorTiming& timing : workload->accelerators)
      EXPECT_FALSE(timing.source.empty()) << name << " " << timing.accelerator;
    const auto again = parse_workload(to_yaml(*workload), "again");
    ASSERT_TRUE(again.has_value()) << again.error().render();
    EXPECT_EQ(*again, *workload) << name;
  }
}

TEST(Catalogue, UnknownNameHasAHint) {
  const auto workload = find_workload("resnet5");
  ASSERT_FALSE(workload.has_value());
  EXPECT_EQ(workload.error().render(),
            "error: unknown workload 'resnet5', did you mean 'resnet50'?\n"
            "hint:  'feedrate workloads' lists them; the path of a YAML file works too\n");
  EXPECT_FALSE(find_workload("").has_value());
  EXPECT_FALSE(find_workload("../workloads/resnet50").has_value());
}

TEST(Catalogue, FindingOneIsFast) {
  const auto begin = std::chrono::steady_clock::now();
  constexpr int kTimes = 20;
  for (int i = 0; i < kTimes; ++i) ASSERT_TRUE(find_workload("resnet50").has_value());
  const auto each = (std::chrono::steady_clock::now() - begin) / kTimes;
  RecordProperty(
      "find_workload_us",
      std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(each).count()));
  EXPECT_LT(each, std::chrono::milliseconds(20));  // 2 ms is the aim; sanitizers are slower
}

TEST(Override, SetsEveryKindOfKey) {
  Workload workload = find_workload("resnet50").value();
  const std::string source = workload.timing("h100").value().source;
  EXPECT_TRUE(override_workload(workload, "dataset.files", "100"));
  EXPECT_TRUE(override_workload(workload, "dataset.name", "a: \"b\""));
  EXPECT_TRUE(override_workload(workload, "readers", " 16 "));
  EXPECT_TRUE(override_workload(workload, "order", "random"));
  EXPECT_TRUE(override_workload(workload, "au_threshold", "70%"));
  EXPECT_TRUE(override_workload(workload, "accelerators.h100.compute", "0.00551"));
  EXPECT_EQ(workload.dataset.files, 100U);
  EXPECT_EQ(workload.dataset.name, "a: \"b\"");
  EXPECT_EQ(workload.readers, 16U);
  EXPECT_EQ(workload.order, AccessOrder::kRandomSamples);
  EXPECT_EQ(workload.au_threshold, 0.7);
  const AcceleratorTiming timing = workload.timing("h100").value();
  EXPECT_EQ(timing.compute, Duration(5'510'000));
  EXPECT_EQ(timing.batch_samples, 400U);
  EXPECT_EQ(timing.source, source + ", changed by --set compute=0.00551");
  EXPECT_EQ(timing.set, kUserTiming);
  EXPECT_EQ(workload.timing("h100", kBenchmarkTiming)->source, source);
  EXPECT_EQ(parse_workload(to_yaml(workload), "again").value(), workload);
}

TEST(Override, SetsFormatOptionsAndNamedTimings) {
  Workload workload = find_workload("resnet50").value();
  EXPECT_TRUE(override_workload(workload, "dataset.format_options.quality", "90"));
  EXPECT_TRUE(override_workload(workload, "timings.measured.h100.batch_samples", "256"));
  EXPECT_TRUE(override_workload(workload, "timings.mine.h100.compute", "1ms"));
  EXPECT_TRUE(override_workload(workload, "timings.mine.h100.batch_samples", "2"));
  EXPECT_TRUE(override_workload(workload, "timings.storage-benchmark.gb300.compute", "1ms"));
  EXPECT_TRUE(override_workload(workload, "timings.storage-benchmark.gb300.batch_samples", "2"));
  EXPECT_EQ(workload.dataset.format_options.at("quality"), "90");
  EXPECT_EQ(workload.timing("h100")->set, kBenchmarkTiming);
  EXPECT_EQ(workload.timing("h100", kMeasuredTiming)->batch_samples, 256U);
  EXPECT_EQ(workload.timing("h100", "mine")->batch_samples, 2U);
  EXPECT_EQ(parse_workload(to_yaml(workload), "again").value(), workload);
}

TEST(Override, AddsAnAcceleratorInTwoSteps) {
  Workload workload = find_workload("resnet50").value();
  EXPECT_TRUE(override_workload(workload, "accelerators.gb300.compute", "1ms"));
  const auto incomplete = workload.timing("gb300");
  ASSERT_FALSE(incomplete.has_value());
  EXPECT_EQ(incomplete.error().message(), "accelerators.gb300.batch_samples is not set");
  EXPECT_EQ(incomplete.error().hint(), "add --set accelerators.gb300.batch_samples=...");
  EXPECT_TRUE(override_workload(workload, "accelerators.gb300.batch_samples", "8"));
  EXPECT_EQ(workload.timing("gb300").value(),
            (AcceleratorTiming{"gb300", 8, std::chrono::milliseconds(1),
                               "--set compute=1ms, changed by --set batch_samples=8"}));
}

TEST(Override, ErrorsNameTheKeyAndLeaveTheWorkload) {
  const Workload before = find_workload("unet3d").value();
  Workload workload = before;
  const auto set = [&](std::string_view key, std::string_view value) {
    const std::string message = message_of(override_workload(workload, key, value));
    EXPECT_EQ(workload, before) << key;
    return message;
  };
  EXPECT_EQ(set("dataset.file", "1"),
            "--set: unknown key 'dataset.file', did you mean 'dataset.files'?");
  EXPECT_EQ(set("files", "1"), "--set: unknown key 'files', did you mean 'dataset.files'?");
  EXPECT_EQ(set("reeders", "1"), "--set: unknown key 'reeders', did you mean 'readers'?");
  EXPECT_EQ(set("accelerators.h100.computed", "1"),
            "--set: unknown key 'accelerators.h100.computed', did you mean "
            "'accelerators.h100.compute'?");
  EXPECT_EQ(set("timings.user.h100.compute", "1"),
            "--set timings.user.h100.compute: 'user' is what 'accelerators.' holds");
  EXPECT_EQ(set("timings.measured.h100.comput", "1"),
            "--set: unknown key 'timings.measured.h100.comput', did you mean "
            "'timings.measured.h100.compute'?");
  for (const char* key : {"timings",
                          "timings.",
                          "timings.measured",
                          "timings.measured.",
                          "timings.measured.h100",
                          "timings..h100.compute",
                          "dataset.format_options",
                          "dataset.format_options.",
                          "dataset.format_options.a b",
                          "",
                          ".",
                          "dataset",
                          "dataset.",
                          "accelerators",
                          "accelerators.",
                          "accelerators.h100",
                          "accelerators.h100.",
                          "accelerators..compute",
                          "accelerators.h1.0.compute",
                          "notes",
                          "name.x"})
    EXPECT_NE(set(key, "1"), "no error") << key;
  EXPECT_EQ(set("dataset.files", "0"),
            "--set dataset.files=0: value is too small (0), at least 1 is needed");
  EXPECT_EQ(set("accelerators.h100.compute", "0"),
            "--set accelerators.h100.compute=0: 0 is outside 1.0 us to 1h 00m");
  EXPECT_EQ(set("name", "a/b"), "--set name=a/b: \"a/b\" is not a name");
  EXPECT_EQ(set("readers", ""), "--set readers=: '' is not a whole number");
}

TEST(Override, FormatOptionsAreBounded) {
  Workload workload = find_workload("resnet50").value();
  const auto set = [&](int number) {
    return override_workload(workload, "dataset.format_options.o" + std::to_string(number), "1");
  };
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(set(i));
  EXPECT_TRUE(set(63));
  const auto more = set(64);
  EXPECT_EQ(message_of(more), "--set dataset.format_options.o64=1: there are 64 options already");
  EXPECT_EQ(more.error().hint(), "use fewer");
}

TEST(Override, LabelsAndFoldersMustFitTogether) {
  const auto check = [](std::initializer_list<std::pair<std::string_view, std::string_view>> sets) {
    Workload workload = find_workload("resnet50").value();
    for (const auto& [key, value] : sets) EXPECT_TRUE(override_workload(workload, key, value));
    return message_of(check_overridden(workload));
  };
  EXPECT_EQ(check({{"dataset.labels", "side_file"}, {"dataset.label_bytes", "20"}}), "no error");
  EXPECT_EQ(check({{"dataset.label_bytes", "20"}}),
            "--set: dataset.label_bytes: 20 B has no meaning with 'labels: record'");
  EXPECT_EQ(check({{"dataset.labels", "directory"}}),
            "--set: dataset.labels: the directory is the label, but the layout is flat");
  EXPECT_EQ(check({{"dataset.labels", "directory"}, {"dataset.layout", "class_folders"}}),
            "no error");
  EXPECT_EQ(check({{"dataset.layout", "subfolders"}}),
            "--set: dataset.layout: subfolders needs their number");
  EXPECT_EQ(check({{"dataset.layout", "subfolders"}, {"dataset.folders", "16"}}), "no error");
  EXPECT_EQ(check({{"dataset.folders", "16"}}),
            "--set: dataset.folders: 16 has no meaning with 'layout: flat'");
  EXPECT_EQ(check({{"dataset.sample_bytes_read", "114661"}}),
            "--set: dataset.sample_bytes_read: 114661 is more than is stored, sample_bytes_mean "
            "(114660.07)");
}

TEST(Override, WhatDoesNotFitTogetherIsSeenAtTheEnd) {
  Workload workload = find_workload("unet3d").value();
  EXPECT_TRUE(override_workload(workload, "dataset.sample_bytes_mean", "1"));
  EXPECT_EQ(message_of(check_overridden(workload)),
            "--set: dataset.sample_bytes_stdev: 68341808 is more than 10 times "
            "sample_bytes_mean (1)");
  EXPECT_TRUE(override_workload(workload, "dataset.sample_bytes_stdev", "1"));
  EXPECT_TRUE(check_overridden(workload));
}

}  // namespace
}  // namespace feedrate

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "feedrate/dataset/dataset_testing.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/dataset/scan.h"

namespace feedrate::testing {
namespace {

std::vector<std::byte> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

TEST_F(DatasetTest, SizesHavePublishedMeanAndDeviation) {
  for (const std::uint64_t files : {40, 1000}) {
    DatasetPlan plan = small_plan("npz", files, 1);
    plan.sample_bytes_mean = 146600628;
    plan.sample_bytes_stdev = 68341808;
    double sum = 0;
    double squares = 0;
    for (std::uint64_t i = 0; i < files; ++i) {
      const auto bytes = static_cast<double>(planned_sample_bytes(plan, i));
      sum += bytes;
      squares += bytes * bytes;
    }
    const double mean = sum / static_cast<double>(files);
    const double deviation = std::sqrt(squares / static_cast<double>(files) - mean * mean);
    EXPECT_NEAR(mean / plan.sample_bytes_mean, 1, 0.01) << files;
    EXPECT_NEAR(deviation / plan.sample_bytes_stdev, 1, 0.08) << files;
  }
}

TEST_F(DatasetTest, GeneratedFilesVerifyByteForByte) {
  for (const auto& [format, per_file] : {std::pair{"tfrecord", 5}, {"npz", 1}, {"file", 1}}) {
    const std::string where = directory_ + "/" + format;
    const auto dataset = make(small_plan(format, 6, static_cast<std::uint64_t>(per_file)), where);
    const auto summary = generate(*dataset);
    ASSERT_TRUE(summary.has_value()) << summary.error().message();
    EXPECT_EQ(summary->bytes_written, dataset->bytes());
    for (std::uint64_t file = 0; file < dataset->files(); ++file) {
      const auto bytes = bytes_of(dataset->full_path(file));
      ASSERT_EQ(bytes.size(), dataset->file_bytes(file));
      const auto verifier =
          dataset->format().verifier(dataset->index(file), dataset->content(file));
      EXPECT_TRUE(verifier->consume(0, bytes).has_value());
    }
    const auto again = open_dataset(where);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ((*again)->plan(), dataset->plan());
  }
}

TEST_F(DatasetTest, ResumesWithoutRedoingFinishedFiles) {
  const auto dataset = make(small_plan("tfrecord", 8, 3), directory_ + "/set");
  ASSERT_TRUE(generate(*dataset).has_value());
  struct stat before{};
  stat(dataset->full_path(0).c_str(), &before);
  fs::remove(dataset->full_path(5));
  fs::resize_file(dataset->full_path(6), 1000);
  const auto summary = generate(*dataset);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->files_kept, 6U);
  EXPECT_EQ(summary->files_written, 2U);
  struct stat after{};
  stat(dataset->full_path(0).c_str(), &after);
  EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
  EXPECT_EQ(fs::file_size(dataset->full_path(6)), dataset->file_bytes(6));
}

TEST_F(DatasetTest, RefusesWhatIsNotOurs) {
  write("set/precious.txt", "mine");
  const auto dataset = make(small_plan("tfrecord", 2, 3), directory_ + "/set");
  const auto refused = generate(*dataset);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUsage);
  EXPECT_NE(refused.error().message().find("is not empty and has no feedrate.json of ours"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(directory_ + "/set/train"));
  write("other/feedrate.json", manifest_to_json({small_plan("npz", 1, 1), true}));
  const auto other = generate(*make(small_plan("tfrecord", 2, 3), directory_ + "/other"));
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().message().find("already holds another data set"), std::string::npos);
}

TEST_F(DatasetTest, InterruptedGenerationIsIncompleteAndResumable) {
  const auto dataset = make(small_plan("tfrecord", 40, 20), directory_ + "/set");
  std::stop_source source;
  source.request_stop();
  const auto stopped = generate(*dataset, source.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().exit_code(), 130);
  for (const auto& entry : fs::recursive_directory_iterator(directory_ + "/set"))
    EXPECT_FALSE(entry.path().string().ends_with(".part")) << entry.path();
  ASSERT_TRUE(generate(*dataset).has_value());
  EXPECT_TRUE(open_dataset(directory_ + "/set").has_value());
}

TEST_F(DatasetTest, ManifestRoundTripAndNonsense) {
  DatasetPlan plan = small_plan("tfrecord", 3, 4);
  plan.compressibility = 0.25;
  plan.layout = DirectoryLayout::kSubfolders;
  plan.folders = 9;
  const auto back = manifest_from_json(manifest_to_json({plan, true}), "x");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->plan, plan);
  EXPECT_TRUE(back->complete);
  for (const char* bad :
       {"", "[]", "{}", "{\"feedrate_manifest\": 99}", "{\"feedrate_manifest\": \"x\"}"})
    EXPECT_EQ(manifest_from_json(bad, "x").error().kind(), ErrorKind::kCorrupt) << bad;
}

TEST_F(DatasetTest, ManifestsThatCannotBeAreNamed) {
  const std::string good = manifest_to_json({small_plan("tfrecord", 3, 4), true});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    const auto read = manifest_from_json(text.replace(at, from.size(), to), "x");
    return read ? "no error" : read.error().message();
  };
  const std::string not_ours = "\"x\" is not a feedrate manifest: ";
  EXPECT_EQ(with("\"labels\": \"record\"", "\"labels\": \"label\""), not_ours + "unknown labels");
  EXPECT_EQ(with("\"layout\": \"flat\"", "\"layout\": \"subfolders\""), not_ours + "no folders");
  EXPECT_EQ(with("\"classes\": 10", "\"classes\": 0"), not_ours + "zero sizes");
  const auto none = read_manifest(directory_);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().message(), "open \"" + directory_ + "/feedrate.json\": no manifest");
}

TEST_F(DatasetTest, PlansThatMakeNoSenseSayWhy) {
  const auto refused = [](const DatasetPlan& plan) {
    const auto dataset = Dataset::from_plan(plan, "x");
    return dataset ? "no error" : dataset.error().message() + " | " + dataset.error().hint();
  };
  DatasetPlan plan = small_plan("tfrecord", 0, 1);
  EXPECT_EQ(refused(plan), "the data set has no samples | give it at least one file");
  EXPECT_EQ(refused(small_plan("raw", 1, 4)),
            "dataset.sample_bytes_stdev: all samples of a 'raw' file have one size, got a "
            "deviation of 9000 | use 0, or another format");
  plan = small_plan("npz", 1, 1);
  plan.sample_bytes_mean = 2;
  plan.sample_bytes_stdev = 0;
  EXPECT_EQ(refused(plan),
            "dataset.sample_bytes_mean: 2 B are too few for a 'npz' sample | use more");
  plan = small_plan("tfrecord", 1, 4);
  plan.layout = DirectoryLayout::kClassFolders;
  EXPECT_EQ(refused(plan),
            "dataset: layout class_folders needs one sample a file, got 4 | use "
            "samples_per_file=1, or labels in the record");
  plan = small_plan("jpeg", 1, 1);
  plan.labels = LabelPlacement::kDirectory;
  EXPECT_EQ(refused(plan),
            "dataset: labels directory needs layout class_folders, got flat | leave the layout "
            "out, or put the labels elsewhere");
  plan = small_plan("megatron", 1, 1);
  plan.labels = LabelPlacement::kSideFile;
  plan.sample_bytes_stdev = 0;
  EXPECT_EQ(refused(plan),
            "dataset: labels side_file: a 'megatron' file has a second file already | use labels "
            "record or none");
}

TEST_F(DatasetTest, LocatesSamplesInUnevenFiles) {
  const auto three = make(small_plan("tfrecord", 1, 3), directory_ + "/a");
  const auto five = make(small_plan("tfrecord", 1, 5), directory_ + "/b");
  ASSERT_TRUE(generate(*three).has_value());
  ASSERT_TRUE(generate(*five).has_value());
  const auto outcome = scan_dataset(directory_, {"tfrecord"});
  ASSERT_TRUE(outcome.has_value());
  const Dataset& dataset = *outcome->dataset;
  EXPECT_EQ(dataset.samples(), 8U);
  EXPECT_EQ(dataset.uniform_samples_per_file(), 0U);
  std::set<std::pair<std::uint64_t, std::uint64_t>> places;
  for (std::uint64_t sample = 0; sample < 8; ++sample) {
    const auto place = dataset.locate(sample);
    EXPECT_LT(place.sample_in_file, dataset.index(place.file)->sample_count());
    places.insert({place.file, place.sample_in_file});
  }
  EXPECT_EQ(places.size(), 8U);
}

}  // namespace
}  // namespace feedrate::testing

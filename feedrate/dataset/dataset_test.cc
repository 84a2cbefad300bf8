#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "feedrate/dataset/generate.h"
#include "feedrate/dataset/manifest.h"
#include "feedrate/dataset/scan.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

class DatasetTest : public testing::Test {
 protected:
  DatasetTest() {
    std::string pattern = (fs::temp_directory_path() / "feedrate_dataset_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~DatasetTest() override { fs::remove_all(directory_); }

  static DatasetPlan small_plan(const std::string& format, std::uint64_t files,
                                std::uint64_t per_file) {
    DatasetPlan plan;
    plan.workload = "test";
    plan.format = format;
    plan.files = files;
    plan.samples_per_file = per_file;
    plan.sample_bytes_mean = 50000;
    plan.sample_bytes_stdev = 9000;
    plan.classes = 10;
    plan.seed = 7;
    return plan;
  }
  static std::shared_ptr<const Dataset> make(const DatasetPlan& plan, const std::string& where) {
    auto dataset = Dataset::from_plan(plan, where);
    EXPECT_TRUE(dataset.has_value());
    return *dataset;
  }
  static Result<GenerateSummary> generate(const Dataset& dataset, std::stop_token stop = {}) {
    auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2);
    auto storage = make_storage_factory("posix", IoMode::kBuffered, ".", 0);
    GenerateProgress progress;
    return generate_dataset(**group, *storage, dataset, {2, 65536}, progress, stop);
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(directory_ + "/" + name).parent_path());
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
  }
  std::string directory_;
};

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

TEST_F(DatasetTest, ScansFoldersWithClassesAndOddNames) {
  write("photos/cats/a b.jpg", "12345");
  write("photos/cats/new\nline.jpg", "1234567");
  write("photos/dogs/\xff\xfe.jpg", "1");
  write("photos/dogs/empty.jpg", "");
  write("photos/.hidden", "x");
  fs::create_directory_symlink(directory_ + "/photos", directory_ + "/photos/dogs/loop");
  fs::create_symlink("nowhere", directory_ + "/photos/dangling");
  const auto outcome = scan_dataset(directory_ + "/photos", {});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  const Dataset& dataset = *outcome->dataset;
  EXPECT_EQ(dataset.samples(), 3U);
  EXPECT_EQ(dataset.bytes(), 13U);
  EXPECT_EQ(dataset.format().name(), "file");
  EXPECT_EQ(dataset.class_names(), (std::vector<std::string>{"cats", "dogs"}));
  EXPECT_EQ(outcome->warnings.size(), 4U);  // empty, hidden, loop, dangling
}

TEST_F(DatasetTest, EmptyAndMissingFoldersSayWhy) {
  fs::create_directory(directory_ + "/none");
  write("only/empty.bin", "");
  EXPECT_NE(scan_dataset(directory_ + "/none", {}).error().message().find("holds no files to read"),
            std::string::npos);
  EXPECT_NE(scan_dataset(directory_ + "/only", {}).error().message().find("empty files"),
            std::string::npos);
  EXPECT_EQ(scan_dataset(directory_ + "/missing", {}).error().kind(), ErrorKind::kNotFound);
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
}  // namespace feedrate

#include "feedrate/dataset/scan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "feedrate/dataset/dataset_testing.h"
#include "feedrate/dataset/index_cache.h"
#include "feedrate/dataset/manifest.h"

namespace feedrate::testing {
namespace {

class ScanTest : public DatasetTest {
 protected:
  // A folder of three tfrecord files with 4 samples each.
  std::string records() {
    const std::string where = directory_ + "/records";
    EXPECT_TRUE(generate(*make(small_plan("tfrecord", 3, 4), where)).has_value());
    return where + "/train";
  }
  static ScanOutcome scan(const std::string& path, const ScanOptions& options = {}) {
    auto outcome = scan_dataset(path, options);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    return *outcome;
  }
  // Destroys the content of a file so that only a cached index can make sense of it.
  static void destroy_quietly(const std::string& path) {
    struct stat before{};
    EXPECT_EQ(stat(path.c_str(), &before), 0);
    std::ofstream(path, std::ios::binary)
        << std::string(static_cast<std::size_t>(before.st_size), '?');
    const timespec times[2] = {before.st_atim, before.st_mtim};
    EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  static std::string some_file(const std::string& folder) {
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".tfrecord") return entry.path().string();
    return {};
  }
};

TEST_F(ScanTest, ScansFoldersInFoldersAndOddNames) {
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
  EXPECT_EQ(dataset.format().name(), "jpeg");
  EXPECT_EQ(outcome->warnings.size(), 4U);  // empty, hidden, loop, dangling
}

TEST_F(ScanTest, EmptyAndMissingFoldersSayWhy) {
  fs::create_directory(directory_ + "/none");
  write("only/empty.bin", "");
  EXPECT_NE(scan_dataset(directory_ + "/none", {}).error().message().find("holds no files to read"),
            std::string::npos);
  EXPECT_NE(scan_dataset(directory_ + "/only", {}).error().message().find("empty files"),
            std::string::npos);
  EXPECT_EQ(scan_dataset(directory_ + "/missing", {}).error().kind(), ErrorKind::kNotFound);
}

TEST_F(ScanTest, KeepsIndexesForTheNextTime) {
  const std::string folder = records();
  EXPECT_EQ(scan(folder).dataset->samples(), 12U);
  EXPECT_TRUE(fs::exists(folder + "/.feedrate-index"));
  destroy_quietly(some_file(folder));
  const ScanOutcome again = scan(folder);
  EXPECT_EQ(again.dataset->samples(), 12U);
  EXPECT_TRUE(again.warnings.empty());  // not even of the hidden file
}

TEST_F(ScanTest, LooksAgainAtFilesThatChanged) {
  const std::string folder = records();
  scan(folder);
  const std::string file = some_file(folder);
  destroy_quietly(file);
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
  const ScanOutcome other_time = scan(folder);
  EXPECT_EQ(other_time.dataset->samples(), 8U);
  ASSERT_EQ(other_time.warnings.size(), 1U);
  EXPECT_NE(other_time.warnings[0].find("not readable as tfrecord"), std::string::npos);
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path() == file || entry.path().extension() != ".tfrecord") continue;
    const auto before = fs::last_write_time(entry.path());
    fs::resize_file(entry.path(), fs::file_size(entry.path()) - 1);
    fs::last_write_time(entry.path(), before);
    break;
  }
  EXPECT_EQ(scan(folder).dataset->samples(), 4U);
}

TEST_F(ScanTest, IgnoresADamagedIndexAndMakesItAnew) {
  const std::string folder = records();
  scan(folder);
  const std::string index = folder + "/.feedrate-index";
  const auto length = fs::file_size(index);
  for (const std::uint64_t keep : {std::uint64_t{0}, std::uint64_t{20}, length / 2, length - 1}) {
    fs::resize_file(index, keep);
    EXPECT_EQ(scan(folder).dataset->samples(), 12U) << keep;
    EXPECT_EQ(fs::file_size(index), length) << keep;
  }
  std::fstream(index, std::ios::in | std::ios::out | std::ios::binary).seekp(60).put('!');
  EXPECT_EQ(scan(folder).dataset->samples(), 12U);
}

TEST_F(ScanTest, DoesNotBelieveAnIndexThatTheFileCannotHave) {
  const std::string folder = records();
  scan(folder);
  // Who can write there can write an index with the right key and checksum.
  IndexCache forged("tfrecord");
  std::vector<FoundFile> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".tfrecord") continue;
    struct stat status{};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    FoundFile file;
    file.path = entry.path().filename();
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
    FileIndex index;
    index.file_bytes = file.bytes;
    index.records = {0, 0, 1'000'000};  // samples of no bytes
    forged.put(file, std::make_shared<const FileIndex>(index));
  }
  ASSERT_TRUE(forged.save(folder + "/.feedrate-index"));
  EXPECT_EQ(scan(folder).dataset->samples(), 12U);
  fs::remove(folder + "/.feedrate-index");
  ASSERT_EQ(mkfifo((folder + "/.feedrate-index").c_str(), 0600), 0);
  EXPECT_EQ(scan(folder).dataset->samples(), 12U);  // A pipe is not waited for.
}

TEST_F(ScanTest, AManifestIsARegularFileOfABoundedSize) {
  const std::string path = directory_ + "/feedrate.json";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_NE(read_manifest(directory_).error().message().find(": it is no regular file"),
            std::string::npos);
  fs::remove(path);
  write("feedrate.json", "");
  fs::resize_file(path, 17U << 20U);
  EXPECT_NE(read_manifest(directory_).error().message().find("it is too large for a manifest"),
            std::string::npos);
}

TEST_F(ScanTest, KeepsIndexesElsewhereWhenAsked) {
  const std::string folder = records();
  fs::create_directory(directory_ + "/indexes");
  ScanOptions options;
  options.index_directory = directory_ + "/indexes";
  scan(folder, options);
  EXPECT_FALSE(fs::exists(folder + "/.feedrate-index"));
  EXPECT_FALSE(fs::is_empty(directory_ + "/indexes"));
  destroy_quietly(some_file(folder));
  EXPECT_EQ(scan(folder, options).dataset->samples(), 12U);
  options.index_directory = directory_ + "/missing";
  const ScanOutcome outcome = scan(folder, options);
  ASSERT_FALSE(outcome.warnings.empty());
  EXPECT_TRUE(outcome.warnings[0].starts_with(
      "the index of the files could not be kept for the next run (write \"" + directory_ +
      "/missing/feedrate-index-"))
      << outcome.warnings[0];
  EXPECT_TRUE(outcome.warnings[0].ends_with("; --index-dir names another place for it"));
}

TEST_F(ScanTest, KeepsEveryFormOfAnIndex) {
  FileIndex records_form, blocks_form;
  records_form.file_bytes = 1000;
  records_form.records = {16, 100, 9};
  blocks_form.file_bytes = 2000;
  blocks_form.open_reads = {{1992, 8}, {1900, 92}};
  blocks_form.blocks = {7, 4, {{4, 100}, {104, 50}}, {0, 1, 2}};
  IndexCache cache("key");
  cache.put({"a", 1000, 5}, std::make_shared<const FileIndex>(records_form));
  cache.put({"b", 2000, -6}, std::make_shared<const FileIndex>(blocks_form));
  const std::string path = directory_ + "/index";
  ASSERT_TRUE(cache.save(path).has_value());
  IndexCache back("key"), other("another key");
  back.load(path);
  other.load(path);
  EXPECT_EQ(other.find({"a", 1000, 5}), nullptr);
  ASSERT_NE(back.find({"a", 1000, 5}), nullptr);
  EXPECT_EQ(back.find({"a", 1000, 5})->sample_count(), 9U);
  EXPECT_EQ(back.find({"a", 1000, 6}), nullptr);
  EXPECT_EQ(back.find({"a", 1001, 5}), nullptr);
  const auto blocks = back.find({"b", 2000, -6});
  ASSERT_NE(blocks, nullptr);
  EXPECT_EQ(blocks->open_reads, blocks_form.open_reads);
  std::vector<Extent> here, there;
  blocks->locate(5, 2, here);
  blocks_form.locate(5, 2, there);
  EXPECT_EQ(here, there);
}

TEST_F(ScanTest, FindsLabelsBesideTheSamples) {
  write("data/one/a.bin", "12345");
  write("data/two/b.x.bin", "12345");
  write("data/two/c.bin", "12345");
  write("labels/one/a.txt", "cat");
  write("labels/two/b.json", "doggy");
  ScanOptions options;
  options.labels = directory_ + "/labels";
  const ScanOutcome outcome = scan(directory_ + "/data", options);
  ASSERT_TRUE(outcome.dataset->has_side_files());
  EXPECT_TRUE(outcome.dataset->side_file(0).path.ends_with("/labels/one/a.txt"));
  EXPECT_EQ(outcome.dataset->side_file(1).bytes, 5U);
  EXPECT_EQ(outcome.dataset->side_file(2).path, "");
  ASSERT_EQ(outcome.warnings.size(), 1U);
  EXPECT_EQ(outcome.warnings[0],
            "files without a label file, read all the same: 1, e.g. \"two/c.bin\"");
}

TEST_F(ScanTest, TakesOneFileOfLabelsForAll) {
  write("data/a.bin", "12345");
  write("labels.json", "{\"all\": 1}");
  ScanOptions options;
  options.labels = directory_ + "/labels.json";
  const ScanOutcome outcome = scan(directory_ + "/data", options);
  EXPECT_TRUE(outcome.dataset->label_manifest().path.ends_with("/labels.json"));
  EXPECT_EQ(outcome.dataset->label_manifest().bytes, 10U);
  options.labels = directory_ + "/nothing";
  EXPECT_EQ(scan_dataset(directory_ + "/data", options).error().message(),
            "--labels: open \"" + directory_ + "/nothing\": No such file or directory");
}

TEST_F(ScanTest, TakesSecondFilesForWhatTheyAre) {
  const std::string where = directory_ + "/tokens";
  DatasetPlan plan = small_plan("megatron", 2, 5);
  plan.sample_bytes_stdev = 0;
  const auto planned = make(plan, where);
  ASSERT_TRUE(generate(*planned).has_value());
  const ScanOutcome outcome = scan(where + "/train");
  EXPECT_EQ(outcome.dataset->files(), 2U);
  EXPECT_EQ(outcome.dataset->samples(), 10U);
  EXPECT_EQ(outcome.dataset->side_file(0).bytes, planned->side_file(0).bytes);
  EXPECT_TRUE(outcome.warnings.empty());
}

}  // namespace
}  // namespace feedrate::testing

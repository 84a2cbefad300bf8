// Tests that data sets are written and told of, and that caches are dropped.
#include "feedrate/experiment/datasets.h"

#include <filesystem>
#include <fstream>

#include "feedrate/experiment/caches.h"
#include "feedrate/experiment/experiment_testing.h"
#include "feedrate/host/byte_origin.h"
#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

class Datasets : public testing::Test {
 protected:
  Datasets() {
    workload_ = test_workload("file", 20, 1, 10'000);
    dataset_ = *Dataset::from_plan(*plan_for(workload_, 0, 1, 0), directory_.path("made/data"));
  }

  TemporaryDirectory directory_;
  Workload workload_;
  std::shared_ptr<const Dataset> dataset_;
  GenerateProgress progress_;
};

TEST_F(Datasets, AreWrittenOnceAndTold) {
  const Result<GenerateSummary> written = write_dataset(*dataset_, 0, progress_, {});
  ASSERT_TRUE(written) << written.error().message();
  const DatagenResult report = report_dataset(workload_, *dataset_, &written, progress_);
  EXPECT_EQ(report.verb, "datagen");
  EXPECT_EQ(report.workload, workload_.name);
  EXPECT_EQ(report.files_written, 20U);
  EXPECT_EQ(report.bytes_written, dataset_->bytes());
  EXPECT_EQ(report.dataset.files, 20U);
  EXPECT_EQ(report.seeds.at("content"), dataset_->plan()->seed);
  EXPECT_FALSE(report.dry_run);
  GenerateProgress again;
  const Result<GenerateSummary> kept = write_dataset(*dataset_, 0, again, {});
  ASSERT_TRUE(kept);
  const DatagenResult second = report_dataset(workload_, *dataset_, &kept, again);
  EXPECT_EQ(second.files_written, 0U);
  EXPECT_EQ(second.files_kept, 20U);
  EXPECT_EQ(second.bytes_written, 0U);
}

TEST_F(Datasets, ADryRunWritesNothing) {
  const DatagenResult report = report_dataset(workload_, *dataset_, nullptr, progress_);
  EXPECT_TRUE(report.dry_run);
  EXPECT_EQ(report.files_written, 0U);
  EXPECT_EQ(report.dataset.bytes, dataset_->bytes());
  EXPECT_FALSE(std::filesystem::exists(dataset_->directory()));
}

TEST_F(Datasets, AreWatchedWhileTheyAreWritten) {
  bool watched = false;
  RunHooks hooks;
  hooks.watch = [&](const ReactorGroup& group) {
    watched = group.size() == available_cores();
    return std::shared_ptr<void>();
  };
  ASSERT_TRUE(write_dataset(*dataset_, 1, progress_, hooks));
  EXPECT_TRUE(watched);
}

TEST_F(Datasets, AStopLeavesNoEmptyDirectory) {
  std::stop_source stop;
  stop.request_stop();
  RunHooks hooks;
  hooks.stop = stop.get_token();
  const Result<GenerateSummary> written = write_dataset(*dataset_, 0, progress_, hooks);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::kCancelled);
  const DatagenResult report = report_dataset(workload_, *dataset_, &written, progress_);
  EXPECT_EQ(report.bytes_written, progress_.bytes_written);
  EXPECT_EQ(report.seconds, 0);
}

TEST_F(Datasets, AForeignDirectoryIsLeftAlone) {
  std::filesystem::create_directories(dataset_->directory());
  std::ofstream(dataset_->directory() + "/mine.txt") << "mine";
  const Result<GenerateSummary> written = write_dataset(*dataset_, 0, progress_, {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::kUsage);
  EXPECT_TRUE(std::filesystem::exists(dataset_->directory() + "/mine.txt"));
}

TEST_F(Datasets, CachesAreDropped) {
  ASSERT_TRUE(write_dataset(*dataset_, 0, progress_, {}));
  for (const DropSetup& setup :
       {DropSetup{dataset_->directory(), ""}, DropSetup{"", dataset_->directory()}}) {
    const Result<Reported<DropResult>> dropped = drop_caches(setup, {});
    ASSERT_TRUE(dropped) << dropped.error().message();
    EXPECT_GE(dropped->report.files, 20U);
    EXPECT_GE(dropped->report.file_bytes, dataset_->bytes());
    EXPECT_EQ(dropped->report.place.directory, dataset_->directory());
  }
}

TEST_F(Datasets, DroppingNamesWhatIsNotThere) {
  const auto error = [](const DropSetup& setup) {
    const Result<Reported<DropResult>> dropped = drop_caches(setup, {});
    return dropped ? "" : dropped.error().message();
  };
  EXPECT_NE(error({directory_.path(), ""}).find("has no data set of ours"), std::string::npos);
  EXPECT_NE(error({"", directory_.path("nothing")}).find("--data"), std::string::npos);
  EXPECT_NE(error({"", directory_.path()}).find("holds no files"), std::string::npos);
}

TEST_F(Datasets, WhatIsNoDirectoryOrDamagedIsTold) {
  const std::string file = directory_.write("mine.bin", "x");
  const Result<Reported<DropResult>> of_file = drop_caches({file, ""}, {});
  ASSERT_FALSE(of_file);
  EXPECT_EQ(of_file.error().hint(),
            "'feedrate drop-caches --data \"" + file + "\"' drops your own file");
  // As such it is taken; an empty one holds nothing that could remain.
  std::ofstream(directory_.path("empty")).close();
  for (const std::string& own : {file, directory_.path("empty")}) {
    const Result<Reported<DropResult>> dropped = drop_caches({"", own}, {});
    ASSERT_TRUE(dropped) << dropped.error().message();
    EXPECT_EQ(dropped->report.files, 1U);
    EXPECT_EQ(dropped->report.place.directory, own);
  }
  directory_.write(std::string(kManifestName), "{");
  const Result<Reported<DropResult>> damaged = drop_caches({directory_.path(), ""}, {});
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().kind(), ErrorKind::kUsage) << "it is a data set, but a damaged one";
}

TEST_F(Datasets, ADropThatMissesAFileIsAnError) {
  ASSERT_TRUE(write_dataset(*dataset_, 0, progress_, {}));
  std::filesystem::remove(dataset_->full_path(3));
  const Result<Reported<DropResult>> dropped = drop_caches({dataset_->directory(), ""}, {});
  ASSERT_TRUE(dropped) << dropped.error().message();
  ASSERT_FALSE(dropped->ended);
  EXPECT_EQ(dropped->report.files_failed, 1U);
  if (find_byte_origin(directory_.path()).from() == BytesFrom::kMemory) return;
  EXPECT_EQ(dropped->ended.error().render(),
            "error: 1 of 20 files could not be dropped: open \"" + dataset_->full_path(3) +
                "\": No such file or directory\nhint:  run it as a user who may read the files\n");
}

TEST_F(Datasets, WhatIsInMemoryAloneCannotBeDropped) {
  if (find_byte_origin("/dev/shm").from() != BytesFrom::kMemory) GTEST_SKIP();
  const TemporaryDirectory memory("/dev/shm");
  const std::string file = memory.write("file", std::string(1 << 20, 'x'));
  const Result<Reported<DropResult>> dropped = drop_caches({"", file}, {});
  ASSERT_TRUE(dropped) << dropped.error().message();
  ASSERT_FALSE(dropped->ended);
  EXPECT_EQ(dropped->ended.error().kind(), ErrorKind::kEnvironment);
  EXPECT_EQ(dropped->ended.error().message(),
            "100.0 % of the data (1 MiB) remain in the page cache, at most 1.0 % may; \"" + file +
                "\": tmpfs keeps its files in memory");
  ASSERT_EQ(dropped->report.kept.size(), 1U);
  EXPECT_EQ(dropped->report.kept[0].path, file);
  EXPECT_EQ(dropped->report.bytes_after, 1U << 20);
}

TEST_F(Datasets, AStoppedDropSaysHowFarItCame) {
  ASSERT_TRUE(write_dataset(*dataset_, 0, progress_, {}));
  std::stop_source stop;
  stop.request_stop();
  const Result<Reported<DropResult>> dropped =
      drop_caches({dataset_->directory(), ""}, stop.get_token());
  ASSERT_TRUE(dropped);
  ASSERT_FALSE(dropped->ended);
  EXPECT_EQ(dropped->ended.error().kind(), ErrorKind::kCancelled);
  EXPECT_LT(dropped->report.files, 20U);
}

}  // namespace
}  // namespace feedrate

// Tests writing checkpoints as an experiment: what the report has, also when the work ended early.
#include "feedrate/experiment/checkpoints.h"

#include <thread>

#include "feedrate/experiment/transfer_testing.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;
using Settings = std::map<std::string, std::string>;

// The settings but for those that all transfers have.
Settings own_settings(CheckpointResult result) {
  for (const char* common : {"storage", "clock", "threads", "block", "at-once", "io", "io-engine"})
    result.effective.erase(common);
  return result.effective;
}

TEST(CheckpointExperiment, TakesItsBytesByTheBandwidth) {
  const ModelFile file("bandwidth: 1MB/s\n");
  CheckpointSetup setup = tiny_checkpoints(described_transfer(file.storage()), "x");
  setup.title = "a tiny model";
  setup.job.count = 2;
  setup.job.between = std::chrono::minutes(1);
  setup.job.head.scale = 0.5;
  const Reported<CheckpointResult> done = checkpoint(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_TRUE(done.figures);
  const CheckpointResult& result = done.report;
  EXPECT_EQ(result.verb, "checkpoint");
  EXPECT_EQ(result.model, "tiny");
  EXPECT_EQ(result.title, "a tiny model");
  EXPECT_EQ(result.kept_on, "");  // A description keeps nothing.
  EXPECT_EQ(result.ranks(), 4U);
  EXPECT_EQ(result.ranks_written, 4U);
  EXPECT_EQ(result.block_bytes, 65536U);
  ASSERT_EQ(result.passes.size(), 2U);
  EXPECT_NEAR(result.passes[1].seconds, static_cast<double>(result.passes[1].bytes) / 1e6, 0.05);
  EXPECT_EQ(result.passes[1].ranks.size(), 4U);
  const Settings expected{{"async", "no"},        {"bytes-per-parameter", "14"},
                          {"count", "2"},         {"every", "60.0 s"},
                          {"data-parallel", "2"}, {"incremental", "no"},
                          {"layout", "raw"},      {"pipeline-parallel", "1"},
                          {"ranks", "4"},         {"scale", "0.5"},
                          {"seed", "1"},          {"subset", "4"},
                          {"weight-bytes", "2"},  {"tensor-parallel", "2"},
                          {"weights-only", "no"}, {"zero", "1"}};
  EXPECT_EQ(own_settings(result), expected);
}

TEST(CheckpointExperiment, SettingsOfWhatIsWrittenBehindOrInPart) {
  CheckpointSetup setup = tiny_checkpoints(described_transfer("null"), "x");
  CheckpointWriteJob& job = setup.job;
  EXPECT_FALSE(own_settings(report_checkpoints(setup, {})).contains("seed"));
  job.asynchronous = true;
  job.snapshot_bytes_per_second = 2e9;
  job.write_bytes_per_second = 1e9;
  job.head.optimizer_bytes = 0;
  job.head.sum_block_bytes = 4096;
  job.head.content.changed = 0.1;
  job.increments_max = 3;
  job.step_stride = 5;
  job.local = "near";
  setup.local_storage = "null";
  job.train_first = true;  // Beside another job, whose end is its own.
  const Settings used = own_settings(report_checkpoints(setup, {}));
  EXPECT_EQ(used.at("async"), "yes");
  EXPECT_EQ(used.at("snapshot-bandwidth"), "2.00 GB/s");
  EXPECT_EQ(used.at("write-limit"), "1.00 GB/s");
  EXPECT_EQ(used.at("weights-only"), "yes");
  EXPECT_EQ(used.at("bytes-per-parameter"), "2");
  EXPECT_EQ(used.at("incremental"), "yes");
  EXPECT_EQ(used.at("increments"), "3");
  EXPECT_EQ(used.at("changed"), "0.1");
  EXPECT_EQ(used.at("step-stride"), "5");
  EXPECT_EQ(used.at("local-storage"), "null");
  EXPECT_EQ(used.at("seed"), "1");
  EXPECT_FALSE(used.contains("count"));
  EXPECT_FALSE(used.contains("keep"));
}

TEST_F(TransferTest, CheckpointsAreKeptWhereTheReportSays) {
  CheckpointSetup setup = checkpoints();
  setup.job.count = 3;
  setup.job.keep = 2;
  CheckpointProgress progress;
  RunHooks hooks;
  hooks.moved = &progress;
  const Reported<CheckpointResult> done = checkpoint(setup, hooks);
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_EQ(done.report.kept_on, "\"" + directory_ + "\"");
  EXPECT_EQ(done.report.kept, 2U);
  EXPECT_EQ(done.report.effective.at("keep"), "2");
  EXPECT_EQ(done.report.effective.at("changed"), "1");
  EXPECT_TRUE(done.report.effective.contains("io-engine"));
  EXPECT_EQ(progress.bytes_done, 3 * done.report.passes.at(0).bytes);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/" + step_folder(1)));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/" + step_folder(3)));
}

TEST_F(TransferTest, AUsersOwnFilesHaveNoSettingsOfAModel) {
  temporary_.write("w.bin", std::string(1000, 'x'));
  CheckpointSetup setup = checkpoints();
  setup.job.data = temporary_.path();
  setup.job.data_ranks = 1;
  setup.job.ranks.clear();
  setup.job.head.parallelism = {};
  setup.job.directory = TemporaryDirectory().path() + "/c";
  const CheckpointResult result = report_checkpoints(setup, {});
  EXPECT_EQ(result.layout, "as they are");
  EXPECT_EQ(result.ranks_written, 1U);
  const Settings expected{
      {"async", "no"}, {"count", "1"}, {"incremental", "no"}, {"ranks", "1"}, {"step-stride", "1"}};
  EXPECT_EQ(own_settings(result), expected);
}

TEST_F(TransferTest, ADirectoryOfSomebodyElseIsRefusedAndNothingIsReported) {
  std::filesystem::create_directory(directory_);
  temporary_.write("c/thesis.txt", "mine");
  const Reported<CheckpointResult> done = checkpoint(checkpoints(), {});
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kUsage);
  EXPECT_FALSE(done.figures);
  EXPECT_EQ(done.report.passes.size(), 0U);
  EXPECT_EQ(done.report.place.directory, directory_);
}

TEST_F(TransferTest, WhatWasWrittenBeforeAStopIsReported) {
  CheckpointSetup setup = checkpoints();
  setup.job.count = 1'000'000;
  setup.job.between = milliseconds(1);
  std::stop_source stop;
  RunHooks hooks;
  hooks.stop = stop.get_token();
  const std::jthread stopper([&](const std::stop_token& quit) {
    while (!quit.stop_requested() && !std::filesystem::exists(directory_ + "/" + step_folder(2)))
      std::this_thread::sleep_for(milliseconds(1));
    stop.request_stop();
  });
  const Reported<CheckpointResult> done = checkpoint(setup, hooks);
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kCancelled);
  EXPECT_TRUE(done.figures);
  EXPECT_GE(done.report.passes.size(), 2U);
}

TEST(CheckpointExperiment, StoppedBeforeTheFirstThereAreNoFigures) {
  const ModelFile file("bandwidth: 1MB/s\n");
  const CheckpointSetup setup = tiny_checkpoints(described_transfer(file.storage()), "x");
  const Reported<CheckpointResult> done = checkpoint(setup, stopped_hooks());
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kCancelled);
  EXPECT_FALSE(done.figures);
}

}  // namespace
}  // namespace feedrate

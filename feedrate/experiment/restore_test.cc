// Tests restoring and compacting as experiments, on checkpoints of a tiny model in real files.
#include "feedrate/experiment/restore.h"

#include "feedrate/experiment/compact.h"
#include "feedrate/experiment/transfer_testing.h"

namespace feedrate {
namespace {

class Restoring : public TransferTest {
 protected:
  RestoreSetup restores() const {
    RestoreSetup setup;
    static_cast<TransferSetup&>(setup) = here();
    setup.job.directory = directory_;
    return setup;
  }
  CompactSetup compacts() const {
    CompactSetup setup;
    static_cast<TransferSetup&>(setup) = here();
    setup.job.directory = directory_;
    return setup;
  }
  void write(std::uint64_t count, bool incremental = false) const {
    CheckpointSetup setup = checkpoints();
    setup.job.count = count;
    if (incremental) setup.job.head.sum_block_bytes = setup.job.head.content.block_bytes;
    setup.job.head.content.changed = 0.1;
    TransferTest::write(setup);
  }
};

TEST_F(Restoring, TheNewestComesBackAndEveryByteIsChecked) {
  write(2);
  CheckpointProgress progress;
  RunHooks hooks;
  hooks.moved = &progress;
  const Reported<CheckpointResult> done = restore(restores(), hooks);
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_TRUE(done.figures);
  const CheckpointResult& result = done.report;
  EXPECT_EQ(result.verb, "restore");
  EXPECT_TRUE(result.valid);
  EXPECT_TRUE(result.verified);
  EXPECT_EQ(result.model, "tiny");
  EXPECT_EQ(result.title, "step 2");
  EXPECT_EQ(result.kept_on, "\"" + directory_ + "\"");
  EXPECT_EQ(result.ranks(), 4U);
  EXPECT_EQ(result.ranks_written, 4U);
  EXPECT_GT(result.files, 4U);
  EXPECT_EQ(result.block_bytes, 65536U);
  EXPECT_EQ(result.read_by, "");
  ASSERT_EQ(result.passes.size(), 1U);
  EXPECT_EQ(result.passes[0].bytes, progress.bytes_done);
  EXPECT_EQ(result.passes[0].ranks.size(), 4U);
  EXPECT_GT(result.read_latency.count, 0U);
  EXPECT_EQ(result.effective.at("step"), "2");
  EXPECT_EQ(result.effective.at("tensor-parallel"), "2");
  EXPECT_EQ(result.effective.at("no-verify"), "no");
  EXPECT_FALSE(result.effective.contains("model"));
  EXPECT_TRUE(result.effective.contains("io-engine"));
  if (!in_memory()) {
    EXPECT_EQ(result.warnings.at(0), kThroughCache);
  }
}

TEST_F(Restoring, WhatIsDamagedIsLeftOutAndNamed) {
  write(2);
  damage(2);
  const Reported<CheckpointResult> done = restore(restores(), {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_EQ(done.report.title, "step 1");
  ASSERT_EQ(done.report.skipped.size(), 1U);
  EXPECT_TRUE(done.report.skipped[0].starts_with("step 2: ")) << done.report.skipped[0];
}

TEST_F(Restoring, WithoutACheckNothingIsCalledVerified) {
  write(2);
  RestoreSetup setup = restores();
  setup.job.verify = false;
  setup.job.step = 1;
  const Reported<CheckpointResult> done = restore(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_FALSE(done.report.verified);
  EXPECT_EQ(done.report.effective.at("no-verify"), "yes");
  EXPECT_EQ(done.report.effective.at("step"), "1");
}

TEST_F(Restoring, AnotherTopologyReadsWhatItNeeds) {
  write(1);
  RestoreSetup setup = restores();
  setup.job.topology = [](const CheckpointManifest&) -> Result<Parallelism> {
    return Parallelism{.tensor = 1, .pipeline = 1, .data = 3, .zero_stage = 3};
  };
  setup.job.model = [](const CheckpointManifest&) -> Result<ModelShape> { return tiny_model(); };
  const Reported<CheckpointResult> done = restore(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_EQ(done.report.read_by, "tensor 1 x pipeline 1 x data 3 = 3 ranks, ZeRO 3");
  EXPECT_GT(done.report.needed_bytes, 0U);
  EXPECT_EQ(done.report.effective.at("ranks"), "3");
  EXPECT_EQ(done.report.effective.at("model"), "tiny");
  EXPECT_EQ(done.report.ranks(), 4U) << "of the job that wrote";
}

TEST_F(Restoring, AUsersOwnFilesHaveRanksAndNothingElse) {
  const TemporaryDirectory data;
  data.write("w.bin", std::string(100'000, 'x'));
  CheckpointSetup setup = checkpoints();
  setup.job.data = data.path();
  setup.job.ranks.clear();
  setup.job.head.parallelism = {};
  TransferTest::write(setup);
  const Reported<CheckpointResult> done = restore(restores(), {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_EQ(done.report.effective.at("ranks"), "1");
  EXPECT_FALSE(done.report.effective.contains("tensor-parallel"));
}

TEST_F(Restoring, AfterAnErrorTheReportHasThePlaceAndNoFigures) {
  write(1);
  RestoreSetup setup = restores();
  setup.job.step = 7;
  const Reported<CheckpointResult> done = restore(setup, {});
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(done.figures);
  EXPECT_EQ(done.report.place.directory, directory_);
  EXPECT_EQ(done.report.passes.size(), 0U);
  for (const char* unknown : {"ranks", "step", "layout"})
    EXPECT_FALSE(done.report.effective.contains(unknown)) << unknown;
  EXPECT_EQ(restore(restores(), stopped_hooks()).ended.error().kind(), ErrorKind::kCancelled);
}

TEST_F(Restoring, AnIncrementalOneIsMadeWhole) {
  write(3, true);
  CompactSetup setup = compacts();
  setup.job.keep = 1;
  const Reported<CompactResult> done = compact(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  const CompactResult& result = done.report;
  EXPECT_EQ(result.verb, "compact");
  EXPECT_EQ(result.step, 3U);
  EXPECT_EQ(result.steps_read, 3U);
  EXPECT_GT(result.bytes, 0U);
  EXPECT_GT(result.seconds, 0);
  EXPECT_EQ(result.removed, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(result.effective.at("step"), "3");
  EXPECT_EQ(result.effective.at("keep"), "1");
  // What the page cache serves makes the checkpoint no worse.
  if (!in_memory()) {
    EXPECT_EQ(result.warnings, std::vector<std::string>{});
  }
  const Reported<CompactResult> again = compact(compacts(), {});
  EXPECT_EQ(again.report.steps_read, 1U);
  EXPECT_FALSE(again.report.effective.contains("keep"));  // All are kept.
  EXPECT_TRUE(restore(restores(), {}).ended);
}

TEST_F(Restoring, OfACompactionThatFailedNothingWasRead) {
  write(1);
  CompactSetup setup = compacts();
  setup.job.step = 7;
  const Reported<CompactResult> done = compact(setup, {});
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(done.figures);
  EXPECT_EQ(done.report.step, 7U);
  EXPECT_EQ(done.report.steps_read, 0U);
  EXPECT_FALSE(done.report.effective.contains("step"));
}

}  // namespace
}  // namespace feedrate

// Tests what the reports of checkpoints and models say alike: the place, the settings, and what to
// think of where the bytes came from.
#include "feedrate/experiment/transfer.h"

#include "feedrate/experiment/transfer_testing.h"

namespace feedrate {
namespace {

CompactResult described(const TransferSetup& setup, bool reads, const std::string& directory) {
  CompactResult report;
  describe_transfer(setup, directory, reads, report);
  return report;
}

TEST(Transfer, WhereNoBytesMoveThereIsNothingToWarnOf) {
  const CompactResult report = described(described_transfer("null"), true, "x");
  EXPECT_EQ(report.place.directory, "x");
  EXPECT_EQ(report.place.storage, "null");
  EXPECT_EQ(report.place.io, "none");
  EXPECT_EQ(report.place.clock, "virtual");
  const std::map<std::string, std::string> expected{{"at-once", "4"},
                                                    {"block", "64 KiB"},
                                                    {"clock", "virtual"},
                                                    {"storage", "null"},
                                                    {"threads", "1"}};
  EXPECT_EQ(report.effective, expected);
  EXPECT_EQ(report.warnings, std::vector<std::string>{});
}

TEST_F(TransferTest, ReadsThroughThePageCacheAreTold) {
  if (in_memory()) GTEST_SKIP() << "temporary files are in memory here";
  TransferSetup setup = here();
  const CompactResult reads = described(setup, true, "d");
  EXPECT_EQ(reads.warnings, std::vector<std::string>{std::string(kThroughCache)});
  EXPECT_EQ(reads.effective.at("io"), "buffered");
  EXPECT_EQ(reads.effective.at("threads"), "2");
  // What is written is synced, wherever it goes through.
  EXPECT_EQ(described(setup, false, "d").warnings, std::vector<std::string>{});
  setup.place.io = IoMode::kDirect;
  EXPECT_EQ(described(setup, true, "d").warnings, std::vector<std::string>{});
}

TEST(Transfer, ADirectoryInMemoryIsNoStorage) {
  if (find_byte_origin("/dev/shm").from() != BytesFrom::kMemory) GTEST_SKIP();
  TransferSetup setup = real_transfer("/dev/shm");
  const std::vector<std::string> warning{
      "\"/dev/shm/new\" is in this host's memory (tmpfs keeps its files in memory): how fast that "
      "is says nothing of storage; name a directory on the storage that is meant"};
  EXPECT_EQ(described(setup, false, "/dev/shm/new").warnings, warning);
  // It says all that a word on the page cache would.
  EXPECT_EQ(described(setup, true, "/dev/shm/new").warnings, warning);
  setup.place.io = IoMode::kDirect;
  EXPECT_EQ(described(setup, true, "/dev/shm/new").warnings, warning);
}

TEST(Transfer, TheEngineIsToldWhereThereIsOne) {
  CompactResult report;
  const auto group = WorldSpec{ClockKind::kReal, IoEngine::kThreads, 1}.make_group().value();
  describe_group(*group, report);
  EXPECT_EQ(report.effective.at("io-engine"), "threads");
  CompactResult simulated;
  describe_group(*WorldSpec{.clock = ClockKind::kVirtual}.make_group().value(), simulated);
  EXPECT_FALSE(simulated.effective.contains("io-engine"));
}

TEST(Transfer, AWorldHasTheHooksForAsLongAsItLives) {
  bool alive = false;
  RunHooks hooks;
  hooks.watch = [&alive](const ReactorGroup& group) -> std::shared_ptr<void> {
    alive = group.is_virtual();
    return {&alive, [](bool* flag) { *flag = false; }};
  };
  CheckpointProgress progress;
  hooks.moved = &progress;
  {
    Result<TransferWorld> world = TransferWorld::make(described_transfer("null"), hooks);
    ASSERT_TRUE(world);
    EXPECT_TRUE(alive);
    EXPECT_EQ(&world->progress(), &progress);
    EXPECT_FALSE(world->stop().stop_requested());
  }
  EXPECT_FALSE(alive);
  Result<TransferWorld> alone = TransferWorld::make(described_transfer("null"), stopped_hooks());
  ASSERT_TRUE(alone);
  alone->progress().bytes_done = 3;
  EXPECT_EQ(progress.bytes_done, 0U);
  EXPECT_TRUE(alone->stop().stop_requested());
}

TEST(Transfer, TimesAndWhatWasLeftOutAsReportsHaveThem) {
  const auto times = rank_times({{3, 100, std::chrono::milliseconds(1500)}});
  ASSERT_EQ(times.size(), 1U);
  EXPECT_EQ(times[0].rank, 3U);
  EXPECT_EQ(times[0].bytes, 100U);
  EXPECT_EQ(times[0].seconds, 1.5);
  EXPECT_EQ(skipped_texts({{20, "gone"}, {10, "cut"}}),
            (std::vector<std::string>{"step 20: gone", "step 10: cut"}));
}

TEST(StoragePlace, HasALimitOfItsOwnWhereOneIsGiven) {
  StoragePlace place{.spec = costs_nothing(), .directory = "."};
  EXPECT_EQ(place.io_word(), "none");
  EXPECT_EQ((StoragePlace{.spec = local_files(), .directory = "."}.io_word()), "buffered");
  CheckpointSetup setup = tiny_checkpoints(described_transfer("null"), "x");
  EXPECT_EQ(checkpoint(setup, {}).report.passes.at(0).seconds, 0);
  setup.place.rate_max = 1e6;
  const CheckpointPass limited = checkpoint(setup, {}).report.passes.at(0);
  EXPECT_NEAR(limited.seconds, static_cast<double>(limited.bytes) / 1e6, limited.seconds * 0.1);
}

}  // namespace
}  // namespace feedrate

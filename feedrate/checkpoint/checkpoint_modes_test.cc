// Tests the modes of checkpoints: asynchronous, incremental, two levels, a user's own files,
// another topology.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "feedrate/base/random.h"
#include "feedrate/checkpoint/checkpoint_testing.h"
#include "feedrate/checkpoint/compact.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

class CheckpointModes : public CheckpointFiles {
 protected:
  void make_incremental(double changed) {
    job_.head.content.changed = changed;
    job_.head.sum_block_bytes = job_.head.content.block_bytes;
  }
  // Expects that the newest one is restored, whole and without anything skipped.
  void expect_restored(std::uint64_t step, std::uint64_t steps_read,
                       const CheckpointRestoreJob& job = {}) {
    const auto restored = restore(job);
    ASSERT_TRUE(restored) << restored.error().message();
    EXPECT_TRUE(restored->skipped.empty()) << restored->skipped[0].reason;
    EXPECT_EQ(restored->manifest.step, step);
    EXPECT_EQ(restored->steps_read, steps_read);
  }
  Result<CompactSummary> compact(std::uint64_t keep = 0) {
    auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2).value();
    CheckpointProgress progress;
    return compact_checkpoint(
        *group, storage(),
        {.directory = job_.directory, .step = {}, .keep = keep, .block_bytes = 8192}, progress, {});
  }
  CheckpointRestoreJob onto(const Parallelism& topology) {
    CheckpointRestoreJob job;
    job.topology = [topology](const CheckpointManifest&) -> Result<Parallelism> {
      return topology;
    };
    job.model = [](const CheckpointManifest&) -> Result<ModelShape> { return tiny_model(); };
    return job;
  }
};

TEST_P(CheckpointModes, OnlyChangedBlocksAreStored) {
  make_incremental(0.1);
  job_.count = 4;
  const auto written = write();
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_FALSE(written->written[0].parent);
  for (std::size_t index = 1; index < 4; ++index) {
    const WrittenCheckpoint& each = written->written[index];
    EXPECT_EQ(each.parent, each.step - 1);
    // The tensors are small, so what stands around them counts.
    EXPECT_LT(each.stored_bytes, each.bytes / 4);
    EXPECT_EQ(fs::file_size(folder(each.step) + "/rank-00000/changed.bin"), each.ranks[0].bytes);
  }
  expect_restored(4, 4);
}

TEST_P(CheckpointModes, NothingChangedIsNothingStored) {
  make_incremental(1);
  ASSERT_TRUE(write());
  job_.head.content.seed = 1;
  make_incremental(1e-18);
  const auto written = write();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->written[0].parent, 1U);
  expect_restored(2, 2);
}

TEST_P(CheckpointModes, AWholeOneComesAfterSoManyIncrements) {
  make_incremental(0.2);
  job_.increments_max = 2;
  job_.count = 5;
  const auto written = write();
  ASSERT_TRUE(written);
  std::vector<bool> whole;
  for (const WrittenCheckpoint& each : written->written) whole.push_back(!each.parent);
  EXPECT_EQ(whole, (std::vector<bool>{true, false, false, true, false}));
  expect_restored(5, 2);
}

TEST_P(CheckpointModes, WhatOthersBuildUponIsKept) {
  make_incremental(0.2);
  job_.increments_max = 3;
  job_.keep = 1;
  job_.count = 3;
  ASSERT_TRUE(write());
  for (const std::uint64_t step : {1, 2, 3}) EXPECT_TRUE(fs::exists(folder(step))) << step;
  job_.count = 2;  // A later process builds upon what is there.
  const auto more = write();
  ASSERT_TRUE(more);
  EXPECT_EQ(more->written[0].parent, 3U);
  EXPECT_FALSE(more->written[1].parent);
  for (const std::uint64_t step : {1, 2, 3, 4}) EXPECT_FALSE(fs::exists(folder(step))) << step;
  expect_restored(5, 1);
}

TEST_P(CheckpointModes, AParentThatIsGoneIsNamed) {
  make_incremental(0.2);
  job_.count = 3;
  ASSERT_TRUE(write());
  fs::remove_all(folder(2));
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 1U);
  ASSERT_EQ(restored->skipped.size(), 1U);
  EXPECT_NE(restored->skipped[0].reason.find("it builds upon step 2: "), std::string::npos)
      << restored->skipped[0].reason;
}

TEST_P(CheckpointModes, ADamagedBlockOfAnEarlierStepIsFound) {
  make_incremental(0.2);
  job_.count = 3;
  ASSERT_TRUE(write());
  const PlacedPiece& placed = job_.ranks[0].files[0].pieces[0];
  std::fstream file(some_file(1), std::ios::in | std::ios::out | std::ios::binary);
  for (std::uint64_t at = 0; at < placed.piece.bytes(); at += 64) {
    file.seekp(static_cast<std::streamoff>(placed.offset + at));
    file.put('\x55');
  }
  file.close();
  const auto restored = restore();
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().message().find(placed.piece.name + " (bytes "), std::string::npos);
}

// Compaction makes the same files that a whole checkpoint has.
TEST_P(CheckpointModes, CompactionMakesItWhole) {
  make_incremental(0.2);
  job_.count = 4;
  ASSERT_TRUE(write());
  const auto compacted = compact();
  ASSERT_TRUE(compacted) << compacted.error().message();
  EXPECT_EQ(compacted->step, 4U);
  EXPECT_EQ(compacted->steps_read, 4U);
  expect_restored(4, 1);
  const std::string incremental = job_.directory;
  job_.directory = directory_.path() + "/whole";
  job_.increments_max = 0;
  ASSERT_TRUE(write());
  std::uint64_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder(4))) {
    if (!entry.is_regular_file()) continue;
    const std::string other =
        incremental + "/" + step_folder(4) + entry.path().string().substr(folder(4).size());
    ASSERT_TRUE(fs::exists(other)) << other;
    EXPECT_EQ(fs::file_size(entry), fs::file_size(other)) << other;
    if (entry.path().filename() != kCheckpointManifest) {
      std::ifstream one(entry.path(), std::ios::binary), two(other, std::ios::binary);
      EXPECT_TRUE(std::equal(std::istreambuf_iterator<char>(one), {},
                             std::istreambuf_iterator<char>(two), {}))
          << other;
    }
    ++files;
  }
  EXPECT_GT(files, 1U);
  job_.directory = incremental;
  EXPECT_FALSE(fs::exists(folder(4) + "/rank-00000/changed.bin"));
  const auto again = compact(1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->steps_read, 1U);
  EXPECT_EQ(again->removed, (std::vector<std::uint64_t>{1, 2, 3}));
  expect_restored(4, 1);
}

TEST_P(CheckpointModes, WhatCannotBeMadeWholeStaysAsItIs) {
  make_incremental(0.2);
  job_.count = 2;
  ASSERT_TRUE(write());
  const std::uint64_t before = bytes_below(folder(2));
  fs::resize_file(some_file(1), 100);
  const auto compacted = compact(1);
  ASSERT_FALSE(compacted);
  EXPECT_EQ(bytes_below(folder(2)), before);
  EXPECT_TRUE(fs::exists(folder(1)));
}

TEST_P(CheckpointModes, ASnapshotIsWrittenBehind) {
  job_.asynchronous = true;
  job_.count = 3;
  job_.snapshot_bytes_per_second = 1e12;
  const auto written = write();
  ASSERT_TRUE(written) << written.error().message();
  ASSERT_EQ(written->written.size(), 3U);
  EXPECT_GT(written->snapshot_bytes, 0U);
  for (const WrittenCheckpoint& each : written->written) {
    EXPECT_LE(each.waited, each.blocked);
    EXPECT_LE(each.blocked, each.restorable);
    EXPECT_LE(each.persisted, each.restorable);
  }
  expect_restored(3, 1);
}

TEST_P(CheckpointModes, TwoLevelsHoldTheSame) {
  job_.local = directory_.path() + "/local";
  job_.asynchronous = true;
  make_incremental(0.3);
  job_.count = 3;
  job_.write_bytes_per_second = 1e9;
  const auto written = write();
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_GE(written->written[2].shared, written->written[2].restorable);
  EXPECT_EQ(bytes_below(job_.local), bytes_below(job_.directory));
  expect_restored(3, 3);
  CheckpointRestoreJob job;
  job.local = job_.local;
  const auto near = restore(job);
  ASSERT_TRUE(near);
  EXPECT_EQ(near->directory, job_.local);
  fs::remove_all(job_.local);  // This is a new node.
  const auto far = restore(job);
  ASSERT_TRUE(far) << far.error().message();
  EXPECT_EQ(far->directory, job_.directory);
  const auto again = write();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->written[0].step, 4U);
  EXPECT_FALSE(again->written[0].parent);  // The node has nothing to build upon.
}

TEST_P(CheckpointModes, ARankMayBeSlow) {
  job_.slow_ranks[2] = 1e6;
  const auto written = write();
  ASSERT_TRUE(written);
  const std::vector<RankTime>& ranks = written->written[0].ranks;
  EXPECT_EQ(std::ranges::max(ranks, {}, &RankTime::elapsed).rank, 2U);
}

TEST_P(CheckpointModes, OntoEveryOtherTopology) {
  make_incremental(0.3);
  job_.count = 3;
  ASSERT_TRUE(write());
  const std::uint64_t own = restore()->bytes;
  for (const Parallelism& target :
       {Parallelism{1, 1, 1, 1}, Parallelism{1, 1, 3, 3}, Parallelism{4, 1, 2, 1},
        Parallelism{2, 3, 1, 2}, Parallelism{2, 1, 2, 1}, Parallelism{1, 3, 5, 3}}) {
    const auto restored = restore(onto(target));
    ASSERT_TRUE(restored) << restored.error().message();
    EXPECT_TRUE(restored->skipped.empty()) << restored->skipped[0].reason;
    EXPECT_EQ(restored->ranks.size(), target.ranks());
    EXPECT_TRUE(restored->other_topology);
    EXPECT_GE(restored->bytes, restored->needed_bytes);
    // One replica reads no more bytes than there are, and with ZeRO 3 no number of replicas does.
    if (target.data == 1 || target.zero_stage == 3) {
      EXPECT_LE(restored->needed_bytes, own);
      EXPECT_GT(restored->needed_bytes, own * 8 / 10);
    }
  }
}

TEST_P(CheckpointModes, DamageIsFoundOnTheWayToAnotherTopology) {
  job_.count = 2;
  ASSERT_TRUE(write());
  const PlacedPiece& placed = job_.ranks[1].files[0].pieces[0];
  const FilePlan& plan = job_.ranks[1].files[0];
  std::fstream file(folder(2) + "/" + plan.path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(plan.begin + placed.offset + 9);
  file.seekg(at);
  const int old = file.get();
  file.seekp(at);
  file.put(static_cast<char>(old ^ 4));
  file.close();
  const auto restored = restore(onto({1, 1, 1, 1}));
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 1U);
  EXPECT_NE(restored->skipped[0].reason.find("byte 9 is not what was written"), std::string::npos)
      << restored->skipped[0].reason;
}

TEST_P(CheckpointModes, WhatCannotBeRestoredElsewhereIsNamed) {
  ASSERT_TRUE(write());
  auto zero = restore(onto({2, 1, 2, 0}));
  ASSERT_FALSE(zero);
  EXPECT_NE(zero.error().message().find("is cut in another way than with ZeRO 0"),
            std::string::npos);
  CheckpointRestoreJob job = onto({1, 1, 1, 1});
  job.model = [](const CheckpointManifest&) { return find_model("llama3-8b"); };
  const auto other = restore(job);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message().find("it has no tensor"), std::string::npos);
  job_.ranks.pop_back();
  ASSERT_TRUE(write());
  const auto subset = restore(onto({1, 1, 1, 1}));
  ASSERT_FALSE(subset);
  EXPECT_NE(subset.error().message().find("3 of its 4 ranks were written"), std::string::npos);
}

TEST_P(CheckpointModes, AUsersFilesAreStoredAsTheyChange) {
  const std::string data = directory_.path() + "/data";
  fs::create_directories(data + "/deep");
  std::string big(300'000, 'a');
  for (std::size_t at = 0; at < big.size(); ++at) big[at] = static_cast<char>(mix64(at));
  const auto put = [&](const std::string& name, const std::string& text) {
    std::ofstream(data + "/" + name, std::ios::binary) << text;
  };
  put("checkpoint.json", "a user's");
  put("deep/weights.bin", big);
  put("empty", "");
  layout_ = make_checkpoint_layout("raw").value();
  job_.layout = layout_.get();
  job_.head.layout = "raw";
  job_.data = data;
  job_.data_ranks = 2;
  job_.ranks.clear();
  make_incremental(1);
  ASSERT_TRUE(write());
  big[200'000] ^= 1;
  put("deep/weights.bin", big);
  const auto second = write();
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->written[0].parent, 1U);
  EXPECT_EQ(second->written[0].stored_bytes, 4096U);
  expect_restored(2, 2);
  put("new", "x");  // The files are others now, so a whole one is written.
  job_.asynchronous = true;
  const auto third = write();
  ASSERT_TRUE(third) << third.error().message();
  EXPECT_FALSE(third->written[0].parent);
  expect_restored(3, 1);
  std::ifstream kept(folder(3) + "/files/deep/weights.bin", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), big);
  const auto elsewhere = restore(onto({1, 1, 1, 0}));
  ASSERT_FALSE(elsewhere);
  EXPECT_NE(elsewhere.error().message().find("it has files, not a model's tensors"),
            std::string::npos);
  job_.data = directory_.path() + "/nothing";
  fs::create_directories(job_.data);
  const auto none = write();
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message().find("has no files"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Layouts, CheckpointModes, testing::ValuesIn(checkpoint_layout_names()),
                         layout_of);

TEST(CheckpointManifest, BlocksComeBackAndWrongOnesAreRefused) {
  CheckpointManifest manifest;
  manifest.step = 12;
  manifest.parent = 11;
  manifest.increments = 3;
  manifest.sum_block_bytes = 4096;
  const TensorPiece piece{"w", Dtype::kU8, {10'000}, {0}, {10'000}};
  PieceRecord record{{piece, 10}, 5, {7, 8, ~std::uint64_t{0}}, {{0, 1}, {2, 1}}};
  manifest.ranks = {{0, {{"x.bin", 0, 10'010, 7, {record}}}}};
  const auto back = checkpoint_from_json(checkpoint_to_json(manifest), "m");
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, manifest);
  EXPECT_EQ(back->stored_bytes(), 10U + 4096 + 1808);
  const auto refused = [&](const std::vector<BlockRun>& runs, std::size_t sums) {
    manifest.ranks[0].files[0].pieces[0].changed = runs;
    manifest.ranks[0].files[0].pieces[0].block_sums.resize(sums);
    return !checkpoint_from_json(checkpoint_to_json(manifest), "m");
  };
  EXPECT_TRUE(refused({{3, 1}}, 3));
  EXPECT_TRUE(refused({{1, 3}}, 3));
  EXPECT_TRUE(refused({{0, 0}}, 3));
  EXPECT_TRUE(refused({{1, 1}, {0, 1}}, 3));
  EXPECT_TRUE(refused({{~std::uint64_t{0}, 2}}, 3));
  EXPECT_TRUE(refused({}, 2));
  EXPECT_FALSE(refused({{0, 3}}, 3));
  manifest.parent = 12;
  EXPECT_TRUE(refused({}, 3));
}

}  // namespace
}  // namespace feedrate

// Tests writing, publishing, restoring and damage, on real files below a temporary directory.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include "feedrate/checkpoint/checkpoint_testing.h"

namespace feedrate {
namespace {

namespace fs = std::filesystem;

TEST_P(CheckpointFiles, WhatIsWrittenIsRestored) {
  job_.count = 3;
  const auto written = write();
  ASSERT_TRUE(written) << written.error().message();
  ASSERT_EQ(written->written.size(), 3U);
  EXPECT_GT(written->generation_bytes_per_second, 0);
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 3U);
  EXPECT_EQ(restored->manifest.bytes(), written->written[2].bytes);
  EXPECT_TRUE(restored->skipped.empty());
  EXPECT_EQ(restored->ranks.size(), 4U);
}

// The files have the content, byte by byte, where the manifest says.
TEST_P(CheckpointFiles, EveryPieceHasItsBytes) {
  ASSERT_TRUE(write());
  const auto restored = restore();
  ASSERT_TRUE(restored);
  std::uint64_t pieces = 0;
  for (const RankRecord& rank : restored->manifest.ranks)
    for (const FileRecord& file : rank.files) {
      std::ifstream stream(folder(1) + "/" + file.path, std::ios::binary);
      for (const PieceRecord& record : file.pieces) {
        std::vector<std::byte> bytes(record.placed.piece.bytes());
        stream.seekg(static_cast<std::streamoff>(file.begin + record.placed.offset));
        stream.read(reinterpret_cast<char*>(bytes.data()),
                    static_cast<std::streamsize>(bytes.size()));
        ASSERT_EQ(static_cast<std::size_t>(stream.gcount()), bytes.size());
        const PieceContent content = piece_content(job_.head.content, record.placed.piece, 1);
        EXPECT_EQ(first_wrong_byte(content, 0, bytes), std::nullopt) << record.placed.piece.name;
        ++pieces;
      }
    }
  EXPECT_GT(pieces, 60U);
}

// A model may list its tensors: convolutions of five dimensions, and rows of tables on every rank.
TEST_P(CheckpointFiles, ListedTensorsComeBack) {
  job_.head.parallelism = {.data = 2};
  for (const char* name : {"unet3d", "dlrm"}) {
    const ModelShape model = scaled(find_model(name).value(), name[0] == 'd' ? 1e-5 : 1e-3);
    job_.directory = directory_.path() + "/" + name;
    std::vector<RankGroups> groups;
    for (std::uint64_t rank = 0; rank < 2; ++rank)
      groups.push_back({rank, checkpoint_tensors(model, job_.head.parallelism, {},
                                                 place_of_rank(job_.head.parallelism, rank))});
    job_.ranks = layout_->place(groups);
    ASSERT_TRUE(write());
    const auto restored = restore();
    ASSERT_TRUE(restored) << restored.error().message();
    std::uint64_t elements = 0, dimensions = 0;
    for (const RankRecord& rank : restored->manifest.ranks)
      for (const FileRecord& file : rank.files)
        for (const PieceRecord& record : file.pieces) {
          elements += record.placed.piece.elements();
          dimensions = std::max(dimensions, record.placed.piece.global.size());
        }
    EXPECT_EQ(elements, 4 * model.given_parameters) << name;
    EXPECT_EQ(dimensions, name[0] == 'd' ? 2U : 5U);
  }
}

TEST_P(CheckpointFiles, ADamagedByteIsNamedAndTheOlderOneTaken) {
  job_.count = 2;
  ASSERT_TRUE(write());
  const PlacedPiece& placed = job_.ranks[0].files[0].pieces[0];
  {
    std::fstream file(some_file(2), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(placed.offset + 7));
    const int old = file.get();
    file.seekp(static_cast<std::streamoff>(placed.offset + 7));
    file.put(static_cast<char>(old ^ 1));
  }
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 1U);
  ASSERT_EQ(restored->skipped.size(), 1U);
  EXPECT_EQ(restored->skipped[0].step, 2U);
  EXPECT_NE(restored->skipped[0].reason.find(placed.piece.name + " (bytes "), std::string::npos)
      << restored->skipped[0].reason;
}

TEST_P(CheckpointFiles, MissingShortAndForeignFilesAreNamed) {
  job_.count = 4;
  ASSERT_TRUE(write());
  fs::remove(some_file(4));
  fs::resize_file(some_file(3), fs::file_size(some_file(3)) - 1);
  std::ofstream(folder(2) + "/checkpoint.json") << "{}\n";
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->manifest.step, 1U);
  ASSERT_EQ(restored->skipped.size(), 3U);
  EXPECT_NE(restored->skipped[0].reason.find("No such file"), std::string::npos);
  EXPECT_NE(restored->skipped[1].reason.find(" B belong to it"), std::string::npos);
  EXPECT_NE(restored->skipped[2].reason.find("its checksum is wrong"), std::string::npos);
  fs::remove_all(folder(1));
  const auto none = restore();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::kNotFound);
  EXPECT_NE(none.error().message().find("has no whole checkpoint; step 4: "), std::string::npos);
}

TEST_P(CheckpointFiles, OnlyTheNewestAreKeptAndStepsGoOn) {
  job_.count = 5;
  job_.keep = 2;
  job_.step_stride = 10;
  ASSERT_TRUE(write());
  EXPECT_FALSE(fs::exists(folder(21)));
  EXPECT_TRUE(fs::exists(folder(31)));
  EXPECT_TRUE(fs::exists(folder(41)));
  job_.count = 1;
  const auto more = write();
  ASSERT_TRUE(more);
  EXPECT_EQ(more->written[0].step, 51U);
  EXPECT_FALSE(fs::exists(folder(31)));
}

TEST_P(CheckpointFiles, WhatAnInterruptedWriterLeftIsRemoved) {
  ASSERT_TRUE(write());
  fs::create_directories(folder(7) + ".part/rank-00000");
  std::ofstream(folder(7) + ".part/rank-00000/x.bin") << "half";
  const auto restored = restore();
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->manifest.step, 1U);
  ASSERT_TRUE(write());
  EXPECT_FALSE(fs::exists(folder(7) + ".part"));
}

TEST_P(CheckpointFiles, WhatCannotBeReadForbidsPruningWhatIsOlder) {
  job_.count = 3;
  ASSERT_TRUE(write());
  std::ofstream(folder(3) + "/checkpoint.json") << "unreadable";
  job_.count = 1;
  job_.keep = 2;
  ASSERT_TRUE(write());
  // Step 3 is among the two newest, and nobody knows what it builds upon.
  for (const std::uint64_t step : {1, 2, 3, 4}) EXPECT_TRUE(fs::exists(folder(step))) << step;
  ASSERT_TRUE(write());
  // Steps 4 and 5 are known to build upon none.
  for (const std::uint64_t step : {1, 2, 3}) EXPECT_FALSE(fs::exists(folder(step))) << step;
}

TEST_P(CheckpointFiles, ALinkAmongItsNamesIsNotFollowed) {
  const std::string theirs = directory_.path() + "/theirs";
  fs::create_directories(theirs + "/rank-00000");
  std::ofstream(theirs + "/rank-00000/data") << "precious";
  ASSERT_TRUE(write());
  fs::create_directory_symlink(theirs, folder(7) + ".part");  // Is taken for a left-over.
  fs::create_symlink(theirs + "/rank-00000/data",
                     job_.directory + "/feedrate-checkpoints.json.part");
  ASSERT_TRUE(write());
  EXPECT_FALSE(fs::is_symlink(folder(7) + ".part"));
  // A step that the user has moved elsewhere is pruned as a link.
  fs::create_directory_symlink(theirs, folder(3));
  job_.keep = 1;
  ASSERT_TRUE(write());
  EXPECT_FALSE(fs::is_symlink(folder(3)));
  EXPECT_FALSE(fs::is_symlink(folder(3) + ".part"));
  EXPECT_EQ(fs::file_size(theirs + "/rank-00000/data"), 8U);
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(theirs), {}), 2);
}

TEST_P(CheckpointFiles, ADirectoryHasOneWriter) {
  ASSERT_TRUE(write());
  auto own = storage();
  auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 1).value();
  std::unique_ptr<Storage> keeper;
  DirectoryClaim claim;
  struct Body {
    static Task<> run(Storage& storage, const std::string& directory, DirectoryClaim& claim) {
      Result<DirectoryClaim> claimed = co_await storage.claim(directory);
      claim = std::move(claimed.value());
    }
  };
  group->run(
      [&](unsigned, Reactor& reactor) {
        keeper = own(reactor);
        reactor.spawn(Body::run(*keeper, job_.directory, claim));
      },
      [&](unsigned) { keeper.reset(); }, {});
  const auto second = write();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::kEnvironment);
  EXPECT_NE(second.error().message().find("is being written in by process"), std::string::npos);
  EXPECT_TRUE(restore());  // Reading needs no claim.
  claim.reset();
  EXPECT_TRUE(write());
}

TEST_P(CheckpointFiles, NothingOfTheUsersIsTouched) {
  fs::create_directories(job_.directory);
  std::ofstream(job_.directory + "/thesis.txt") << "mine";
  const auto written = write();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind(), ErrorKind::kUsage);
  EXPECT_NE(written.error().message().find("is not empty and has no feedrate-checkpoints.json"),
            std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(job_.directory), {}), 1);
  const auto none = restore();
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message().find("holds no checkpoints of ours"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Layouts, CheckpointFiles, testing::ValuesIn(checkpoint_layout_names()),
                         layout_of);

TEST(CheckpointManifest, ComesBackAsItWas) {
  CheckpointManifest manifest;
  manifest.step = 12;
  manifest.model = "a \"b\"\n";
  manifest.layout = "raw";
  manifest.parallelism = {.tensor = 2, .pipeline = 3, .data = 4, .zero_stage = 1};
  manifest.content = {.seed = ~std::uint64_t{0}, .changed = 0.1, .block_bytes = 8192};
  const TensorPiece piece{"w", Dtype::kF32, {8, 4}, {2, 0}, {3, 4}};
  manifest.ranks = {{5, {{"x.bin", 4096, 100, 7, {{{piece, 10}, ~std::uint64_t{0}}}}}}};
  const std::string text = checkpoint_to_json(manifest);
  const auto back = checkpoint_from_json(text, "m");
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, manifest);
  for (std::size_t at = 0; at < text.size(); at += 7) {
    std::string damaged = text;
    damaged[at] ^= 1;
    EXPECT_FALSE(checkpoint_from_json(damaged, "m")) << at;
    EXPECT_FALSE(checkpoint_from_json(text.substr(0, at), "m")) << at;
  }
}

TEST(CheckpointManifest, CountsAreCounts) {
  CheckpointManifest manifest;
  manifest.step = 12;
  const std::string text = checkpoint_to_json(manifest);
  for (const char* wrong : {"-1", "1.5", "8888888888888888888888888888", "\"12\"", "null"}) {
    std::string body = text.substr(0, text.find('\n'));
    body.replace(body.find("\"step\":12") + 7, 2, wrong);
    const std::string sum = fmt::format("{:016x}", XXH3_64bits(body.data(), body.size()));
    const auto back = checkpoint_from_json(body + "\n" + sum + "\n", "m");
    ASSERT_FALSE(back) << wrong;
    EXPECT_NE(back.error().message().find("is no count"), std::string::npos) << wrong;
  }
}

TEST(CheckpointContent, AShareOfTheBlocksChanges) {
  const TensorPiece piece{"w", Dtype::kU8, {4096 * 5000}, {0}, {4096 * 5000}};
  const CheckpointContent content{.seed = 3, .changed = 0.1, .block_bytes = 4096};
  const PieceContent before = piece_content(content, piece, 8);
  const PieceContent after = piece_content(content, piece, 9);
  int changed = 0;
  std::vector<std::byte> one(4096), two(4096);
  for (std::uint64_t block = 0; block < 5000; ++block) {
    fill_piece(before, block * 4096, one);
    fill_piece(after, block * 4096, two);
    EXPECT_EQ(one == two, block_version(after, block) != 9);
    changed += one != two;
  }
  EXPECT_NEAR(changed, 500, 60);
}

}  // namespace
}  // namespace feedrate

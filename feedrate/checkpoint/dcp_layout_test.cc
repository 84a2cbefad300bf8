#include "feedrate/checkpoint/dcp_layout.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "feedrate/checkpoint/layout_testing.h"

namespace feedrate {
namespace {

using namespace std::string_literals;

// Returns two ranks: a matrix that is cut into rows, a norm that both have, and a vector of one of
// them.
std::vector<RankGroups> two_ranks() {
  std::vector<RankGroups> ranks;
  for (std::uint64_t rank = 0; rank < 2; ++rank)
    ranks.push_back({rank,
                     {{"model",
                       {{"w", Dtype::kBf16, {6, 5}, {3 * rank, 0}, {3, 5}},
                        {"norm", Dtype::kF32, {33}, {0}, {33}}}}}});
  ranks[1].groups.push_back({"optimizer", {{"flat", Dtype::kU8, {70}, {0}, {70}}}});
  return ranks;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

TEST(DcpLayout, OneFileARankWhosePartsAddUp) {
  const auto layout = make_dcp_layout();
  const auto ranks = layout->place(two_ranks());
  ASSERT_EQ(ranks.size(), 2U);
  ASSERT_EQ(ranks[1].files.size(), 1U);
  const FilePlan& file = ranks[1].files[0];
  EXPECT_EQ(file.path, "__1_0.distcp");
  ASSERT_EQ(file.pieces.size(), 3U);
  EXPECT_EQ(file.trailer_offset, file.bytes);
  for (const RankFiles& rank : ranks) expect_whole(*layout, rank.files[0]);
  // Data are aligned in their archive, not in the file.
  for (std::size_t index = 0; index < 3; ++index)
    EXPECT_EQ((file.pieces[index].offset - file.texts[index].offset) % 64, 0U);
}

TEST(DcpLayout, RenderedInAnyChunks) {
  const auto layout = make_dcp_layout();
  const FilePlan file = layout->place(two_ranks())[1].files[0];
  const std::string bytes = rendered(*layout, file, 1 << 20);
  ASSERT_EQ(bytes.size(), file.bytes);
  EXPECT_EQ(bytes, assembled(*layout, file, bytes));
  EXPECT_EQ(count(bytes, "PK\x05\x06"), 3U);
  for (const std::size_t chunk : {7U, 64U, 1000U}) EXPECT_EQ(rendered(*layout, file, chunk), bytes);
}

TEST(DcpLayout, NoGroupsNoFiles) {
  const auto ranks = make_dcp_layout()->place(std::array{RankGroups{3, {}}});
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_TRUE(ranks[0].files.empty());
}

TEST(DcpLayout, MetadataNamesEachRectangleOnce) {
  const auto layout = make_dcp_layout();
  const auto files = layout->common_files(layout->place(two_ranks()));
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].path, ".metadata");
  const std::string& bytes = files[0].bytes;
  for (const char* name : {"w", "norm", "flat", "__0_0.distcp", "__1_0.distcp"})
    EXPECT_EQ(count(bytes, "\0\0\0"s + name), 1U) << name;
  EXPECT_TRUE(
      bytes.starts_with("\x80\x02"
                        "ctorch.distributed.checkpoint.metadata\nMetadata\n"));
  // The second of the matrix's two chunks begins at row 3; the norm is that of the first rank
  // alone.
  EXPECT_EQ(count(bytes, "K\x03K\0\x86"s), 1U);
  EXPECT_EQ(count(bytes, "K\x01t"s), 1U);
}

// An archive beyond 4 GiB of the file counts from its own first byte.
TEST(DcpLayout, FarArchivesAreLikeTheFirst) {
  constexpr std::uint64_t kBytes = (std::uint64_t{1} << 32U) + 5;
  const auto layout = make_dcp_layout();
  const TensorPiece large{"t", Dtype::kU8, {kBytes}, {0}, {kBytes}};
  const TensorPiece small{"s", Dtype::kU8, {5}, {0}, {5}};
  const auto ranks = layout->place(std::array{RankGroups{0, {{"a", {small, large, small}}}}});
  const FilePlan& file = ranks[0].files[0];
  expect_whole(*layout, file);
  EXPECT_GT(file.texts[2].offset, kBytes);
  EXPECT_EQ(file.texts[2].bytes, file.texts[0].bytes);
  EXPECT_EQ(layout->after_piece(file, 2, 1), layout->after_piece(file, 0, 1));
}

}  // namespace
}  // namespace feedrate

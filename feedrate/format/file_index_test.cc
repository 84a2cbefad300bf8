#include "feedrate/format/file_index.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

using Extents = std::vector<Extent>;

Extents located(const FileIndex& index, std::uint64_t first, std::uint64_t count) {
  Extents reads;
  index.locate(first, count, reads);
  return reads;
}

TEST(FileIndex, SamplesSideBySideAreOneRead) {
  FileIndex index{100, {}, {{0, 10}, {10, 20}, {40, 5}}, {}, {}};
  EXPECT_EQ(index.sample_count(), 3U);
  EXPECT_EQ(located(index, 0, 2), (Extents{{0, 30}}));
  EXPECT_EQ(located(index, 1, 2), (Extents{{10, 20}, {40, 5}}));
  EXPECT_EQ(index.run_length(0, 9, 30), 2U);
  EXPECT_EQ(index.run_length(0, 9, 29), 1U);
  EXPECT_EQ(index.run_length(0, 9, 1), 1U);
  EXPECT_EQ(index.run_length(0, 1, 100), 1U);
  EXPECT_EQ(index.largest_sample_bytes(), 20U);
  EXPECT_EQ(index.first_ending_after(9), 0U);
  EXPECT_EQ(index.first_ending_after(10), 1U);
  EXPECT_EQ(index.first_ending_after(45), 3U);
}

TEST(FileIndex, EqualRecordsTakeNoMemory) {
  FileIndex index;
  index.records = {8, 160, 4'195'197'692};
  EXPECT_EQ(index.sample_count(), 4'195'197'692U);
  EXPECT_EQ(located(index, 4'195'197'690, 2), (Extents{{8 + 160 * 4'195'197'690ULL, 320}}));
  EXPECT_EQ(index.run_length(4'195'197'690, 100, 1 << 20), 2U);
  EXPECT_EQ(index.run_length(0, 100'000, 1600), 10U);
  EXPECT_EQ(index.run_length(0, 100'000, 1), 1U);
  EXPECT_EQ(index.largest_sample_bytes(), 160U);
  EXPECT_EQ(index.first_ending_after(8 + 160), 1U);
  EXPECT_EQ(index.first_ending_after(0), 0U);
}

TEST(FileIndex, ABlockIsReadAsAWhole) {
  FileIndex index;  // ten samples, four a block, two columns each
  index.blocks = {10, 4, {}, {}};
  index.blocks.add({{4, 40}, {100, 8}});
  index.blocks.add({{200, 40}, {300, 8}});
  index.blocks.add({{400, 20}, {420, 4}});
  EXPECT_FALSE(index.contiguous());
  EXPECT_EQ(index.sample_count(), 10U);
  EXPECT_EQ(located(index, 5, 1), (Extents{{200, 40}, {300, 8}}));
  EXPECT_EQ(located(index, 3, 2), (Extents{{4, 40}, {100, 8}, {200, 40}, {300, 8}}));
  EXPECT_EQ(located(index, 9, 1), (Extents{{400, 24}}));
  EXPECT_EQ(index.run_length(0, 100, 1), 4U);
  EXPECT_EQ(index.run_length(0, 100, 96), 8U);
  EXPECT_EQ(index.run_length(6, 100, 72), 4U);
  EXPECT_EQ(index.run_length(0, 6, 1000), 6U);
  EXPECT_EQ(index.run_length(0, 2, 1000), 2U);
  EXPECT_EQ(index.largest_sample_bytes(), 48U);
}

}  // namespace
}  // namespace feedrate

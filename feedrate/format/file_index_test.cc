#include "feedrate/format/file_index.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

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

TEST(FileIndex, IsSoundOnlyWhereAllOfItLiesInTheFile) {
  const auto sound = [](const FileIndex& index) { return index.is_sound(100); };
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  FileIndex none;
  none.file_bytes = 100;
  EXPECT_FALSE(sound(none));  // It has no sample.
  FileIndex one = none;
  one.samples = {{0, 40}, {40, 60}};
  EXPECT_TRUE(sound(one));
  EXPECT_FALSE(one.is_sound(99));
  for (const std::vector<Extent>& wrong : {std::vector<Extent>{{0, 0}},
                                           {{0, 101}},
                                           {{101, 1}},
                                           {{kHuge, 2}},
                                           {{2, kHuge}},
                                           {{40, 10}, {0, 10}},
                                           {{0, 10}, {5, 10}}}) {
    FileIndex index = none;
    index.samples = wrong;
    EXPECT_FALSE(sound(index)) << wrong[0].offset << " " << wrong[0].length;
  }
  FileIndex records = none;
  records.records = {4, 32, 3};
  EXPECT_TRUE(sound(records));
  for (const EqualRecords& wrong :
       {EqualRecords{5, 32, 3}, EqualRecords{0, 0, 3}, EqualRecords{0, 2, kHuge},
        EqualRecords{kHuge, 1, 1}, EqualRecords{0, kHuge, 2}}) {
    records.records = wrong;
    EXPECT_FALSE(sound(records)) << wrong.offset << " " << wrong.bytes << " " << wrong.count;
  }
  records.records = {4, 32, 3};
  records.samples = one.samples;
  EXPECT_FALSE(sound(records));  // Two forms at once.
  FileIndex blocks = none;
  blocks.blocks = {3, 2, {}, {}};
  blocks.blocks.add({{0, 10}, {20, 10}});
  blocks.blocks.add({{40, 10}});
  EXPECT_TRUE(sound(blocks));
  blocks.open_reads = {{90, 10}};
  EXPECT_TRUE(sound(blocks));
  const std::vector<std::function<void(FileIndex&)>> damages = {
      [](FileIndex& index) { index.blocks.samples_per_block = 0; },
      [](FileIndex& index) { index.blocks.samples = kHuge; },
      [](FileIndex& index) { index.blocks.samples = 2; },
      [](FileIndex& index) { index.blocks.begins[1] = kHuge; },
      [](FileIndex& index) { index.blocks.begins[1] = 3; },  // The second block has no reads.
      [](FileIndex& index) { index.blocks.begins[0] = 1; },
      [](FileIndex& index) { index.blocks.begins.back() = 2; },
      [](FileIndex& index) { index.blocks.begins.clear(); },
      [](FileIndex& index) { index.blocks.reads[2] = {kHuge, 1}; },
      [](FileIndex& index) { index.blocks.reads[2].length = 0; },
      [](FileIndex& index) { index.blocks.samples = 0; },
      [](FileIndex& index) { index.open_reads[0].length = 11; }};
  for (std::size_t i = 0; i < damages.size(); ++i) {
    FileIndex index = blocks;
    damages[i](index);
    EXPECT_FALSE(sound(index)) << i;
  }
}

}  // namespace
}  // namespace feedrate

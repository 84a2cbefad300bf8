#include "feedrate/checkpoint/torch_layout.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "feedrate/checkpoint/layout_testing.h"
#include "feedrate/checkpoint/torch_zip.h"

namespace feedrate {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

ShardGroup mixed_group() {
  return {"layer_012-model_03",
          {{"w", Dtype::kBf16, {6, 5}, {3, 0}, {3, 5}},
           {"norm", Dtype::kF32, {33}, {0}, {33}},
           {"own", Dtype::kU8, {2, 7}, {1, 0}, {1, 7}}}};
}

FilePlan place_one(const ShardGroup& group) {
  const auto ranks = make_torch_layout()->place(std::array{RankGroups{7, {group}}});
  return ranks.at(0).files.at(0);
}

TEST(TorchLayout, PartsOfTheFileAddUp) {
  const auto layout = make_torch_layout();
  const FilePlan file = place_one(mixed_group());
  EXPECT_EQ(file.path, "rank-00007/layer_012-model_03.pt");
  EXPECT_EQ(file.begin, 0U);
  expect_whole(*layout, file);
  for (const PlacedPiece& placed : file.pieces) EXPECT_EQ(placed.offset % 64, 0U);
  EXPECT_TRUE(layout->wants_crc32());
  EXPECT_TRUE(layout->common_files({}).empty());
}

TEST(TorchLayout, RenderedInAnyChunks) {
  const auto layout = make_torch_layout();
  const FilePlan file = place_one(mixed_group());
  const std::string bytes = rendered(*layout, file, 1 << 20);
  ASSERT_EQ(bytes.size(), file.bytes);
  EXPECT_EQ(bytes, assembled(*layout, file, bytes));
  for (const std::size_t chunk : {7U, 64U, 1000U}) EXPECT_EQ(rendered(*layout, file, chunk), bytes);
}

TEST(TorchLayout, NoGroupsNoFiles) {
  const auto ranks = make_torch_layout()->place(std::array{RankGroups{3, {}}});
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_EQ(ranks[0].rank, 3U);
  EXPECT_TRUE(ranks[0].files.empty());
}

TEST(TorchLayout, CrcsStandBehindThePieceAndInTheDirectory) {
  const auto layout = make_torch_layout();
  const FilePlan file = place_one(mixed_group());
  EXPECT_EQ(layout->after_piece(file, 2, 0x44332211),
            "PK\x07\x08\x11\x22\x33\x44\x07\0\0\0\x07\0\0\0"s);
  const std::string trailer =
      layout->trailer(file, std::array{0x01010101U, 0x02020202U, 0x44332211U});
  EXPECT_NE(trailer.find("\x11\x22\x33\x44\x07\0\0\0\x07\0\0\0\x0e\0"s), std::string::npos);
}

TEST(TorchLayout, DataPickleNamesEachTensor) {
  const FilePlan file = place_one(mixed_group());
  const std::string& head = file.texts.at(0).bytes;
  EXPECT_TRUE(head.starts_with("PK\x03\x04\0\0\x08\x08"s));
  EXPECT_EQ(head.substr(64, 6), "\x80\x02}(X\x01"s);
  // The tensor has three rows of five, one after another; the second tensor is storage "1".
  EXPECT_NE(head.find("K\0K\x03K\x05\x86K\x05K\x01\x86\x89"s), std::string::npos);
  EXPECT_NE(head.find("ctorch\nFloatStorage\n"), std::string::npos);
  EXPECT_NE(head.find("byteorder"), std::string::npos);
}

// Tests offsets at and beyond 4 GiB. The figures are those of what miniz in torch 1.13 wrote.
TEST(TorchZip, FarHeadersAndLargeRecordsHaveZip64Fields) {
  const TorchZip zip("\x80\x02}.", std::array{4 * kGiB + 4101, std::uint64_t{10}});
  const TorchZip::Storage &large = zip.storages()[0], &far = zip.storages()[1];
  EXPECT_EQ(large.header.substr(44, 22), "\x01\0\x10\0\x05\x10\0\0\x01\0\0\0\0\0\0\0\0\0\0\0FB"s);
  EXPECT_EQ(large.data_offset() % 64, 0U);
  EXPECT_EQ(far.header_offset, large.data_offset() + large.bytes + 24);
  EXPECT_EQ(far.header.substr(44, 4), "\x01\0\x08\0"s);
  EXPECT_EQ(far.header.substr(56, 2), "FB");
  EXPECT_EQ(far.data_offset() % 64, 0U);
  EXPECT_EQ(zip.trailer_offset(), far.data_offset() + 10 + 24);
  const std::string trailer = zip.trailer(std::array{0U, 0U});
  EXPECT_NE(trailer.find("\xff\xff\xff\xff\xff\xff\xff\xff\x0e\0\x14\0"s), std::string::npos);
  EXPECT_TRUE(trailer.ends_with("\xff\xff\xff\xff\0\0"s));
}

TEST(TorchZip, Zip64BeginsAtAllOnes) {
  const auto descriptor_bytes = [](std::uint64_t header, std::uint64_t bytes) {
    return TorchZip::descriptor(header, bytes, 0).size();
  };
  EXPECT_EQ(descriptor_bytes(0, 0), 0U);
  EXPECT_EQ(descriptor_bytes(0, 0xfffffffe), 16U);
  EXPECT_EQ(descriptor_bytes(0, 0xffffffff), 24U);
  EXPECT_EQ(descriptor_bytes(0xfffffffe, 1), 16U);
  EXPECT_EQ(descriptor_bytes(0xffffffff, 1), 24U);
  const auto header_bytes = [](std::uint64_t bytes) {
    return TorchZip("", std::array{bytes}).storages()[0].header.substr(44, 2);
  };
  EXPECT_EQ(header_bytes(0xfffffffe), "FB");
  EXPECT_EQ(header_bytes(0xffffffff), "\x01\0"s);
}

TEST(TorchZip, MoreEntriesThan16BitsCount) {
  const std::vector<std::uint64_t> bytes(70'000, 1);
  const TorchZip zip("", bytes);
  const std::string trailer = zip.trailer(std::vector<std::uint32_t>(bytes.size()));
  const std::string end = trailer.substr(trailer.size() - 98);
  EXPECT_TRUE(end.starts_with("PK\x06\x06"));
  // The count includes data.pkl, byteorder and version.
  EXPECT_EQ(end.substr(24, 8), "\x73\x11\x01\0\0\0\0\0"s);
  EXPECT_EQ(end.substr(84, 4), "\xff\xff\xff\xff");
  for (const TorchZip::Storage& storage : zip.storages())
    ASSERT_EQ(storage.data_offset() % 64, 0U) << storage.header_offset;
}

TEST(TorchLayout, ManyPieces) {
  ShardGroup group{"many", {}};
  for (int i = 0; i < 3000; ++i)
    group.pieces.push_back({"t" + std::to_string(i), Dtype::kU8, {3}, {0}, {3}});
  expect_whole(*make_torch_layout(), place_one(group));
}

}  // namespace
}  // namespace feedrate

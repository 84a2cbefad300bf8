#include "feedrate/format/parquet/parquet.h"

#include "feedrate/format/format_testing.h"
#include "feedrate/format/parquet/footer.h"
#include "feedrate/format/parquet/thrift.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

using namespace parquet;

std::shared_ptr<const Format> with(const FormatOptions& options) {
  return *make_format("parquet", options);
}

Bytes our_file(const FormatOptions& options, std::uint64_t rows, std::uint64_t row_bytes) {
  return render_all(*with(options), {{1, 2, rows * row_bytes, 3, 0, rows}}, 4096);
}

Result<FileIndex> index_of(const Bytes& bytes, const FormatOptions& options = {}) {
  MemoryFile memory(bytes);
  return with(options)->index(memory);
}

std::string error_of(const Bytes& bytes) {
  const auto index = index_of(bytes);
  return index ? "fine"
               : std::string(to_string(index.error().kind())) + ": " + index.error().message();
}

// PAR1, `body` bytes, a footer, its length, PAR1.
Bytes file_with(const Bytes& footer, std::size_t body = 100) {
  Bytes file;
  append_text(file, "PAR1");
  file.resize(file.size() + body);
  file.insert(file.end(), footer.begin(), footer.end());
  append_little(file, static_cast<std::uint32_t>(footer.size()));
  append_text(file, "PAR1");
  return file;
}

struct Group {
  std::int64_t rows, values, offset, length;
  const char* elsewhere = nullptr;
};

Bytes footer_of(std::int64_t rows, const std::vector<Group>& groups, int columns = 1) {
  ThriftWriter writer;
  writer.begin_struct();
  writer.i32(1, 1);
  writer.begin_list(2, ThriftType::kStruct, 1 + static_cast<unsigned>(columns));
  for (int i = 0; i <= columns; ++i) {
    writer.begin_struct();
    writer.text(4, "name");
    if (i == 0) writer.i32(5, columns);
    writer.end_struct();
  }
  writer.i64(3, rows);
  writer.begin_list(4, ThriftType::kStruct, groups.size());
  for (const Group& group : groups) {
    writer.begin_struct();
    writer.begin_list(1, ThriftType::kStruct, 1);
    writer.begin_struct();
    if (group.elsewhere != nullptr) writer.text(1, group.elsewhere);
    writer.begin_struct(3);
    writer.i64(5, group.values);
    writer.i64(7, group.length);
    writer.i64(9, group.offset);
    writer.end_struct();
    writer.end_struct();
    writer.i64(3, group.rows);
    writer.end_struct();
  }
  writer.end_struct();
  return writer.take();
}

TEST(Parquet, RowGroupsOfForeignWriters) {
  struct Foreign {
    const char* name;
    std::uint64_t rows, group_rows, columns;
  };
  for (const auto& [name, rows, group_rows, columns] :
       {Foreign{"hyparquet", 100, 40, 4}, Foreign{"arrow_rs", 100, 30, 2},
        Foreign{"duckdb", 5000, 2048, 2}}) {
    const Bytes file = read_test_file(std::string("parquet/testdata/") + name + ".parquet");
    const auto index = index_of(file);
    ASSERT_TRUE(index) << name << ": " << index.error().message();
    EXPECT_EQ(index->sample_count(), rows) << name;
    EXPECT_EQ(index->blocks.samples_per_block, group_rows) << name;
    const std::uint64_t groups = (rows + group_rows - 1) / group_rows;
    ASSERT_EQ(index->blocks.reads.size(), groups * columns) << name;
    // Pages lie end to end; the header of each begins with its type, an i32.
    std::uint64_t at = 4;
    for (const Extent& read : index->blocks.reads) {
      EXPECT_EQ(read.offset, at) << name;
      EXPECT_EQ(file[read.offset], std::byte{0x15}) << name;
      at = read.end();
    }
    ASSERT_EQ(index->open_reads.size(), 1U);
    EXPECT_EQ(index->open_reads[0].end(), file.size());
  }
}

// A row group of a prime number of rows would be as many blocks, each of which reads all of it.
TEST(Parquet, RowGroupsOfTooManyDifferentSizesAreRefused) {
  const auto index = index_of(file_with(
      footer_of(10'000'002,
                {{5'000'001, 5'000'001, 4, 10}, {5'000'000, 5'000'000, 14, 10}, {1, 1, 24, 10}})));
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().render(),
            "error: the row groups of the Parquet file have too many different numbers of rows\n"
            "hint:  write it with one number of rows a row group\n");
}

TEST(Parquet, ColumnsThatAreReadAreSpreadEvenly) {
  const Bytes file = our_file({{"columns", "10"}, {"row_group_rows", "8"}}, 16, 47);
  const auto all = index_of(file), some = index_of(file, {{"columns_read", "3"}});
  ASSERT_EQ(all->blocks.reads.size(), 20U);
  ASSERT_EQ(some->blocks.reads.size(), 6U);
  for (const std::size_t group : {0U, 1U})
    for (const std::size_t i : {0U, 1U, 2U})
      EXPECT_EQ(some->blocks.reads[3 * group + i], all->blocks.reads[10 * group + i * 10 / 3]);
}

// In MLPerf Storage's DLRM, 160 of 761 B of a row are read, in 40 of 200 columns.
TEST(Parquet, ColumnsThatAreReadAreTheWiderOnes) {
  const auto format =
      with({{"columns", "200"}, {"columns_read", "40"}, {"row_group_rows", "6144"}});
  const FileIndex index = format->layout(SampleSizes(2 * 6144, 761));
  ASSERT_EQ(index.blocks.reads.size(), 2U * 40);
  for (const Extent& read : index.blocks.reads) {
    EXPECT_GE(read.length, 6144U * 4);
    EXPECT_LT(read.length, 6144U * 4 + 40);
  }
}

TEST(Parquet, ARowGroupHas128MiBWhenNothingIsSaid) {
  const FileIndex index = with({{"columns", "5"}})->layout(SampleSizes(288, 2164832));
  EXPECT_EQ(index.blocks.samples_per_block, 61U);  // Flux
  EXPECT_EQ(index.blocks.begins.size(), 5U + 1);
}

TEST(Parquet, TheFooterIsReadAgainWhenTheGuessWasTooSmall) {
  const auto format = with({{"columns", "40"}, {"row_group_rows", "1"}});
  const FileIndex small = format->layout(SampleSizes(10, 400));
  ASSERT_EQ(small.open_reads.size(), 1U);
  const FileIndex large = format->layout(SampleSizes(100, 400));
  ASSERT_EQ(large.open_reads.size(), 2U);
  EXPECT_EQ(large.open_reads[0], (Extent{large.file_bytes - 65536, 65536}));
  EXPECT_EQ(large.open_reads[1].end() + 8, large.file_bytes);
}

TEST(Parquet, PagesHaveAMebibyte) {
  const std::uint64_t rows = 3, row_bytes = 3'000'000;
  const Bytes file = our_file({}, rows, row_bytes);
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_GT(all_sample_bytes(*index), rows * row_bytes + 3 * 15);
  EXPECT_LT(all_sample_bytes(*index), rows * row_bytes + 3 * 50);
}

TEST(Parquet, RowGroupsOfDifferentSizes) {
  const auto index =
      index_of(file_with(footer_of(28, {{10, 10, 4, 20}, {15, 15, 24, 30}, {3, 3, 54, 5}})));
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ(index->sample_count(), 28U);
  EXPECT_EQ(index->blocks.samples_per_block, 5U);
  std::vector<Extent> reads;
  index->locate(7, 1, reads);
  index->locate(24, 1, reads);
  index->locate(27, 1, reads);
  EXPECT_EQ(reads, (std::vector<Extent>{{4, 20}, {24, 30}, {54, 5}}));
}

TEST(Parquet, StructureThatIsWrongIsNamed) {
  EXPECT_EQ(error_of({}), "corrupt: at offset 0: too short for a Parquet file");
  EXPECT_EQ(error_of(Bytes(100)), "corrupt: at offset 0: it does not begin with PAR1");
  Bytes file = our_file({}, 2, 100);
  file.resize(200);
  EXPECT_EQ(error_of(file),
            "corrupt: at offset 196: it does not end with PAR1: no Parquet file, or cut off");
  file = our_file({}, 2, 100);
  std::memset(file.data() + file.size() - 8, 0xFF, 4);
  EXPECT_EQ(error_of(file), "corrupt: at offset " + std::to_string(file.size() - 8) +
                                ": footer of 4294967295 B in a file of " +
                                std::to_string(file.size()) + " B");
  const auto footer_error = [](std::int64_t rows, const Group& group, int columns = 1) {
    const std::string message = error_of(file_with(footer_of(rows, {group}, columns)));
    const std::size_t detail = message.find(": ", 9);
    return detail == std::string::npos ? message : message.substr(detail + 2);
  };
  EXPECT_EQ(footer_error(2, {2, 2, 4, 10}), "fine");
  EXPECT_EQ(footer_error(3, {2, 2, 4, 10}), "the footer says 3 rows, its row groups 2");
  EXPECT_EQ(footer_error(2, {2, 3, 4, 10}), "3 values in a column of 2 rows");
  EXPECT_EQ(footer_error(2, {2, 2, 4, 101}),
            "column chunk of 101 B at 4 does not lie before the footer");
  EXPECT_EQ(footer_error(2, {2, 2, -4, 10}),
            "column chunk of 10 B at -4 does not lie before the footer");
  EXPECT_EQ(footer_error(2, {2, 2, 4, INT64_MAX}),
            "column chunk of 9223372036854775807 B at 4 does not lie before the footer");
  EXPECT_EQ(footer_error(2, {2, 2, 4, 10}, 3), "row group of 1 columns, the schema has 3");
  EXPECT_EQ(error_of(file_with(footer_of(2, {{2, 2, 4, 10, "other.parquet"}}))),
            "unsupported: Parquet column chunk in another file, 'other.parquet'");
}

TEST(Parquet, ThriftThatIsWithoutEndIsAnError) {
  const std::string refused = "footer is not a FileMetaData of Thrift";
  Bytes nested(100'000, std::byte{0x1C});  // a struct in a struct in a struct ...
  EXPECT_NE(error_of(file_with(nested)).find(refused), std::string::npos);
  Bytes lists(100'000, std::byte{0x19});  // a list of lists of lists ...
  EXPECT_NE(error_of(file_with(lists)).find(refused), std::string::npos);
  // A list, and a map of truth values, that say that they have 2^62 elements.
  for (const unsigned type : {0x59U, 0x5BU}) {
    Bytes huge{std::byte(type)};
    if (type == 0x59U) huge.push_back(std::byte{0xF1});
    for (int i = 0; i < 8; ++i) huge.push_back(std::byte{0xFF});
    for (int i = 0; i < 30; ++i) huge.push_back(std::byte{0x11});
    EXPECT_NE(error_of(file_with(huge)).find(refused), std::string::npos);
  }
}

TEST(Parquet, OptionsAreChecked) {
  EXPECT_EQ(make_format("parquet", {{"rows", "1"}}).error().message(),
            "format 'parquet' has no option 'rows'");
  EXPECT_FALSE(make_format("parquet", {{"columns", "0"}}));
  EXPECT_FALSE(make_format("parquet", {{"row_group_rows", "x"}}));
}

}  // namespace
}  // namespace feedrate::testing

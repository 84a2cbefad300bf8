#include "feedrate/format/raw/raw.h"

#include "feedrate/format/format_testing.h"

namespace feedrate::testing {
namespace {

TEST(Raw, NeedsTheSizeOfARecord) {
  const Bytes bytes(320);
  MemoryFile memory(bytes);
  const auto unknown = raw_format().index(memory);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().render(),
            "error: raw records say nothing about their size\n"
            "hint:  add --set dataset.format=raw --set dataset.format_options.record_bytes=160\n");
  const auto format = make_format("raw", {{"record_bytes", "160"}});
  const auto index = (*format)->index(memory);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->records, (EqualRecords{0, 160, 2}));
}

TEST(Raw, APartOfARecordAtTheEndIsCorrupt) {
  const Bytes bytes(330);
  MemoryFile memory(bytes);
  const auto index = (*make_format("raw", {{"record_bytes", "160"}}))->index(memory);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().message(), "at offset 320: the file ends within a record of 160 B");
}

TEST(Raw, OptionsAreChecked) {
  const auto message = [](const FormatOptions& options) {
    const auto format = make_format("raw", options);
    return format ? "fine" : format.error().message();
  };
  EXPECT_EQ(message({{"record_bytes", "0"}}),
            "record_bytes: value is too small (0), at least 1 is needed");
  EXPECT_EQ(message({{"records", "2"}}), "format 'raw' has no option 'records'");
  const auto none = make_format("file", {{"x", "1"}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message(), "format 'file' has no option 'x'");
}

}  // namespace
}  // namespace feedrate::testing

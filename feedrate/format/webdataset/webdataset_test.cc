#include "feedrate/format/webdataset/webdataset.h"

#include "feedrate/format/format_testing.h"

namespace feedrate::testing {
namespace {

std::string error_of(const Bytes& bytes) {
  MemoryFile memory(bytes);
  const auto index = webdataset_format().index(memory);
  return index ? "fine" : index.error().message();
}

Bytes our_shard() {
  return render_all(webdataset_format(), {{1, 2, 700, 5, 0}, {1, 3, 10, 6, 0}}, 999);
}

TEST(Webdataset, MembersOfOneKeyAreASampleInForeignShards) {
  for (const char* name : {"webdataset/testdata/gnu.tar", "webdataset/testdata/pax.tar"}) {
    const Bytes bytes = read_test_file(name);
    MemoryFile memory(bytes);
    const auto index = webdataset_format().index(memory);
    ASSERT_TRUE(index) << index.error().message();
    ASSERT_EQ(index->sample_count(), 3U) << name;
    for (std::uint64_t i = 0; i < 3; ++i) {
      const Extent sample = index->sample(i);
      const std::string text(reinterpret_cast<const char*>(bytes.data()) + sample.offset,
                             sample.length);
      const std::string key = "/000" + std::to_string(i + 1);
      EXPECT_NE(text.find("image of"), std::string::npos);
      for (const char* part : {".jpg", ".cls", ".meta.json"})
        EXPECT_NE(text.find(key + part), std::string::npos) << name << " " << i << part;
      EXPECT_EQ(sample.length % 512, 0U);
    }
    EXPECT_TRUE(webdataset_format().recognises("x", std::span(bytes).first(512)));
  }
}

TEST(Webdataset, StructureThatIsWrongIsNamed) {
  EXPECT_EQ(error_of({}), "at offset 0: empty file");
  Bytes bytes = our_shard();
  bytes[0] = std::byte{'x'};
  EXPECT_EQ(error_of(bytes), "at offset 0: header of a member does not match its checksum");
  bytes = our_shard();
  bytes.resize(512 + 1024 + 100);
  EXPECT_EQ(error_of(bytes), "at offset 1536: file ends within the header of a member");
  bytes = our_shard();
  bytes.resize(512 + 300);
  EXPECT_EQ(error_of(bytes), "at offset 0: member of 700 B does not end within the file of 812 B");
}

// Sets the size field of the first header, and makes its checksum right again.
Bytes with_size_field(std::string_view field, char type = '0') {
  Bytes bytes = our_shard();
  bytes[156] = static_cast<std::byte>(type);
  std::memcpy(bytes.data() + 124, field.data(), field.size());
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += i >= 148 && i < 156 ? 32U : std::to_integer<unsigned>(bytes[i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  std::memcpy(bytes.data() + 148, text, 7);
  return bytes;
}

TEST(Webdataset, GiganticLengthsAreErrorsAndCostNothing) {
  EXPECT_EQ(error_of(with_size_field("77777777777")),
            "at offset 0: member of 8589934591 B does not end within the file of 5632 B");
  EXPECT_EQ(error_of(with_size_field(std::string_view("\x80\x00\x00\x7F\xFF\xFF\xFF\xFF\xFF\xFF"
                                                      "\xFF\xFF",
                                                      12))),
            "at offset 124: length of a member is absurd");
  EXPECT_EQ(error_of(with_size_field("0000000x274")),
            "at offset 124: number of a tar header is not octal");
  Bytes long_name = with_size_field("00000200001", 'L');
  long_name.resize(100'000);
  EXPECT_EQ(error_of(long_name), "at offset 512: name of 65537 B; at most 65536 are read");
}

TEST(Webdataset, NamesAreOnlyCompared) {
  for (const char* name : {"/etc/passwd", "../../x.jpg", "a/../../b"}) {
    Bytes bytes = our_shard();
    std::memset(bytes.data(), 0, 100);
    std::memcpy(bytes.data(), name, std::strlen(name));
    std::memcpy(bytes.data() + 124, "00000001274", 11);
    bytes = [&] {
      unsigned sum = 0;
      for (std::size_t i = 0; i < 512; ++i)
        sum += i >= 148 && i < 156 ? 32U : std::to_integer<unsigned>(bytes[i]);
      char text[8];
      std::snprintf(text, sizeof text, "%06o", sum);
      std::memcpy(bytes.data() + 148, text, 7);
      return bytes;
    }();
    MemoryFile memory(bytes);
    const auto index = webdataset_format().index(memory);
    ASSERT_TRUE(index) << index.error().message();
    EXPECT_EQ(index->sample_count(), 3U);  // it no longer has the key of its label
  }
}

}  // namespace
}  // namespace feedrate::testing

#include "feedrate/format/npz/npz.h"

#include "feedrate/format/format_testing.h"
#include "feedrate/format/npz/archive.h"
#include "feedrate/format/npz/zip.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

Result<FileIndex> index_of(std::span<const std::byte> bytes) {
  MemoryFile memory(bytes);
  return npz_format().index(memory);
}

// A file of ours without its content, which may be larger than memory.
class HollowFile : public RandomAccess {
 public:
  explicit HollowFile(std::uint64_t content_bytes) : archive_(content_bytes, 7, 0) {}
  std::uint64_t size() const override { return archive_.file_bytes(); }
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{0});
    copy(offset, out, 0, archive_.head);
    copy(offset, out, archive_.tail_offset(), archive_.tail);
    return {};
  }

 private:
  static void copy(std::uint64_t offset, std::span<std::byte> out, std::uint64_t at,
                   const Bytes& literal) {
    for (std::size_t i = 0; i < literal.size(); ++i)
      if (at + i >= offset && at + i - offset < out.size()) out[at + i - offset] = literal[i];
  }
  const npz::Archive archive_;
};

TEST(Npz, IsByteForByteWhatNumpyWrites) {
  const Bytes foreign = read_test_file("npz/testdata/zeros_1000_label_7.npz");
  EXPECT_EQ(render_all(npz_format(), {{1, 2, 1000, 7, 1.0}}, 100), foreign);
}

TEST(Npz, ChecksumIsThatOfZip) {
  const std::string_view digits = "123456789";
  const auto bytes = std::as_bytes(std::span(digits));
  EXPECT_EQ(npz::crc32(0, bytes), 0xCBF43926U);
  EXPECT_EQ(npz::crc32(npz::crc32(0, bytes.first(4)), bytes.subspan(4)), 0xCBF43926U);
}

TEST(Npz, OpenReadsAreThoseOfNumpy) {
  const FileIndex index = npz_format().layout(SampleSizes(1, 3000000));
  ASSERT_EQ(index.file_bytes, 3000498U);  // strace: see npz.h
  EXPECT_EQ(index.open_reads,
            (std::vector<Extent>{{0, 4096}, {3000476, 22}, {3000456, 42}, {3000374, 124}}));
  EXPECT_EQ(index.samples, (std::vector<Extent>{{0, 3000183}}));
}

TEST(Npz, LayoutAndIndexAgreeWhereZip64Begins) {
  constexpr std::uint64_t kLimit = (1ULL << 31U) - 1;
  for (const std::uint64_t around :
       {kLimit - 128, kLimit - 183, kLimit - 374, std::uint64_t{1} << 32U})
    for (const std::uint64_t payload : {around - 1, around, around + 1}) {
      HollowFile file(payload);
      const auto found = npz_format().index(file);
      ASSERT_TRUE(found) << payload << ": " << found.error().message();
      const FileIndex planned = npz_format().layout(SampleSizes(1, payload));
      EXPECT_EQ(found->samples, planned.samples) << payload;
      EXPECT_EQ(found->open_reads, planned.open_reads) << payload;
      EXPECT_EQ(found->file_bytes, planned.file_bytes) << payload;
    }
}

TEST(Npz, ReadsAndChecksDeflatedMembers) {
  Bytes foreign = read_test_file("npz/testdata/deflated.npz");
  const auto index = index_of(foreign);
  ASSERT_TRUE(index) << index.error().message();
  const Extent sample = index->samples.front();
  EXPECT_EQ(sample.offset, 0U);
  EXPECT_LT(sample.length, 1500U);
  for (const std::size_t chunk_bytes : {1U, 29U, 100U, 100000U})
    EXPECT_EQ(outcome(verify(npz_format(), *index, {}, foreign, chunk_bytes)), "fine");
  std::size_t missed = 0;
  for (std::uint64_t at = 55; at < sample.end(); ++at) {
    foreign[at] ^= std::byte{2};
    if (verify(npz_format(), *index, {}, foreign, 100)) ++missed;
    foreign[at] ^= std::byte{2};
  }
  EXPECT_LE(missed, 1U);  // padding bits after the last deflate block
}

TEST(Npz, DecodesStoredAndDeflatedArrays) {
  const auto decoder = npz_format().decoder();
  const Bytes ours = render_all(npz_format(), {{1, 2, 1000, 7, 0}}, 4096);
  Bytes deflated = read_test_file("npz/testdata/deflated.npz");
  for (Bytes file : {ours, deflated}) {
    const auto index = index_of(file);
    ASSERT_TRUE(index) << index.error().message();
    const Extent sample = index->samples.front();
    const auto stored = std::span(file).subspan(sample.offset, sample.length);
    const auto bytes = decoder->decode(stored);
    ASSERT_TRUE(bytes) << bytes.error().message();
    EXPECT_GE(*bytes, 1000U + 128U);  // the header of the .npy goes with it
    EXPECT_FALSE(decoder->decode(stored.first(20)));
    EXPECT_FALSE(decoder->decode(stored.first(stored.size() - 9)));
    std::size_t missed = 0;
    for (std::size_t at = 55; at < stored.size(); ++at) {
      stored[at] ^= std::byte{2};
      if (decoder->decode(stored)) ++missed;
      stored[at] ^= std::byte{2};
    }
    EXPECT_LE(missed, 1U);  // padding bits after the last deflate block
  }
}

TEST(Npz, WithoutXTheLargestMemberCounts) {
  const Bytes foreign = read_test_file("npz/testdata/no_x.npz");
  const auto index = index_of(foreign);
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_GT(index->samples.front().offset, 0U);
  EXPECT_GT(index->samples.front().length, 3128U);
  EXPECT_EQ(outcome(verify(npz_format(), *index, {}, foreign, 100)), "fine");
}

TEST(Npz, ErrorsNameTheRecord) {
  const Bytes whole = render_all(npz_format(), {{1, 2, 1000, 7, 0}}, 4096);
  const std::uint64_t directory = whole.size() - 22 - 102;
  const auto message = [&](std::uint64_t at, std::uint32_t value) {
    Bytes damaged = whole;
    store_little(damaged.data() + at, value);
    const auto index = index_of(damaged);
    return index ? std::string("fine") : index.error().message();
  };
  const std::string end = std::to_string(whole.size() - 22);
  EXPECT_EQ(message(whole.size() - 10, 0xFFFFFFFF),
            "at offset " + end + ": central directory of 4294967295 B at " +
                std::to_string(directory) + " does not end at the end record");
  EXPECT_EQ(message(directory, 0), "at offset " + std::to_string(directory) +
                                       ": no central directory entry where one must be");
  EXPECT_EQ(message(directory + 42, 0x7FFFFFFF),
            "at offset 2147483647: local header of the array is not within the archive");
  EXPECT_EQ(message(directory + 28, 0xFFFFFFFF),
            "at offset " + std::to_string(directory) +
                ": central directory entry does not end within the directory");
  EXPECT_EQ(message(directory + 24, 5000), "at offset 0: the stored array has two different sizes");
  EXPECT_EQ(message(26, 0x0014FFFF),
            "at offset 0: array of 1128 B does not end in front of the "
            "central directory");
  EXPECT_EQ(message(whole.size() - 22, 0),
            "at offset 0: no end-of-central-directory record: not a zip archive, or one that was "
            "cut off");
}

TEST(Npz, AStoredMemberMustHoldTheArrayOfItsHeader) {
  Bytes bytes = render_all(npz_format(), {{1, 2, 1000, 7, 0}}, 4096);
  const auto at = std::ranges::search(bytes, std::as_bytes(std::span("1000,", 5))).begin();
  std::fill_n(at, 4, std::byte{'9'});
  EXPECT_EQ(index_of(bytes).error().message(),
            "at offset 183: array of 9999 B goes beyond the end of the array's bytes at 1183");
  bytes[55] = std::byte{0};
  EXPECT_EQ(index_of(bytes).error().message(), "at offset 55: not an NPY array: no '\\x93NUMPY'");
}

TEST(Npz, AZipCommentIsNoObstacle) {
  Bytes bytes = render_all(npz_format(), {{1, 2, 1000, 7, 0}}, 4096);
  store_little<std::uint16_t>(bytes.data() + bytes.size() - 2, 5);
  append_text(bytes, "hello");
  const auto index = index_of(bytes);
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ(index->samples.front(), (Extent{0, 1183}));
}

TEST(Npz, OtherCompressionMethodsAreUnsupported) {
  Bytes bytes = render_all(npz_format(), {{1, 2, 1000, 7, 0}}, 4096);
  store_little<std::uint16_t>(bytes.data() + bytes.size() - 22 - 102 + 10, 12);
  const auto index = index_of(bytes);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace feedrate::testing

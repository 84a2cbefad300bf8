#include "feedrate/format/lmdb/lmdb.h"

#include "feedrate/base/random.h"
#include "feedrate/format/format_testing.h"
#include "feedrate/format/lmdb/page.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

using namespace lmdb;

Bytes sample_file(const std::string& name) { return read_test_file("lmdb/testdata/" + name); }

Bytes our_file(std::uint64_t records, std::uint64_t bytes) {
  return render_all(lmdb_format(), {{1, 2, records * bytes, 3, 0, records}}, 1U << 20U);
}

Result<FileIndex> index_of(const Bytes& bytes) {
  MemoryFile memory(bytes);
  return lmdb_format().index(memory);
}

std::string error_of(const Bytes& bytes) {
  const auto index = index_of(bytes);
  return index ? "fine"
               : std::string(to_string(index.error().kind())) + ": " + index.error().message();
}

std::vector<Extent> located(const FileIndex& index, std::uint64_t sample) {
  std::vector<Extent> reads;
  index.locate(sample, 1, reads);
  return reads;
}

// make_samples.py fills value i with bytes that are all i.
bool holds(const Bytes& file, const std::vector<Extent>& reads, std::uint64_t i,
           std::uint64_t count) {
  const Bytes value(count, std::byte(i));
  for (const Extent& read : reads) {
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(read.offset);
    const auto end = begin + static_cast<std::ptrdiff_t>(read.length);
    if (std::search(begin, end, value.begin(), value.end()) != end) return true;
  }
  return false;
}

TEST(Lmdb, ValuesInLeaves) {
  const Bytes file = sample_file("leaves.lmdb");
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_EQ(index->sample_count(), 40U);
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_TRUE(holds(file, located(*index, i), i, 300)) << i;
}

TEST(Lmdb, ValuesInOverflowPages) {
  const Bytes file = sample_file("overflow.lmdb");
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_EQ(index->sample_count(), 6U);
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto begin = index->blocks.begins[i];
    ASSERT_EQ(index->blocks.begins[i + 1] - begin, 2U);  // the root is a leaf
    const Extent value = index->blocks.reads[begin + 1];
    EXPECT_EQ(value.length, (16 + 3000 + 1000 * i + 4095) / 4096 * 4096);
    EXPECT_TRUE(holds(file, {value}, i, 3000 + 1000 * i));
  }
}

TEST(Lmdb, ValuesInBoth) {
  const Bytes file = sample_file("mixed.lmdb");
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_EQ(index->sample_count(), 30U);
  EXPECT_EQ(index->blocks.samples_per_block, 1U);
  for (std::uint64_t i = 0; i < 30; ++i)
    EXPECT_TRUE(holds(file, located(*index, i), i, i % 3 != 0 ? 10 : 5000)) << i;
}

TEST(Lmdb, TheNewerMetaPageCounts) {
  const Bytes file = sample_file("rewritten.lmdb");
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_EQ(index->sample_count(), 20U);
  for (std::uint64_t i = 0; i < 20; ++i)
    EXPECT_TRUE(holds(file, located(*index, i), i, 103)) << i;  // as the last transaction left it
}

TEST(Lmdb, DatabasesThatAreNotOne) {
  EXPECT_EQ(index_of(sample_file("empty.lmdb"))->sample_count(), 0U);
  EXPECT_EQ(error_of(sample_file("named.lmdb")), "unsupported: LMDB file with named databases");
  Bytes file = our_file(3, 100);
  file[kPageBytes + kMainDatabaseAt + 4] = std::byte{kSeveralValues};
  EXPECT_EQ(error_of(file), "unsupported: LMDB file with several values a key");
}

TEST(Lmdb, ALookUpGoesFromTheRootDown) {
  const FileIndex index = lmdb_format().layout(SampleSizes(100'000, 4));
  EXPECT_EQ(index.blocks.samples_per_block, 170U);
  EXPECT_EQ(index.blocks.begins[1], 3U);  // root, branch, leaf
  EXPECT_EQ(index.blocks.reads[0], (Extent{index.file_bytes - 4096, 4096}));
  // OC20's records: the leaf only says where the value is.
  const FileIndex large = lmdb_format().layout(SampleSizes(2000, 8482));
  EXPECT_EQ(large.blocks.samples_per_block, 1U);
  EXPECT_EQ(large.blocks.begins[1], 3U);  // root, leaf, value
  EXPECT_EQ(large.blocks.reads[2].length, 3U * 4096);
}

TEST(Lmdb, PayloadsFillTheirPages) {
  const auto payload = [](std::uint64_t stored) {
    return lmdb_format().payload_for_stored(stored);
  };
  EXPECT_EQ(payload(0), 0U);
  EXPECT_EQ(payload(20), 0U);
  EXPECT_EQ(payload(22), 2U);
  EXPECT_EQ(payload(4095), 2020U);  // more would be a page
  EXPECT_EQ(payload(4096), 4080U);
  EXPECT_EQ(payload(8500), 8176U);
  EXPECT_EQ(payload(std::uint64_t{1} << 40U), 0xFFFFFFFFU);
}

TEST(Lmdb, StructureThatIsWrongIsNamed) {
  EXPECT_EQ(error_of({}), "corrupt: at offset 0: file ends before its meta pages");
  EXPECT_EQ(error_of(Bytes(9000)), "corrupt: at offset 0: no meta page of LMDB");
  const Bytes good = our_file(40, 300);
  Bytes file = good;
  file.resize(3 * kPageBytes);
  EXPECT_EQ(error_of(file),
            "corrupt: at offset 4096: truncated LMDB file: its last page is 6, it has 12288 B");
  file = good;
  store_little(file.data() + kPageBytes + kMainDatabaseAt + 40, std::uint64_t{1} << 50U);
  EXPECT_EQ(error_of(file), "corrupt: at offset 0: page 1125899906842624 of a file of 7 pages");
  file = good;
  store_little(file.data() + kPageBytes + kMainDatabaseAt + 6, std::uint16_t{3});
  EXPECT_EQ(error_of(file), "corrupt: at offset 8192: no branch page where one must be");
  store_little(file.data() + kPageBytes + kMainDatabaseAt + 6, std::uint16_t{300});
  EXPECT_EQ(error_of(file), "corrupt: at offset 4096: tree of depth 300");
  file = good;
  store_little(file.data() + kPageBytes + kMainDatabaseAt + 32, std::uint64_t{41});
  EXPECT_EQ(error_of(file), "corrupt: at offset 0: the tree has 40 records, its meta page says 41");
  file = good;
  store_little(file.data() + 2 * kPageBytes + kLowerAt, std::uint16_t{5000});
  EXPECT_EQ(error_of(file),
            "corrupt: at offset 8192: page with 5000 B of pointers and nodes from 280 on");
  file = good;
  const auto node = load_little<std::uint16_t>(file.data() + 2 * kPageBytes + kPageHeadBytes);
  store_little(file.data() + 2 * kPageBytes + node, std::uint32_t{0xFFFFFFFF});
  EXPECT_EQ(error_of(file),
            "corrupt: at offset 8192: value of 4294967295 B does not lie within its page");
  store_little(file.data() + 2 * kPageBytes + node + 4, kBigValue);
  EXPECT_NE(error_of(file).find("value of 4294967295 B in pages from "), std::string::npos);
}

TEST(Lmdb, ATreeThatContainsItselfIsAnError) {
  const Bytes good = our_file(100'000, 4);
  const std::uint64_t pages = good.size() / kPageBytes, root = pages - 1;
  const std::size_t root_at = root * kPageBytes;
  const auto first_node = load_little<std::uint16_t>(good.data() + root_at + kPageHeadBytes);
  const auto first = load_little<std::uint32_t>(good.data() + root_at + first_node);
  for (const std::uint64_t target : {root, std::uint64_t{first} + 1}) {
    Bytes file = good;
    store_little(file.data() + root_at + first_node, static_cast<std::uint32_t>(target));
    EXPECT_EQ(error_of(file), "corrupt: at offset " + std::to_string(target * kPageBytes) +
                                  ": a page has two pages above it");
  }
}

TEST(Lmdb, DamagedForeignFilesNeverCrash) {
  RandomStream random(5);
  for (const char* name : {"leaves.lmdb", "overflow.lmdb", "mixed.lmdb", "rewritten.lmdb"}) {
    const Bytes good = sample_file(name);
    for (int round = 0; round < 1000; ++round) {
      Bytes file = good;
      for (std::uint64_t i = 0, count = 1 + random.below(4); i < count; ++i)
        std::memcpy(file.data() + random.below(file.size() / 4096) * 4096 + random.below(200),
                    good.data() + random.below(good.size() / 8) * 8, 8);
      const auto index = index_of(file);
      for (std::uint64_t i = 0; index && i < index->sample_count(); ++i)
        for (const Extent& read : located(*index, i)) ASSERT_LE(read.end(), file.size());
    }
  }
}

}  // namespace
}  // namespace feedrate::testing

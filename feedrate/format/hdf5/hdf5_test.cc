#include "feedrate/format/hdf5/hdf5.h"

#include "feedrate/base/random.h"
#include "feedrate/format/format_testing.h"
#include "feedrate/format/wire.h"

namespace feedrate::testing {
namespace {

Bytes sample_file(const std::string& name) { return read_test_file("hdf5/testdata/" + name); }

std::shared_ptr<const Format> with(const FormatOptions& options) {
  return *make_format("hdf5", options);
}

Result<FileIndex> index_of(const Bytes& bytes, const FormatOptions& options = {}) {
  MemoryFile memory(bytes);
  return with(options)->index(memory);
}

std::string error_of(const Bytes& bytes, const FormatOptions& options = {}) {
  const auto index = index_of(bytes, options);
  return index ? "fine"
               : std::string(to_string(index.error().kind())) + ": " + index.error().message();
}

std::vector<Extent> located(const FileIndex& index, std::uint64_t sample) {
  std::vector<Extent> reads;
  index.locate(sample, 1, reads);
  return reads;
}

Bytes stored_bytes(const Bytes& file, const FileIndex& index, std::uint64_t sample) {
  Bytes stored;
  for (const Extent& read : located(index, sample)) {
    const auto bytes = std::span(file).subspan(read.offset, read.length);
    stored.insert(stored.end(), bytes.begin(), bytes.end());
  }
  return stored;
}

// make_samples.py: climate is 8 x 12 x 4 of 0, 1, 2, ...
float climate(std::size_t x, std::size_t y) { return static_cast<float>((x * 12 + y) * 4); }

float value_at(const Bytes& bytes, std::size_t element) {
  return load_little<float>(bytes.data() + 4 * element);
}

TEST(Hdf5, ContiguousDatasetsOfH5py) {
  for (const char* name : {"contiguous.h5", "contiguous_user_block.h5"}) {
    const Bytes file = sample_file(name);
    const auto index = index_of(file);
    ASSERT_TRUE(index) << name << ": " << index.error().message();
    ASSERT_EQ(index->sample_count(), 1U) << name;
    const Bytes stored = stored_bytes(file, *index, 0);
    ASSERT_EQ(stored.size(), 8U * 12 * 4 * 4) << name;
    for (std::size_t i = 0; i < 8 * 12 * 4; ++i)
      ASSERT_EQ(value_at(stored, i), static_cast<float>(i)) << name;
  }
}

TEST(Hdf5, RowsWithLabelsAreSamples) {
  const Bytes file = sample_file("contiguous_rows.h5");
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_EQ(index->sample_count(), 8U);
  for (std::size_t x = 0; x < 8; ++x) {
    const Bytes stored = stored_bytes(file, *index, x);
    ASSERT_EQ(stored.size(), 12U * 4 * 4);
    EXPECT_EQ(value_at(stored, 0), climate(x, 0));
  }
}

TEST(Hdf5, EveryChunkIndexOfLibhdf5) {
  for (const char* name :
       {"tree1.h5", "tree1_user_block.h5", "fixed_array.h5", "extensible_array.h5", "tree2.h5"}) {
    const Bytes file = sample_file(name);
    const auto index = index_of(file);
    ASSERT_TRUE(index) << name << ": " << index.error().message();
    ASSERT_EQ(index->sample_count(), 1U) << name;
    const auto& reads = index->blocks.reads;
    ASSERT_EQ(reads.size(), 4U * 4) << name;
    for (std::size_t i = 0; i < reads.size(); ++i) {
      EXPECT_EQ(reads[i].length, 2U * 3 * 4 * 4) << name;
      EXPECT_EQ(load_little<float>(file.data() + reads[i].offset), climate(i / 4 * 2, i % 4 * 3))
          << name << " " << i;
    }
  }
  EXPECT_EQ(index_of(sample_file("single_chunk.h5"))->blocks.reads.size(), 1U);
}

TEST(Hdf5, RowsOfOneChunkAreReadTogether) {
  const auto index = index_of(sample_file("tree1_rows.h5"));
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ(index->sample_count(), 8U);
  EXPECT_EQ(index->blocks.samples_per_block, 2U);
  EXPECT_EQ(index->blocks.begins, (std::vector<std::uint64_t>{0, 4, 8, 12, 16}));
}

TEST(Hdf5, FilteredChunksHaveTheirStoredSize) {
  const Bytes file = sample_file("gzip.h5");
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  ASSERT_EQ(index->blocks.reads.size(), 2U);
  const auto decoder = with({{"chunk_bytes", "768"}, {"gzip", "on"}, {"shuffle", "on"}})->decoder();
  for (int twice = 0; twice < 2; ++twice)
    EXPECT_EQ(decoder->decode(stored_bytes(file, *index, 0)).value_or(0), 8U * 12 * 4 * 4);
  const auto checked = index_of(sample_file("fletcher.h5"));  // 4 B after each chunk
  ASSERT_EQ(checked->blocks.reads.size(), 2U);
  EXPECT_EQ(checked->blocks.reads[0].length, 5U * 12 * 4 * 4 + 4);
}

TEST(Hdf5, TheLargestDatasetOfTheRootGroupIsTaken) {
  const Bytes file = sample_file("nested_largest.h5");
  EXPECT_EQ(index_of(file)->sample(0).length, 200U);
  EXPECT_EQ(index_of(file, {{"dataset", "small"}})->sample(0).length, 24U);
  EXPECT_EQ(index_of(file, {{"dataset", "group/deep"}})->sample(0).length, 4000U);
  EXPECT_EQ(error_of(file, {{"dataset", "none"}}),
            "usage: there is no dataset 'none' in the HDF5 file");
}

TEST(Hdf5, ValuesThatAreElsewhereAreNamed) {
  EXPECT_EQ(error_of(sample_file("soft_link.h5")), "unsupported: dataset 'climate' is a soft link");
  EXPECT_EQ(error_of(sample_file("external_link.h5")),
            "unsupported: dataset 'climate' is an external link to another file");
  EXPECT_EQ(error_of(sample_file("external_storage.h5")),
            "unsupported: dataset 'climate' keeps its values in another file, 'values.bin'");
  EXPECT_EQ(error_of(sample_file("virtual.h5")),
            "unsupported: dataset 'climate' is virtual: its values are in other files");
  EXPECT_EQ(error_of(sample_file("compact.h5")),
            "unsupported: dataset 'climate' is stored within its header (compact)");
  EXPECT_EQ(error_of(sample_file("text.h5")),
            "unsupported: dataset 'climate' has values of variable length, or references");
}

TEST(Hdf5, WhatIsNoHdf5FileIsNamed) {
  EXPECT_EQ(error_of({}), "corrupt: at offset 0: no signature of an HDF5 file");
  EXPECT_EQ(error_of(Bytes(5000)), "corrupt: at offset 0: no signature of an HDF5 file");
  Bytes file = sample_file("contiguous.h5");
  file[13] = std::byte{200};
  EXPECT_EQ(error_of(file), "corrupt: at offset 13: offsets of 200 B and lengths of 8 B");
  file = sample_file("contiguous.h5");
  file.resize(3000);
  EXPECT_EQ(error_of(file), "corrupt: at offset 0: truncated HDF5 file: it should have 3680 B");
}

// Returns the offsets of the version 1 B-tree nodes of `type` and `level` in `file`.
std::vector<std::size_t> tree_nodes(const Bytes& file, int type, int level) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at + 24 < file.size(); at += 8)
    if (as_text(std::span(file).subspan(at, 4)) == "TREE" && file[at + 4] == std::byte(type) &&
        file[at + 5] == std::byte(level))
      found.push_back(at);
  return found;
}

TEST(Hdf5, ATreeOfChunksThatContainsItselfIsAnError) {
  const auto format = with({{"chunk_bytes", "16"}});
  const Bytes good = render_all(*format, {{1, 2, 16 * 200, 3}}, 4096);
  const std::size_t key_bytes = 8 + 8 * 3;
  const auto roots = tree_nodes(good, 1, 1), leaves = tree_nodes(good, 1, 0);
  ASSERT_EQ(roots.size(), 1U);
  ASSERT_GE(leaves.size(), 4U);
  const std::size_t child = roots[0] + 24 + key_bytes;
  const auto first = load_little<std::uint64_t>(good.data() + child);
  const auto second = load_little<std::uint64_t>(good.data() + child + key_bytes + 8);
  ASSERT_NE(std::ranges::find(leaves, first), leaves.end());
  ASSERT_NE(std::ranges::find(leaves, second), leaves.end());
  for (const std::uint64_t target : {std::uint64_t{roots[0]}, second}) {
    Bytes file = good;
    store_little(file.data() + child, target);
    EXPECT_EQ(error_of(file), "corrupt: at offset " + std::to_string(target) +
                                  ": a B-tree node has two nodes above it");
  }
  Bytes file = good;
  file[first + 5] = std::byte{7};
  EXPECT_NE(error_of(file).find(": a B-tree node does not fit its "), std::string::npos)
      << error_of(file);
}

TEST(Hdf5, ATreeOfNamesThatContainsItselfIsAnError) {
  std::vector<SampleContent> samples;
  for (std::uint64_t i = 0; i < 400; ++i) samples.push_back({1, i, 4 + 4 * (i % 2), 0});
  Bytes file = render_all(hdf5_format(), samples, 4096);
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ(index->sample_count(), 400U);
  const auto roots = tree_nodes(file, 0, 1);
  ASSERT_EQ(roots.size(), 1U);
  store_little(file.data() + roots[0] + 24 + 8, std::uint64_t{roots[0]});
  EXPECT_NE(error_of(file).find(": a B-tree node does not fit its "), std::string::npos)
      << error_of(file);
}

TEST(Hdf5, GiganticDimensionsAreErrorsAndCostNothing) {
  const Bytes good = render_all(*with({{"chunk_bytes", "16"}}), {{1, 2, 1024, 3}}, 4096);
  Bytes dims;
  append_little(dims, std::uint64_t{1});
  append_little(dims, std::uint64_t{256});
  const auto at = std::search(good.begin(), good.end(), dims.begin(), dims.end());
  ASSERT_NE(at, good.end());
  const auto rows = static_cast<std::size_t>(at - good.begin());
  Bytes file = good;
  store_little(file.data() + rows + 8, UINT64_MAX);
  EXPECT_NE(error_of(file).find("dataset with absurd dimensions"), std::string::npos);
  // Chunks that were never written are not an error, however many there are.
  store_little(file.data() + rows + 8, std::uint64_t{1} << 40U);
  EXPECT_EQ(index_of(file)->blocks.reads.size(), 64U);
}

// Words of a file change places, so addresses lead anywhere.
TEST(Hdf5, MisplacedAddressesNeverCrash) {
  RandomStream random(5);
  for (const char* name : {"contiguous.h5", "tree1_rows.h5", "gzip.h5", "fixed_array.h5",
                           "extensible_array.h5", "tree2.h5", "nested_largest.h5"}) {
    const Bytes good = sample_file(name);
    for (int round = 0; round < 1000; ++round) {
      Bytes file = good;
      for (std::uint64_t i = 0, count = 1 + random.below(4); i < count; ++i)
        std::memcpy(file.data() + random.below(2000), good.data() + random.below(250) * 8, 8);
      const auto index = index_of(file);
      for (std::uint64_t i = 0; index && i < std::min<std::uint64_t>(index->sample_count(), 9); ++i)
        for (const Extent& read : located(*index, i)) ASSERT_LE(read.end(), file.size());
    }
  }
}

TEST(Hdf5, GzipChunksOfManyBlocks) {
  const auto format = with({{"chunk_bytes", "1MiB"}, {"gzip", "on"}});
  const std::vector<SampleContent> samples{{1, 2, 200'000, 3}, {1, 3, 200'000, 4}};
  const Bytes file = render_all(*format, samples, 4096);
  const auto index = index_of(file);
  ASSERT_TRUE(index) << index.error().message();
  for (std::uint64_t i = 0; i < 2; ++i) {
    Bytes stored = stored_bytes(file, *index, i);
    EXPECT_EQ(stored.size(), 200'000U + 2 + 4 * 5 + 4);
    EXPECT_EQ(format->decoder()->decode(stored).value_or(0), 200'000U);
    stored[100] ^= std::byte{1};
    EXPECT_EQ(format->decoder()->decode(stored).error().kind(), ErrorKind::kCorrupt);
    stored.resize(1000);
    EXPECT_EQ(format->decoder()->decode(stored).error().kind(), ErrorKind::kCorrupt);
  }
}

TEST(Hdf5, OptionsAreChecked) {
  const auto message = [](const FormatOptions& options) {
    return make_format("hdf5", options).error().message();
  };
  EXPECT_EQ(message({{"gzip", "on"}}), "gzip: only chunks can be compressed");
  EXPECT_EQ(message({{"gzip", "1"}}), "gzip: expected on or off, got '1'");
  EXPECT_EQ(message({{"chunk_bytes", "1KiB"}, {"shuffle", "on"}}),
            "shuffle: serves compression alone");
  EXPECT_EQ(message({{"chunk_bytes", "1GiB"}}), "chunk_bytes: from 4 B to 64 MiB, got 1GiB");
  EXPECT_EQ(message({{"chunks", "2"}}), "format 'hdf5' has no option 'chunks'");
}

TEST(Hdf5, PayloadsFillWhatIsStored) {
  for (const FormatOptions& options : {FormatOptions{}, FormatOptions{{"chunk_bytes", "1000"}},
                                       FormatOptions{{"chunk_bytes", "100KB"}, {"gzip", "on"}}}) {
    const auto format = with(options);
    for (const std::uint64_t bytes : {3U, 4U, 100U, 1001U, 70'000U, 1'000'000U}) {
      const std::uint64_t payload = format->payload_for_stored(bytes);
      if (payload > 0) {
        EXPECT_LE(all_sample_bytes(format->layout(SampleSizes(1, payload))), bytes);
      }
      EXPECT_GT(all_sample_bytes(format->layout(SampleSizes(1, payload + 1))), bytes);
    }
  }
}

}  // namespace
}  // namespace feedrate::testing

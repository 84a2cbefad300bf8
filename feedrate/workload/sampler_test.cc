#include "feedrate/workload/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

std::vector<std::uint64_t> all_of(const KeyedPermutation& permutation) {
  std::vector<std::uint64_t> values(permutation.size());
  for (std::uint64_t i = 0; i < values.size(); ++i) values[i] = permutation(i);
  return values;
}

bool is_permutation_of_indices(std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  for (std::uint64_t i = 0; i < values.size(); ++i)
    if (values[i] != i) return false;
  return true;
}

TEST(KeyedPermutation, IsBijectiveForEverySmallSize) {
  for (std::uint64_t size = 1; size <= 2000; ++size)
    ASSERT_TRUE(is_permutation_of_indices(all_of(KeyedPermutation(size, size * 7)))) << size;
}

TEST(KeyedPermutation, IsBijectiveAroundSquares) {
  for (const std::uint64_t root : {100U, 500U, 1000U})
    for (const std::uint64_t size : {root * root - 1, root * root, root * root + 1})
      ASSERT_TRUE(is_permutation_of_indices(all_of(KeyedPermutation(size, 3)))) << size;
}

TEST(KeyedPermutation, LargeSizesStayInRangeAndDoNotCollide) {
  RandomStream random(11);
  for (const std::uint64_t size :
       {(1ULL << 32U) - 1, 1ULL << 32U, (1ULL << 53U) + 1, 3037000499ULL * 3037000499ULL,
        (1ULL << 62U) - 57, (1ULL << 63U) - 1, 1ULL << 63U}) {
    const KeyedPermutation permutation(size, random.next());
    std::vector<std::uint64_t> indices = {0, 1, size - 1, size - 2, size / 2};
    for (int i = 0; i < 20000; ++i) indices.push_back(random.below(size));
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    std::vector<std::uint64_t> values;
    for (const std::uint64_t index : indices) {
      values.push_back(permutation(index));
      ASSERT_LT(values.back(), size);
    }
    std::sort(values.begin(), values.end());
    EXPECT_EQ(std::adjacent_find(values.begin(), values.end()), values.end()) << size;
  }
}

// Data sets on disk are made with it: these values may not change.
TEST(KeyedPermutation, ValuesArePinned) {
  const auto digest = [](std::uint64_t size) {
    const KeyedPermutation permutation(size, 42);
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < 1000; ++i)
      sum = sum * 1000003 + permutation((size / 1000 + 1) * i % size);
    return sum;
  };
  EXPECT_EQ(digest(3), 0x12466c327c66dfb7U);
  EXPECT_EQ(digest(168), 0xac259e759113bd47U);
  EXPECT_EQ(digest(1281024), 0x807fe91bc92e5089U);
  EXPECT_EQ(digest(1ULL << 40U), 0x67d760ac44b0ceb2U);
  EXPECT_EQ(digest(1ULL << 63U), 0x11c3143fe722d8d5U);
}

TEST(KeyedPermutation, KeysGiveDifferentOrders) {
  const auto one = all_of(KeyedPermutation(168, 1));
  const auto two = all_of(KeyedPermutation(168, 2));
  int same = 0;
  for (std::size_t i = 0; i < one.size(); ++i) same += one[i] == two[i] ? 1 : 0;
  EXPECT_LT(same, 10);  // 1 is expected
}

// Returns the sum over cells of (seen - expected)^2 / expected, for cells that are equally likely.
double chi_square(const std::vector<std::uint64_t>& counts) {
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ULL));
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const std::uint64_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

// Over many keys every index lands everywhere equally often. The bound is the mean plus 6 standard
// deviations of chi square with `cells - 1` degrees of freedom.
TEST(KeyedPermutation, PositionsAreUniformOverKeys) {
  for (const std::uint64_t size : {10U, 24U, 168U, 1024U}) {
    const double freedom = static_cast<double>(size - 1);
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      std::vector<std::uint64_t> landed(size);
      for (std::uint64_t key = 0; key < 100 * size; ++key)
        ++landed[KeyedPermutation(size, mix64(key))(index)];
      EXPECT_LT(chi_square(landed), freedom + 6 * std::sqrt(2 * freedom)) << size << " " << index;
    }
  }
}

// Neighbours do not stay neighbours: their distance is as that of two random positions.
TEST(KeyedPermutation, NeighboursAreScattered) {
  constexpr std::uint64_t kSize = 1281024;
  constexpr std::uint64_t kCells = 64;
  const auto order = all_of(KeyedPermutation(kSize, 5));
  std::vector<std::uint64_t> distances(kCells);
  for (std::uint64_t i = 0; i + 1 < kSize; ++i)
    ++distances[(order[i + 1] + kSize - order[i]) % kSize * kCells / kSize];
  EXPECT_LT(chi_square(distances), 63 + 6 * std::sqrt(2 * 63.0));
}

const ShardShape kShapes[] = {{1, 1, 1},    {7, 1, 7},      {168, 1, 7},     {168, 8, 7},
                              {1000, 3, 4}, {1001, 10, 10}, {999, 7, 1},     {64, 64, 1},
                              {63, 64, 1},  {5, 2, 3},      {12510, 4, 400}, {4096, 5, 17}};

TEST(ShardShape, Arithmetic) {
  const ShardShape shape{1001, 10, 7};
  EXPECT_EQ(shape.samples_per_rank(), 100U);
  EXPECT_EQ(shape.steps_per_epoch(), 14U);
  EXPECT_EQ(shape.samples_read_per_rank(), 98U);
}

TEST(RandomOrder, DealsEverySampleOnceApartFromTheTail) {
  for (const ShardShape& shape : kShapes) {
    const RandomOrder order(shape, 9, 2);
    std::vector<int> dealt(shape.samples);
    for (std::uint32_t rank = 0; rank < shape.ranks; ++rank)
      for (std::uint64_t position = 0; position < shape.samples_read_per_rank(); ++position)
        ++dealt[order.sample_at(rank, position)];
    EXPECT_LE(*std::max_element(dealt.begin(), dealt.end()), 1);
    const std::uint64_t read = std::accumulate(dealt.begin(), dealt.end(), 0ULL);
    EXPECT_EQ(read, shape.samples_read_per_rank() * shape.ranks);
    EXPECT_LT(shape.samples - read, std::uint64_t{shape.ranks} * shape.batch_samples + shape.ranks);
  }
}

TEST(RandomOrder, EpochsAndSeedsDiffer) {
  const ShardShape shape{1000, 1, 1};
  const auto same = [&](std::uint64_t seed, std::uint64_t epoch) {
    const RandomOrder first(shape, 1, 0);
    const RandomOrder second(shape, seed, epoch);
    int count = 0;
    for (std::uint64_t i = 0; i < 1000; ++i)
      count += first.sample_at(0, i) == second.sample_at(0, i) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(same(1, 0), 1000);
  EXPECT_LT(same(1, 1), 10);
  EXPECT_LT(same(2, 0), 10);
}

// Walks every rank's shard; checks each run, and that no sample is dealt twice.
void check_sequential(const SequentialOrder& order, const ShardShape& shape,
                      const std::vector<std::uint64_t>& file_samples) {
  std::vector<std::vector<int>> dealt;
  for (const std::uint64_t samples : file_samples) dealt.emplace_back(samples);
  for (std::uint32_t rank = 0; rank < shape.ranks; ++rank) {
    std::uint64_t position = 0;
    while (position < shape.samples_read_per_rank()) {
      const SampleRun run = order.run_at(rank, position);
      ASSERT_GT(run.samples, 0U);
      ASSERT_LE(run.first_sample + run.samples, file_samples[run.file]);
      const bool at_file_end = run.first_sample + run.samples == file_samples[run.file];
      ASSERT_TRUE(at_file_end || position + run.samples == shape.samples_read_per_rank());
      for (std::uint64_t i = 0; i < run.samples; ++i)
        ASSERT_EQ(++dealt[run.file][run.first_sample + i], 1);
      if (run.samples > 1) {  // a run may be entered anywhere
        const SampleRun rest = order.run_at(rank, position + 1);
        ASSERT_EQ(rest, (SampleRun{run.file, run.first_sample + 1, run.samples - 1}));
      }
      position += run.samples;
    }
    ASSERT_EQ(position, shape.samples_read_per_rank());
  }
}

TEST(SequentialOrder, UniformFiles) {
  for (const ShardShape& shape : kShapes)
    for (const std::uint64_t per_file : {1U, 3U, 17U, 1251U}) {
      const std::uint64_t files = (shape.samples + per_file - 1) / per_file;
      check_sequential(SequentialOrder(shape, files, per_file, 4, 1), shape,
                       std::vector<std::uint64_t>(files, per_file));
    }
}

TEST(SequentialOrder, UnevenFilesAndEmptyOnes) {
  RandomStream random(3);
  for (ShardShape shape : kShapes) {
    std::vector<std::uint64_t> file_samples;
    std::uint64_t samples = 0;
    while (samples < shape.samples) {
      file_samples.push_back(random.below(9));
      samples += file_samples.back();
    }
    check_sequential(SequentialOrder(shape, file_samples, 4, 1), shape, file_samples);
    shape.samples = samples;
    check_sequential(SequentialOrder(shape, file_samples, 4, 2), shape, file_samples);
  }
}

TEST(SequentialOrder, BothConstructorsAgree) {
  const ShardShape shape{1251 * 16, 3, 10};
  const SequentialOrder uniform(shape, 16, 1251, 7, 3);
  const SequentialOrder listed(shape, std::vector<std::uint64_t>(16, 1251), 7, 3);
  for (std::uint64_t position = 0; position < shape.samples_read_per_rank(); position += 97)
    EXPECT_EQ(uniform.run_at(2, position), listed.run_at(2, position));
}

TEST(SequentialOrder, FilesAreShuffledEachEpoch) {
  const ShardShape shape{1024, 1, 1};
  const SequentialOrder first(shape, 1024, 1, 1, 0);
  const SequentialOrder second(shape, 1024, 1, 1, 1);
  int same = 0;
  int in_place = 0;
  for (std::uint64_t i = 0; i < 1024; ++i) {
    same += first.run_at(0, i).file == second.run_at(0, i).file ? 1 : 0;
    in_place += first.run_at(0, i).file == i ? 1 : 0;
  }
  EXPECT_LT(same, 10);
  EXPECT_LT(in_place, 10);
}

TEST(SamplerSpeed, PermutationAndRunAreTensOfNanoseconds) {
  constexpr int kCalls = 1'000'000;
  const auto time_of = [&](auto&& call) {
    std::uint64_t sum = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) sum += call(static_cast<std::uint64_t>(i));
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - begin;
    EXPECT_NE(sum, 0U);
    return elapsed.count() / kCalls;
  };
  const KeyedPermutation permutation(1281024, 1);
  const ShardShape shape{1281024, 8, 400};
  const SequentialOrder order(shape, 1024, 1251, 1, 0);
  const double permutation_ns = time_of([&](std::uint64_t i) { return permutation(i); });
  const double run_ns = time_of([&](std::uint64_t i) { return order.run_at(0, i % 160000).file; });
  std::printf("permutation %.1f ns, run_at %.1f ns\n", permutation_ns, run_ns);
  EXPECT_LT(permutation_ns, 2000);  // the aim is 40; sanitizers and busy machines are slower
  EXPECT_LT(run_ns, 4000);
}

}  // namespace
}  // namespace feedrate

// The order of reading: which sample is read when, and by which rank. Pure; the same seed gives the
// same order everywhere.
//
// Every sample is dealt exactly once an epoch over all ranks, apart from the tail that frameworks
// drop: ranks get equal counts (floor(samples / ranks)), and whole batches only. Each epoch has a
// new order. Memory does not grow with samples x ranks, since orders are keyed permutations.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace feedrate {

// A keyed bijection of [0, size), 1 <= size <= 2^63: a 4-round generalised Feistel network over a
// domain a*b >= size with cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite
// Domains", 2002). O(1) memory, tens of nanoseconds per call. Data sets on disk are made with it:
// the values for a (size, key) never change (sampler_test.cc pins some).
class KeyedPermutation {
 public:
  KeyedPermutation(std::uint64_t size, std::uint64_t key);
  // Requires index < size.
  std::uint64_t operator()(std::uint64_t index) const;
  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_, left_size_, right_size_;
  std::uint64_t reciprocal_;  // about 2^64 / left_size_
  std::array<std::uint64_t, 4> round_keys_;
};

struct ShardShape {
  std::uint64_t samples = 0;        // in the data set; the orders need at least 1
  std::uint32_t ranks = 1;          // at least 1
  std::uint32_t batch_samples = 1;  // per rank; at least 1

  std::uint64_t samples_per_rank() const { return samples / ranks; }
  std::uint64_t steps_per_epoch() const { return samples_per_rank() / batch_samples; }
  std::uint64_t samples_read_per_rank() const { return steps_per_epoch() * batch_samples; }
};

// The random order: position p of rank r in epoch e reads sample_at(p). It works like the
// frameworks' distributed samplers: one shuffled list, dealt round robin.
class RandomOrder {
 public:
  RandomOrder(const ShardShape& shape, std::uint64_t seed, std::uint64_t epoch);
  // Requires position < shape.samples_per_rank().
  std::uint64_t sample_at(std::uint32_t rank, std::uint64_t position) const {
    return permutation_(position * ranks_ + rank);
  }

 private:
  std::uint64_t ranks_;
  KeyedPermutation permutation_;
};

// A run of consecutive samples in one file.
struct SampleRun {
  std::uint64_t file = 0;
  std::uint64_t first_sample = 0;  // within the file
  std::uint64_t samples = 0;
  bool operator==(const SampleRun&) const = default;
};

// The sequential order: the files in shuffled order, laid end to end, and cut into one equal shard
// for each rank. Frameworks shard whole files. The two agree when files % ranks == 0, and this one
// stays balanced when they do not (ARCHITECTURE.md).
class SequentialOrder {
 public:
  // For files that all hold `samples_per_file`; shape.samples is at most files * samples_per_file.
  SequentialOrder(const ShardShape& shape, std::uint64_t files, std::uint64_t samples_per_file,
                  std::uint64_t seed, std::uint64_t epoch);
  // For files that hold `file_samples[i]`, which may be 0, and together at least shape.samples. It
  // takes O(files) memory, and is meant to be shared by all ranks.
  SequentialOrder(const ShardShape& shape, const std::vector<std::uint64_t>& file_samples,
                  std::uint64_t seed, std::uint64_t epoch);
  // Returns the longest run that starts at `position` of `rank`'s shard and stays within one file
  // and within samples_read_per_rank(). Requires position < samples_read_per_rank().
  SampleRun run_at(std::uint32_t rank, std::uint64_t position) const;

 private:
  std::uint64_t shard_samples_, read_samples_;  // per rank: its shard, and the whole batches in it
  KeyedPermutation file_order_;
  std::uint64_t samples_per_file_ = 0;          // uniform files, or
  std::vector<std::uint64_t> first_positions_;  // prefix sums over the shuffled files
};

}  // namespace feedrate

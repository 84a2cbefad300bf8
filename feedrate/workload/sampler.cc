#include "feedrate/workload/sampler.h"

#include <algorithm>
#include <cmath>

#include "feedrate/base/error.h"
#include "feedrate/base/random.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 63U;

std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((static_cast<Uint128>(a) * b) >> 64U);
}

// Returns (value + hash scaled to [0, modulus)) modulo modulus, for value < modulus, without a
// division.
std::uint64_t add_scaled(std::uint64_t value, std::uint64_t hash, std::uint64_t modulus) {
  const std::uint64_t sum = value + multiply_high(hash, modulus);
  return sum >= modulus ? sum - modulus : sum;
}

std::uint64_t order_key(std::uint64_t seed, std::uint64_t epoch) {
  return combine_seeds(combine_seeds(seed, static_cast<std::uint64_t>(SeedPurpose::kSampleOrder)),
                       epoch);
}

}  // namespace

KeyedPermutation::KeyedPermutation(std::uint64_t size, std::uint64_t key)
    : size_(size),
      left_size_(std::max<std::uint64_t>(
          1, static_cast<std::uint64_t>(std::sqrt(static_cast<double>(size))))),
      right_size_((size + left_size_ - 1) / left_size_),
      reciprocal_(~std::uint64_t{0} / left_size_) {
  FEEDRATE_ASSERT(size > 0 && size <= kSizeMax);
  for (std::uint64_t round = 0; round < round_keys_.size(); ++round)
    round_keys_[round] = combine_seeds(key, round);
}

std::uint64_t KeyedPermutation::operator()(std::uint64_t index) const {
  FEEDRATE_ASSERT(index < size_);
  // The loop rarely runs twice, since left * right exceeds the size by less than left.
  do {
    // This is index / left_size_: for an index up to 2^63 the product is that, or one less.
    std::uint64_t right = multiply_high(index, reciprocal_);
    std::uint64_t left = index - right * left_size_;
    if (left >= left_size_) {
      left -= left_size_;
      ++right;
    }
    for (std::size_t round = 0; round < round_keys_.size(); round += 2) {
      left = add_scaled(left, mix64(right + round_keys_[round]), left_size_);
      right = add_scaled(right, mix64(left + round_keys_[round + 1]), right_size_);
    }
    index = right * left_size_ + left;
  } while (index >= size_);
  return index;
}

RandomOrder::RandomOrder(const ShardShape& shape, std::uint64_t seed, std::uint64_t epoch)
    : ranks_(shape.ranks), permutation_(shape.samples, order_key(seed, epoch)) {
  FEEDRATE_ASSERT(shape.ranks > 0 && shape.batch_samples > 0);
}

SequentialOrder::SequentialOrder(const ShardShape& shape, std::uint64_t files,
                                 std::uint64_t samples_per_file, std::uint64_t seed,
                                 std::uint64_t epoch)
    : shard_samples_(shape.samples_per_rank()),
      read_samples_(shape.samples_read_per_rank()),
      file_order_(files, order_key(seed, epoch)),
      samples_per_file_(samples_per_file) {
  FEEDRATE_ASSERT(samples_per_file > 0 && shape.samples / samples_per_file <= files);
}

SequentialOrder::SequentialOrder(const ShardShape& shape,
                                 const std::vector<std::uint64_t>& file_samples, std::uint64_t seed,
                                 std::uint64_t epoch)
    : shard_samples_(shape.samples_per_rank()),
      read_samples_(shape.samples_read_per_rank()),
      file_order_(file_samples.size(), order_key(seed, epoch)) {
  first_positions_.reserve(file_samples.size() + 1);
  first_positions_.push_back(0);
  for (std::uint64_t place = 0; place < file_samples.size(); ++place)
    first_positions_.push_back(first_positions_.back() + file_samples[file_order_(place)]);
  FEEDRATE_ASSERT(shape.samples <= first_positions_.back());
}

SampleRun SequentialOrder::run_at(std::uint32_t rank, std::uint64_t position) const {
  FEEDRATE_ASSERT(position < read_samples_);
  const std::uint64_t global = rank * shard_samples_ + position;
  std::uint64_t place = 0;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  if (samples_per_file_ > 0) {
    place = global / samples_per_file_;
    first = place * samples_per_file_;
    end = first + samples_per_file_;
  } else {
    // This finds the last file that starts at or before `global`; files without samples are passed
    // over.
    const auto next = std::upper_bound(first_positions_.begin(), first_positions_.end(), global);
    place = static_cast<std::uint64_t>(next - first_positions_.begin()) - 1;
    first = first_positions_[place];
    end = *next;
  }
  return {file_order_(place), global - first, std::min(end - global, read_samples_ - position)};
}

}  // namespace feedrate

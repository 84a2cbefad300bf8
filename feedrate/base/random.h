// Seeded randomness. A stream is named by (seed, purpose, index), so streams never depend on the
// order in which they are made, and the same seed gives the same run on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace feedrate {

__extension__ using Uint128 = unsigned __int128;

// Stafford's variant 13 of the 64-bit finalizer (as used by SplitMix64).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}
constexpr std::uint64_t combine_seeds(std::uint64_t a, std::uint64_t b) {
  return mix64(a + 0x9E3779B97F4A7C15ULL * (mix64(b) | 1U));
}

// The purpose of a stream: one constant for each independent dimension of a run.
enum class SeedPurpose : std::uint64_t {
  kSampleOrder = 1,
  kSampleSize = 2,
  kContent = 3,
  kLatency = 4,
  kFailures = 6,
};

// SplitMix64: it has 8 bytes of state, is good enough for modelling, and cheap to make.
class RandomStream {
 public:
  explicit constexpr RandomStream(std::uint64_t seed) : state_(seed) {}
  constexpr RandomStream(std::uint64_t seed, SeedPurpose purpose, std::uint64_t index)
      : state_(combine_seeds(combine_seeds(seed, static_cast<std::uint64_t>(purpose)), index)) {}

  constexpr std::uint64_t next() { return mix64(state_ += 0x9E3779B97F4A7C15ULL); }
  // Returns a number in [0, bound), for bound > 0. It multiplies and shifts, with a bias below
  // bound / 2^64.
  constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Uint128>(next()) * bound) >> 64U);
  }
  // Returns a number in [0, 1).
  constexpr double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  double exponential() { return -std::log1p(-uniform()); }
  double normal() {  // Box-Muller; the second value is dropped to stay stateless
    const double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

// Returns the quantile of the standard normal distribution (Acklam's rational approximation,
// relative error below 1.2e-9), for 0 < p < 1.
double normal_quantile(double p);

}  // namespace feedrate

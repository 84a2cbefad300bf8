#include "feedrate/find/noise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>
#include <vector>

namespace feedrate {
namespace {

constexpr double kSmallestLog2 = -14;
constexpr double kFreedomMin = 8;  // fewer differences say nothing about a variance
constexpr int kLongest = 3;        // lengths of blocks that count, from the longest down

// A variance estimated from this many degrees of freedom, multiplied by this factor, is too small
// as often as too large. It is the inverse of the chi-square median by Wilson and Hilferty (PNAS
// 1931).
double median_factor(double freedom) {
  const double root = 1 - 2 / (9 * freedom);
  return 1 / (root * root * root);
}

}  // namespace

void Noise::add(std::span<const double> values, double interval, double shortest) {
  double sum = 0;
  for (const double value : values) sum += value;
  if (values.size() < 4 || sum <= 0 || interval <= 0) return;
  // Values are divided by their mean, so that trials with different rates can be pooled.
  std::vector<double> blocks;
  for (const double value : values)
    blocks.push_back(value * static_cast<double>(values.size()) / sum);
  for (double length = interval; blocks.size() >= 4; length *= 2) {
    if (length >= shortest) {
      double mean = 0;
      for (const double block : blocks) mean += block / static_cast<double>(blocks.size());
      double squares = 0;
      for (const double block : blocks) squares += (block - mean) * (block - mean);
      const double index = std::clamp(std::round(std::log2(length)) - kSmallestLog2, 0.0,
                                      static_cast<double>(kScales - 1));
      Scale& scale = scales_[static_cast<std::size_t>(index)];
      scale.sum += length * squares;
      scale.freedom += static_cast<double>(blocks.size()) - 1;
      scale.lengths += length * (static_cast<double>(blocks.size()) - 1);
    }
    // Neighbours are merged: the next round has blocks of twice the length.
    for (std::size_t i = 0; i + 1 < blocks.size(); i += 2)
      blocks[i / 2] = (blocks[i] + blocks[i + 1]) / 2;
    blocks.resize(blocks.size() / 2);
  }
}

void Noise::add(const Noise& other) {
  for (std::size_t i = 0; i < kScales; ++i) {
    scales_[i].sum += other.scales_[i].sum;
    scales_[i].freedom += other.scales_[i].freedom;
    scales_[i].lengths += other.scales_[i].lengths;
  }
}

double Noise::constant() const {
  double largest = -1;
  int longest = kLongest;
  for (const Scale& scale : std::views::reverse(scales_)) {
    if (scale.freedom < kFreedomMin) continue;
    largest = std::max(largest, scale.sum / scale.freedom * median_factor(scale.freedom));
    if (--longest == 0) break;
  }
  return largest < 0 ? std::numeric_limits<double>::infinity() : largest;
}

// The shortest blocks whose estimate comes to at least half of the largest are about independent.
double Noise::correlation_seconds() const {
  double largest = 0;
  for (const Scale& scale : scales_)
    if (scale.freedom >= kFreedomMin) largest = std::max(largest, scale.sum / scale.freedom);
  for (const Scale& scale : scales_)
    if (scale.freedom >= kFreedomMin && scale.sum / scale.freedom >= 0.5 * largest)
      return scale.lengths / scale.freedom;
  return 0;
}

double Noise::standard_error(double seconds) const {
  return seconds > 0 ? std::sqrt(constant() / seconds) : std::numeric_limits<double>::infinity();
}

double sequence_width(double batches, double tightest, double alpha) {
  const double log = -2 * std::log(alpha);
  const double rho = (1 + log + std::log(log)) / std::max(1.0, tightest);
  const double grown = batches * rho + 1;
  return std::sqrt(2 * grown / (batches * rho) * std::log(std::sqrt(grown) / alpha));
}

}  // namespace feedrate

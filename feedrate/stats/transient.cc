#include "feedrate/stats/transient.h"

#include <cmath>
#include <vector>

namespace feedrate {

namespace {

// Returns the cut, at most `most`, that leaves the least variance of the rest's mean.
std::size_t best_cut(const std::vector<double>& means, std::size_t most) {
  // The cuts are tried from the end, so that the sums of each remainder come from those of the one
  // before.
  double sum = 0;
  double squares = 0;
  double least = 0;
  std::size_t cut = 0;
  for (std::size_t first = means.size(); first-- > 0;) {
    const auto count = static_cast<double>(means.size() - first);
    const double before = count > 1 ? sum / (count - 1) : means[first];
    sum += means[first];
    squares += (means[first] - before) * (means[first] - sum / count);
    if (first > most) continue;
    // A variance that rounding alone leaves of equal values counts as none.
    const double mean = sum / count;
    const double statistic = squares > 1e-18 * count * mean * mean ? squares / (count * count) : 0;
    if (first == most || statistic <= least) {
      least = statistic;
      cut = first;
    }
  }
  return cut;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Returns whether the part that is cut off differs from the rest by more than blocks of the rest,
// about as long or an eighth of it, differ from each other. Heavy tails look like a transient where
// there is none.
bool differs(const std::vector<double>& means, std::size_t cut) {
  constexpr std::size_t kBlocks = 8;
  constexpr double kErrors = 3;
  const std::span rest = std::span(means).subspan(cut);
  const std::size_t length = rest.size() / kBlocks;
  const double mean = mean_of(rest);
  double squares = 0;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const double off = mean_of(rest.subspan(block * length, length)) - mean;
    squares += off * off / (kBlocks - 1);
  }
  const double share = static_cast<double>(length) / static_cast<double>(cut);
  return std::abs(mean_of(std::span(means).first(cut)) - mean) >
         kErrors * std::sqrt(squares * (share + 1.0 / kBlocks));
}

}  // namespace

std::size_t transient_length(std::span<const double> values) {
  constexpr std::size_t kBatch = 5;
  constexpr std::size_t kFewest = 20;
  constexpr std::size_t kFewestToDoubt = 80;  // means: blocks of some each
  constexpr std::size_t kShort = 10;          // parts of all: shorter cuts cost little
  if (values.size() < kFewest) return 0;
  std::vector<double> means;
  for (std::size_t first = 0; first + kBatch <= values.size(); first += kBatch)
    means.push_back(mean_of(values.subspan(first, kBatch)));
  std::size_t most = means.size() / 2;
  std::size_t cut = best_cut(means, most);
  while (means.size() >= kFewestToDoubt && cut > means.size() / kShort && !differs(means, cut)) {
    most = cut / 2;
    cut = best_cut(means, most);
  }
  return cut * kBatch;
}

}  // namespace feedrate

// Computes what follows from the figures of a result, once for every view.
#include <algorithm>
#include <cmath>

#include "feedrate/result/views.h"

namespace feedrate {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;
// An interval of at most this width, or this share of the number, is an answer; a wider one is a
// range.
constexpr double kAnswerShare = 0.1;
constexpr std::uint32_t kAnswerWidth = 2;
// 95 % of a normal distribution lie within so many standard deviations.
constexpr double kTwoSided = 1.96;
// A place is named only where it cost at least this share of what was lost.
constexpr double kPlaceShare = 0.1;

double over(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

LatencySummary summarise_latency(const Histogram& histogram) {
  const auto milliseconds = [&](double quantile) {
    return static_cast<double>(histogram.quantile(quantile)) / kNanosecondsPerMillisecond;
  };
  LatencySummary summary;
  summary.count = histogram.count();
  if (summary.count == 0) return summary;
  summary.mean_ms = histogram.mean() / kNanosecondsPerMillisecond;
  summary.p50_ms = milliseconds(0.5);
  summary.p90_ms = milliseconds(0.9);
  summary.p99_ms = milliseconds(0.99);
  summary.p999_ms = milliseconds(0.999);
  summary.max_ms = static_cast<double>(histogram.max()) / kNanosecondsPerMillisecond;
  summary.buckets_ns = histogram.buckets();
  return summary;
}

double RunResult::moved_over_asked() const {
  return over(static_cast<double>(bytes_moved), static_cast<double>(bytes_asked));
}

double RunResult::cpu_seconds_per_gigabyte() const {
  return over(cpu_user_seconds + cpu_system_seconds, static_cast<double>(bytes_moved) / 1e9);
}

double StallResult::lost_fraction() const {
  return over(static_cast<double>(lost_ns()), static_cast<double>(wall_ns));
}

double StallResult::carried_fraction() const {
  double carried = 0;
  for (const StallShare& share : causes) carried += static_cast<double>(share.carried_ns);
  return over(carried, static_cast<double>(wall_ns));
}

std::vector<StallFraction> StallResult::fractions() const {
  std::vector<StallFraction> all;
  for (const StallShare& share : causes)
    if (share.own_ns + share.carried_ns > 0)
      all.push_back({share.cause, over(static_cast<double>(share.own_ns + share.carried_ns),
                                       static_cast<double>(wall_ns))});
  std::ranges::sort(all, [](const StallFraction& a, const StallFraction& b) {
    return a.fraction != b.fraction ? a.fraction > b.fraction : a.cause < b.cause;
  });
  return all;
}

std::optional<StallPlace> StallResult::worst_place() const {
  const StallPlace* worst = nullptr;
  for (const StallPlace& place : places)
    if (place.kind != "read-size" && (worst == nullptr || place.ns > worst->ns)) worst = &place;
  if (worst == nullptr ||
      static_cast<double>(worst->ns) < kPlaceShare * static_cast<double>(lost_ns()))
    return std::nullopt;
  return *worst;
}

double StallResult::worst_place_fraction() const {
  const std::optional<StallPlace> worst = worst_place();
  return worst ? over(static_cast<double>(worst->ns), static_cast<double>(lost_ns())) : 0;
}

double FindResult::utilisation_at(std::uint32_t number) const {
  for (const FindPoint& point : points)
    if (point.accelerators == number) return point.utilisation;
  return 0;
}

std::string decided_by(const FindResult& result, const FindPoint& point) {
  constexpr double kRounding = 1e-9;
  const double threshold = result.job.au_threshold;
  const bool by_itself =
      point.verdict == "fed"       ? point.utilisation - point.half_width + kRounding >= threshold
      : point.verdict == "not-fed" ? point.utilisation + point.half_width - kRounding < threshold
                                   : true;
  if (by_itself) return "";
  return result.points.size() == 1 ? "rate" : "other-numbers";
}

std::string FindResult::form() const {
  if (!answer.empty()) return "verdict";
  if (!measured) return rate_bytes_per_second > 0 ? "by-rate" : "unknown";
  if (accelerators_low == accelerators_high) return "number";
  // A larger budget would not settle the number when the AU lies within 0.2 points of the
  // threshold.
  const bool edge =
      std::ranges::any_of(points, [](const FindPoint& point) { return point.verdict == "edge"; });
  if (narrower_budget_seconds == 0 && edge) return "edge";
  const double width = accelerators_high - accelerators_low;
  return width > std::max<double>(kAnswerWidth, kAnswerShare * accelerators) ? "range" : "number";
}

bool FindResult::is_too_short() const {
  return !measured && !interrupted && answer.empty() && (budget_seconds > 0 || samples_max > 0);
}

double FindResult::suggested_budget_seconds() const {
  constexpr double kLonger = 10;
  if (!is_too_short()) return 0;
  if (first_look_budget_seconds > 0) return first_look_budget_seconds;
  return kLonger * std::max(1.0, budget_seconds);
}

double FindResult::rate_error_of_a_second() const { return kTwoSided * std::sqrt(noise_seconds); }

double FindReport::narrower_budget_seconds() const {
  double seconds = 0;
  for (const FindResult& each : searches) {
    if (each.interrupted) return 0;
    seconds = std::max(seconds, each.narrower_budget_seconds);
  }
  return seconds;
}

std::uint32_t FindReport::narrower_numbers() const {
  std::uint32_t numbers = 1;
  for (const FindResult& each : searches)
    if (each.narrower_budget_seconds > 0) numbers = std::max(numbers, each.narrower_numbers);
  return numbers;
}

std::string FindReport::narrower_of() const {
  const auto open = std::ranges::count_if(
      searches, [](const FindResult& each) { return each.narrower_budget_seconds > 0; });
  if (open > 1) return "both";
  return open == 1 && searches.front().narrower_budget_seconds <= 0 ? "the framework's number" : "";
}

void CheckpointPass::summarise() {
  slowest_rank_seconds = 0;
  slowest_rank_bytes_per_second = 0;
  for (const RankTimeResult& rank : ranks) {
    if (rank.bytes == 0 || rank.seconds <= 0) continue;
    const double each = static_cast<double>(rank.bytes) / rank.seconds;
    if (rank.seconds > slowest_rank_seconds) slowest_rank = rank.rank;
    slowest_rank_seconds = std::max(slowest_rank_seconds, rank.seconds);
    if (slowest_rank_bytes_per_second == 0 || each < slowest_rank_bytes_per_second)
      slowest_rank_bytes_per_second = each;
  }
  bytes_per_second = seconds > 0 ? static_cast<double>(stored_bytes) / seconds : 0;
}

Spread CheckpointResult::spread(double CheckpointPass::* figure) const {
  std::vector<double> values;
  for (const CheckpointPass& pass : passes) values.push_back(pass.*figure);
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {values[values.size() / 2], values.front(), values.back()};
}

const CheckpointPass* CheckpointResult::median_pass() const {
  std::vector<const CheckpointPass*> order;
  for (const CheckpointPass& pass : passes) order.push_back(&pass);
  if (order.empty()) return nullptr;
  std::ranges::stable_sort(order, {}, [](const CheckpointPass* pass) { return pass->seconds; });
  return order[order.size() / 2];
}

double CheckpointResult::median_rank_seconds() const {
  const CheckpointPass* const pass = median_pass();
  if (pass == nullptr || pass->ranks.empty()) return 0;
  std::vector<double> times;
  for (const RankTimeResult& rank : pass->ranks) times.push_back(rank.seconds);
  std::ranges::sort(times);
  return times[(times.size() - 1) / 2];
}

double CheckpointResult::waited_seconds_max() const {
  double most = 0;
  for (const CheckpointPass& pass : passes) most = std::max(most, pass.waited_seconds);
  return most;
}

std::uint64_t CheckpointResult::whole_passes() const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(passes, [](const CheckpointPass& pass) { return !pass.parent; }));
}

std::uint64_t CheckpointResult::stored_bytes() const {
  std::uint64_t bytes = 0;
  for (const CheckpointPass& pass : passes) bytes += pass.stored_bytes;
  return bytes;
}

double CheckpointResult::incremental_fraction() const {
  double stored = 0, of = 0;
  for (const CheckpointPass& pass : passes) {
    if (!pass.parent) continue;
    stored += static_cast<double>(pass.stored_bytes);
    of += static_cast<double>(pass.bytes);
  }
  return over(stored, of);
}

double LoadResult::first_ready_seconds() const {
  return ready_seconds.empty() ? 0 : *std::ranges::min_element(ready_seconds);
}

double LoadResult::last_ready_seconds() const {
  return ready_seconds.empty() ? 0 : *std::ranges::max_element(ready_seconds);
}

double LoadResult::bytes_per_second() const {
  return over(static_cast<double>(read_bytes), last_ready_seconds());
}

const Figure* Section::find(std::string_view wanted) const {
  for (const Figure& figure : figures)
    if (figure.key == wanted) return &figure;
  return nullptr;
}

const Figure* JobPlan::find(std::string_view section, std::string_view key) const {
  for (const Section& candidate : sections)
    if (candidate.key == section) return candidate.find(key);
  return nullptr;
}

std::string_view to_string(FindingVerdict verdict) {
  switch (verdict) {
    case FindingVerdict::kOk:
      return "ok";
    case FindingVerdict::kWarn:
      return "warn";
    case FindingVerdict::kBad:
      return "bad";
    case FindingVerdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::uint64_t DoctorReport::count(FindingVerdict verdict) const {
  return static_cast<std::uint64_t>(std::ranges::count(findings, verdict, &Finding::verdict));
}

namespace {

std::optional<double> known(double rate) { return rate > 0 ? std::optional(rate) : std::nullopt; }

std::optional<double> rate_of(const std::optional<RunResult>& train,
                              const std::optional<CheckpointResult>& checkpoint) {
  // The first step is the fill of the windows, and where a run is cut is chance: a short run's rate
  // with both says more of them than of the storage.
  if (train) return known(train->samples_per_second_after_first);
  const CheckpointPass* const pass = checkpoint ? checkpoint->median_pass() : nullptr;
  return pass != nullptr ? known(pass->bytes_per_second) : std::nullopt;
}

}  // namespace

std::optional<double> JobTogether::rate() const {
  std::optional<double> rate = rate_of(train, checkpoint);
  // A job that hung did not go on at the rate that it had before.
  if (rate && train && stuck_seconds > 0)
    *rate *= train->seconds / (train->seconds + stuck_seconds);
  return rate;
}
std::optional<double> JobTogether::rate_alone() const {
  return rate_of(train_alone, checkpoint_alone);
}

std::optional<double> JobTogether::lost_fraction() const {
  const std::optional<double> alone = rate_alone(), together = rate();
  if (!alone || !together) return std::nullopt;
  return std::max(0.0, 1 - *together / *alone);
}

}  // namespace feedrate

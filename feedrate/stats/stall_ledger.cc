#include "feedrate/stats/stall_ledger.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "feedrate/base/error.h"

namespace feedrate {
namespace {

Duration sum(const StallTimes& times) {
  return std::accumulate(times.begin(), times.end(), Duration{});
}

void add(StallTimes& to, const StallTimes& from) {
  for (std::size_t i = 0; i < kStallCauses; ++i) to[i] += from[i];
}

}  // namespace

std::string_view to_string(StallCause cause) {
  static constexpr std::array<std::string_view, kStallCauses> kNames{
      "startup", "queue", "open",       "first-byte", "transfer",
      "decode",  "copy",  "checkpoint", "compute",    "host"};
  return kNames[static_cast<std::size_t>(cause)];
}

Duration RankStalls::total() const { return compute + sum(own) + sum(carried); }

StallLedger::StallLedger(Instant origin)
    : series_(kStallCauses, TimeSeries(origin, std::chrono::seconds(1))) {}

void StallLedger::lose(StallTimes& times, StallCause cause, Instant begin, Instant end) {
  at(times, cause) += end - begin;
  series_[static_cast<std::size_t>(cause)].add_interval(begin, end);
}

void StallLedger::add_step(std::uint32_t rank, Instant begin, Instant start, Instant end,
                           const std::vector<StallPiece>& pieces) {
  RankStalls& times = ranks_[rank];
  times.rank = rank;
  times.compute += end - start;
  Instant from = begin;
  for (const StallPiece& piece : pieces) {
    const Instant until = std::min(piece.until, start);
    if (until <= from) continue;
    lose(times.own, piece.cause, from, until);
    if (piece.file != StallPiece::kUnnamed) name(piece, until - from);
    from = until;
  }
  if (from < start) lose(times.own, StallCause::kQueue, from, start);
}

void StallLedger::add_straggler_wait(std::uint32_t rank, Instant end, Instant group_end,
                                     Duration compute, Instant slowest_start,
                                     Duration slowest_compute,
                                     const std::vector<StallPiece>& slowest) {
  if (group_end <= end) return;
  RankStalls& times = ranks_[rank];
  times.rank = rank;
  // The slowest rank is late by its longer step, and by the last part of its stall.
  const Duration late = group_end - end;
  const Duration slower = std::clamp(slowest_compute - compute, Duration{}, late);
  const Duration shift = (end - slowest_start) + (late - slower);
  Instant from = end;
  for (const StallPiece& piece : slowest) {
    const Instant until = std::min(piece.until + shift, group_end - slower);
    if (until <= from) continue;
    lose(times.carried, piece.cause, from, until);
    from = until;
  }
  if (from < group_end - slower) lose(times.carried, StallCause::kQueue, from, group_end - slower);
  lose(times.carried, StallCause::kCompute, group_end - slower, group_end);
}

void StallLedger::add_pause(std::uint32_t rank, Instant begin, Instant end, StallCause cause) {
  if (end <= begin) return;
  RankStalls& times = ranks_[rank];
  times.rank = rank;
  lose(times.own, cause, begin, end);
}

void StallLedger::name(const StallPiece& piece, Duration time) {
  at(files_[piece.file], piece.cause) += time;
  if (files_.size() > kFilesMax) drop_small_files();
  if (piece.bytes > 0)
    at(sizes_[static_cast<std::uint32_t>(std::bit_width(piece.bytes) - 1)], piece.cause) += time;
}

void StallLedger::drop_small_files() {
  std::vector<Duration> sums;
  for (const auto& [file, times] : files_) sums.push_back(sum(times));
  std::ranges::nth_element(sums, sums.begin() + kFilesMax / 2);
  const Duration middle = sums[kFilesMax / 2];
  std::erase_if(files_, [&](const auto& entry) { return sum(entry.second) <= middle; });
}

void StallLedger::merge(const StallLedger& other) {
  for (const auto& [rank, times] : other.ranks_) {
    RankStalls& mine = ranks_[rank];
    mine.rank = rank;
    mine.compute += times.compute;
    add(mine.own, times.own);
    add(mine.carried, times.carried);
  }
  for (std::size_t i = 0; i < kStallCauses; ++i) series_[i].merge(other.series_[i]);
  for (const auto& [file, times] : other.files_) add(files_[file], times);
  for (const auto& [size, times] : other.sizes_) add(sizes_[size], times);
  if (files_.size() > kFilesMax) drop_small_files();
}

}  // namespace feedrate

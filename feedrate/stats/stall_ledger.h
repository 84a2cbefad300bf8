// The account of accelerators' time: every accelerator-second is compute, or a stall with exactly
// one cause. It is exact: times are integer nanoseconds, and what is added to a rank adds up to its
// wall time. Plain values, not locked; merged after a run.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "feedrate/base/units.h"
#include "feedrate/stats/time_series.h"

namespace feedrate {

// What the sample that a batch still lacked was waiting for.
enum class StallCause : std::uint8_t {
  kStartup,     // the first batch: nothing could have been read ahead
  kQueue,       // no reader, buffer or room was free for it
  kOpen,        // its file was being opened, its metadata read, or the file closed
  kFirstByte,   // its read was on its way, but no byte had come
  kTransfer,    // its bytes were coming
  kDecode,      // it was being checked or decoded
  kCopy,        // it was being copied in this host's memory
  kCheckpoint,  // the group was writing a checkpoint
  kCompute,     // only of a straggler: its step itself took longer than this one's
  kHost,        // this host did not let the client run: stopped, its CPU quota, stolen processors
};
inline constexpr std::size_t kStallCauses = 10;
inline constexpr std::array<StallCause, kStallCauses> kAllStallCauses{
    StallCause::kStartup,  StallCause::kQueue,  StallCause::kOpen, StallCause::kFirstByte,
    StallCause::kTransfer, StallCause::kDecode, StallCause::kCopy, StallCause::kCheckpoint,
    StallCause::kCompute,  StallCause::kHost};
// Returns "startup", "queue", "open", "first-byte", "transfer", "decode", "copy", "checkpoint",
// "compute" or "host".
std::string_view to_string(StallCause cause);

using StallTimes = std::array<Duration, kStallCauses>;
inline Duration& at(StallTimes& times, StallCause cause) {
  return times[static_cast<std::size_t>(cause)];
}

// A part of a stall: from the end of the piece before it to `until`, this was the cause. `file` and
// `bytes` are those of the sample's read; they are given only where the piece is long enough to be
// worth naming.
struct StallPiece {
  static constexpr std::uint64_t kUnnamed = ~std::uint64_t{0};
  Instant until{};
  StallCause cause = StallCause::kQueue;
  std::uint64_t file = kUnnamed;
  std::uint64_t bytes = 0;
};

struct RankStalls {
  std::uint32_t rank = 0;
  Duration compute{};
  StallTimes own{};      // its own batch was not there
  StallTimes carried{};  // its step was done and another rank's was not: the causes of that one
  Duration total() const;
};

class StallLedger {
 public:
  explicit StallLedger(Instant origin);

  // Adds a step of `rank`. It was stalled over [begin, start) for the causes of `pieces` (the last
  // one's until is `start`; what lies before `begin` does not count), and computed over [start,
  // end).
  void add_step(std::uint32_t rank, Instant begin, Instant start, Instant end,
                const std::vector<StallPiece>& pieces);
  // Adds the rank's wait after that, over [end, group_end), for the slowest rank. That one was
  // stalled until `slowest_start` for the causes of `slowest`, and then computed for
  // `slowest_compute`.
  void add_straggler_wait(std::uint32_t rank, Instant end, Instant group_end, Duration compute,
                          Instant slowest_start, Duration slowest_compute,
                          const std::vector<StallPiece>& slowest);
  // Adds all of [begin, end) for one cause that has no sample.
  void add_pause(std::uint32_t rank, Instant begin, Instant end, StallCause cause);
  void merge(const StallLedger& other);

  const std::map<std::uint32_t, RankStalls>& ranks() const { return ranks_; }
  // Returns the seconds lost to a cause over time, own and carried. The intervals are the same for
  // all causes.
  const TimeSeries& series(StallCause cause) const {
    return series_[static_cast<std::size_t>(cause)];
  }
  // Returns own stalls by the file whose sample was missing. Of very many files, those that cost
  // most are kept.
  const std::map<std::uint64_t, StallTimes>& files() const { return files_; }
  // Returns own stalls by the size of the read, as the power of two that it reaches.
  const std::map<std::uint32_t, StallTimes>& sizes() const { return sizes_; }

 private:
  static constexpr std::size_t kFilesMax = 4096;
  void lose(StallTimes& times, StallCause cause, Instant begin, Instant end);
  void name(const StallPiece& piece, Duration time);
  void drop_small_files();

  std::map<std::uint32_t, RankStalls> ranks_;
  std::vector<TimeSeries> series_;
  std::map<std::uint64_t, StallTimes> files_;
  std::map<std::uint32_t, StallTimes> sizes_;
};

}  // namespace feedrate

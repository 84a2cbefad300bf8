// How many reads in flight, and how large ones, a storage needs to give all it has. Private to
// find/.
//
// The question of a search is what the storage can feed, so the client's habits must not answer it:
// accelerators that take no time read with 32, 128, 512, ... reads in flight, then with larger
// transfers, until more load moves no more, or a limit is met.
#pragma once

#include <vector>

#include "feedrate/find/session.h"

namespace feedrate {

struct Depth {
  std::uint64_t reads = 0;       // in flight: fewer moved less
  std::uint64_t reads_used = 0;  // of the trials: one step more where that did no harm
  std::uint64_t transfer_bytes = 0;
  // Times the window that keeps the readers busy: more where one late read of many, for which a
  // whole batch waits, left them without room.
  std::uint32_t windows = 1;
  // Of a read: the mean, and the longest seen. Batches are consumed in order, so a window has room
  // for all that comes while one of its reads takes the longest.
  double read_seconds = 0, longest_read_seconds = 0;
  double samples_per_second = 0;  // infinite where storage costs no time
  bool saturated = false;         // more load moved no more
  std::vector<DepthPoint> points;

  // What the readers of so many replicas are, and how far they run ahead: `ahead` times what keeps
  // them busy, within the memory that the search may use. `free_steps`: of accelerators that take
  // no time.
  TrialLoad load_for(const FindOptions& options, const TrainingPlan& plan, std::uint32_t replicas,
                     std::uint32_t ahead, bool free_steps = false) const;
  // Batches that come, or are consumed, while one read takes the longest; 0 where none takes much
  // longer than the others.
  std::uint64_t batches_of_the_longest(const TrainingPlan& plan, std::uint64_t samples_reading,
                                       bool free_steps) const;
  void learn_of_reads(const Session::Outcome& trial);
  void learn_from(const Depth& other) {
    read_seconds = other.read_seconds;
    longest_read_seconds = other.longest_read_seconds;
  }
  // Replicas whose demand at the threshold is what the storage moved.
  double replicas_fed(const TrainingPlan& plan, const FindOptions& options) const;
};

// Samples that one read brings: neighbours come together where files are read in order.
std::uint64_t samples_of_a_read(const TrainingPlan& plan, std::uint64_t transfer_bytes);
// Reads in flight of one reader: large samples are read in several parts at once.
std::uint64_t reads_of_a_reader(const TrainingPlan& plan);

Result<Depth> find_depth(const FindOptions& options, const TrainingPlan& plan, Session& session,
                         std::uint32_t replicas_max, double budget_seconds);

}  // namespace feedrate

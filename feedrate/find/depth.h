// Finds how many reads in flight, and how large ones, a storage needs to give all it has. Private
// to find/.
//
// The question of a search is what the storage can feed, so the client's habits must not answer it.
// Accelerators that take no time read with 32, 128, 512, ... reads in flight, and then with larger
// transfers, until more load moves no more or a limit is met.
#pragma once

#include <vector>

#include "feedrate/find/session.h"

namespace feedrate {

struct Depth {
  std::uint64_t reads = 0;       // in flight: fewer moved less
  std::uint64_t reads_used = 0;  // reads of the trials: one step more, where that did no harm
  std::uint64_t transfer_bytes = 0;
  // The window is this many times the one that keeps the readers busy. It is above 1 where one late
  // read, for which a whole batch waits, left the readers without room.
  std::uint32_t windows = 1;
  // The mean and the longest time of a read. Batches are consumed in order, so a window must have
  // room for everything that comes while one of its reads takes the longest time.
  double read_seconds = 0, longest_read_seconds = 0;
  double samples_per_second = 0;  // infinite where storage costs no time
  bool saturated = false;         // more load moved no more
  std::vector<DepthPoint> points;

  // Returns the readers of this many replicas and how far they run ahead: `ahead` times what keeps
  // them busy, within the memory that the search may use. `free_steps` says that the accelerators
  // take no time.
  TrialLoad load_for(const FindOptions& options, const TrainingPlan& plan, std::uint32_t replicas,
                     std::uint32_t ahead, bool free_steps = false) const;
  // Batches that arrive, or are consumed, while one read takes the longest time; 0 where no read
  // takes much longer than the others.
  std::uint64_t batches_of_the_longest(const TrainingPlan& plan, std::uint64_t samples_reading,
                                       bool free_steps) const;
  void learn_of_reads(const Session::Outcome& trial);
  void learn_from(const Depth& other) {
    read_seconds = other.read_seconds;
    longest_read_seconds = other.longest_read_seconds;
  }
  // Returns the number of replicas whose demand at the threshold equals what the storage moved.
  double replicas_fed(const TrainingPlan& plan, const FindOptions& options) const;
};

// Returns how many samples one read brings. Neighbours come together where files are read in order.
std::uint64_t samples_of_a_read(const TrainingPlan& plan, std::uint64_t transfer_bytes);
// Returns how many reads one reader has in flight: a large sample is read in several parts at once.
std::uint64_t reads_of_a_reader(const TrainingPlan& plan);

Result<Depth> find_depth(const FindOptions& options, const TrainingPlan& plan, Session& session,
                         std::uint32_t replicas_max, double budget_seconds);

}  // namespace feedrate

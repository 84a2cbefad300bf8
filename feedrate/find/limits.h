// What limits the searches of one `find`, and how its time is divided among them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/engine/training_plan.h"
#include "feedrate/find/find.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

struct SearchLimits {
  static constexpr std::uint64_t kReadAheadShare = 4;  // A quarter of a host's memory.

  FindOptions find;
  ClockKind clock = ClockKind::kReal;
  ClientKind first_client = ClientKind::kNative;
  bool framework = false;  // Whether N is found for the framework's habits, too.
  // The framework's N is found even where the budget is short (--both).
  bool framework_first = false;
  double rate_max = 0;  // In bytes/s; 0 means no limit.
  Duration wall{};      // The time of this host that a virtual search may take; 0 means no limit.

  Result<> check_replica(std::uint32_t accelerators) const;
  Result<> check_readers(const std::string& asked, std::uint32_t readers) const;
  // `remedy` says what to do where the data set is too small.
  Result<> check_asked(std::uint64_t accelerators_by_data, std::uint32_t asked,
                       const std::string& remedy) const;
  // Fails with kUsage where --at-least accelerators need more reads in flight than --max-inflight
  // allows `search`, even with the fewest that each of them can have.
  Result<> check_inflight(const FindOptions& search, const TrainingPlan& plan) const;
  // Returns the --budget that leaves `needed` seconds to the search with this client.
  double whole_budget(double needed, ClientKind client) const;
  // Where the search moved at least half of --max-rate, names that option as the limiter.
  void explain(FindResult& result) const;
};

// Deals out the budget: the search for N comes first, and the framework's N gets what is kept for
// it.
class SearchClock {
 public:
  // `wall` tells the time of this host. `begin` is when the command began, or the search where a
  // data set or an index had to be made first.
  SearchClock(const SearchLimits& limits, std::function<Instant()> wall, Instant begin);
  // Fails with kUsage where the whole budget went by while the files were listed, so that nothing
  // is left for the search. `listed` is their path.
  Result<> check_left(const std::string& listed) const;
  // These return the options of a search with the time that it gets.
  FindOptions for_first(FindOptions options) const;
  // Returns none where the budget is too short for the framework's search.
  std::optional<FindOptions> for_framework(FindOptions options, const FindResult& first) const;
  std::string framework_left_out() const;
  // A search names the budget that it alone needs. This turns it into the --budget to give, which
  // holds the other search, too.
  void name_whole_budgets(std::vector<FindResult>& results) const;

 private:
  Duration kept_for_framework() const;
  FindOptions with_clock(FindOptions options, Instant begin) const;

  Duration since(Instant begin) const { return wall_() - begin; }

  const SearchLimits& limits_;
  std::function<Instant()> wall_;
  Instant begin_;
};

}  // namespace feedrate

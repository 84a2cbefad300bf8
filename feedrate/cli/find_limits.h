// The options of `find` that bound its search, and the time that its parts get.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/cli/command.h"
#include "feedrate/cli/option_table.h"
#include "feedrate/engine/training_plan.h"
#include "feedrate/find/find.h"
#include "feedrate/runtime/reactor_group.h"

namespace feedrate {

// What the options come to.
struct SearchLimits {
  FindOptions find;
  ClockKind clock = ClockKind::kReal;
  ClientKind first_client = ClientKind::kNative;
  bool framework = false;        // N for the framework's habits, too
  bool framework_first = false;  // even where the budget is short (--both)
  double rate_max = 0;           // bytes/s; 0: no limit
  Duration wall{};               // of this host, for a virtual search; 0: no limit

  Result<> check_replica(std::uint32_t accelerators) const;
  Result<> check_readers(const std::string& asked, std::uint32_t readers) const;
  // `remedy`: what to do where the data set is too small.
  Result<> check_asked(std::uint64_t accelerators_by_data, std::uint32_t asked,
                       const std::string& remedy) const;
  // With so many at least `search` must not break the limit on reads in flight.
  Result<> check_inflight(const FindOptions& search, const TrainingPlan& plan) const;
  // The --budget of which so many seconds are left to the search with this client.
  double whole_budget(double needed, ClientKind client) const;
  // A limit of ours that the search met is its reason.
  void explain(FindResult& result) const;
};

struct FindLimits {
  std::string au, max, budget, at_least, wall, inflight_max, rate_max, memory;
  bool until_sure = false, only_n = false, both = false;

  void declare(OptionTable& table);
  Result<SearchLimits> resolve(ClockKind clock, ClientKind client, Workload& workload) const;

 private:
  Result<> resolve_budget(ClockKind clock, SearchLimits& limits) const;
};

// Deals out the budget: the search for N comes first, the framework's N gets what is kept for it.
class SearchClock {
 public:
  // `begin`: of the command, or of the search where a data set or an index had to be made first.
  SearchClock(const SearchLimits& limits, std::chrono::steady_clock::time_point begin);
  // kUsage where nothing of the budget is left for the search: listing the files took all of it.
  Result<> check_left(const std::string& listed) const;
  FindOptions for_first() const;
  // None where the budget is too short for it.
  std::optional<FindOptions> for_framework(const FindResult& first) const;
  std::string framework_left_out() const;
  // A search names the budget that it needs itself; what is to be given with --budget holds the
  // other search, too.
  void name_whole_budgets(std::vector<FindResult>& results) const;

 private:
  Duration kept_for_framework() const;
  FindOptions with_clock(FindOptions options, std::chrono::steady_clock::time_point begin) const;

  const SearchLimits& limits_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace feedrate

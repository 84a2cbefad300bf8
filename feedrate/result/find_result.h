// What a run of `find` has to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/run_result.h"

namespace feedrate {

// One trial of `find`.
struct TrialResult {
  std::uint32_t accelerators = 0;
  // Accelerators that take no time: what does the storage move with so many reads in flight?
  bool free_steps = false;
  std::uint64_t reads_in_flight = 0;  // that the readers allow
  double begin_seconds = 0;           // of the search
  double seconds = 0;
  std::uint64_t steps = 0;
  // Sustained AU over so much of the trial; none where it was too short for a step, or for one
  // whose steps took no time. `upper_bound`: no step ended, and it is at most this.
  std::optional<double> utilisation;
  bool upper_bound = false;
  double measured_seconds = 0;
  double samples_per_second = 0, bytes_per_second = 0;  // that were read
};

// All looks of a search at one number of accelerators.
struct FindPoint {
  std::uint32_t accelerators = 0;
  double utilisation = 0, half_width = 0;  // that holds however often it is looked at
  double seconds = 0;                      // measured
  std::uint32_t looks = 0;
  std::string verdict;  // "fed", "not-fed", "edge" (within 0.2 points), "open"
  // What carries the verdict: "" its own looks, "other-numbers" or the "rate" of the storage, where
  // its own figures leave it open.
  std::string decided_by = {};
};

// The reads in flight that a search asked for, and what the storage moved then.
struct DepthPoint {
  std::uint64_t reads_in_flight = 0, transfer_bytes = 0;
  double bytes_per_second = 0;
  double seconds = 0;  // tried
};

// What a storage feeds when every byte is read for the first time, where that differs from what it
// feeds when the data set is read again.
struct ColdAnswer {
  std::uint32_t accelerators = 0, accelerators_low = 0, accelerators_high = 0;
  double bytes_per_second = 0, again_bytes_per_second = 0;  // moved at the first, at later readings
};

struct FindResult {
  std::string client;
  // Of the trials, but for the number of accelerators, which is that of the last.
  JobFacts job;
  DatasetFacts dataset;
  std::string io, clock;  // that were used
  std::uint32_t reactors = 0;
  std::map<std::string, std::uint64_t> seeds;
  std::vector<std::string> warnings;
  std::vector<ErrorCount> errors;
  // The number, and the interval that it lies in: between the most that are proven fed and the
  // fewest that are proven not to be fed. 0 when not even one is.
  std::uint32_t accelerators = 0, accelerators_low = 0, accelerators_high = 0;
  bool measured = false;  // false: nothing could be told at all
  // Of a search that was interrupted before it looked at a number: what the storage moved, and how
  // many that would feed. 0: not known.
  std::uint32_t by_rate = 0;
  double rate_bytes_per_second = 0;
  std::uint32_t limit = 0;  // that the data set or --max allowed
  std::string limited_by;   // "storage", "client-cpu", "open", "data-set", "--max", "unknown", ...
  std::string reason;       // one sentence
  std::vector<std::string> findings;             // what else the user should know
  double narrower_budget_seconds = 0;            // that would tell; 0: nothing more to tell
  std::uint32_t narrower_numbers = 1;            // that it would leave; 1: it would tell
  double budget_seconds = 0, spent_seconds = 0;  // 0: no budget
  std::uint64_t samples_max = 0;                 // that it might read; 0: no limit
  bool samples_read = false;                     // all of those
  // Where nothing was measured: a budget that is likely to hold a first look; 0: not known.
  double first_look_budget_seconds = 0;
  bool repeatable = true;  // false: cut by the time of this host
  // --at-least: "", "pass", "fail" or "undecided".
  std::uint32_t asked = 0;
  std::string answer;
  // Where the data set was read once and then again: the figures above are of later readings.
  bool read_again = false;
  bool just_written = false;       // all that was read: whether caches held it cannot be told
  bool most_tried = false;         // the search ended at as many as are tried when nobody says more
  std::optional<ColdAnswer> cold;  // none where both readings are alike
  double job_times_larger = 0;     // the job's data set than this one; 0: not known
  double noise_seconds = 0, correlation_seconds = 0;  // see find/noise.h
  std::uint64_t depth_reads = 0;                      // in flight, as many as were needed
  std::uint64_t transfer_bytes = 0;
  double read_ahead_bytes = 0;  // at the answer, over all accelerators
  std::vector<DepthPoint> depths;
  bool saturated = false;              // more load moved no more
  std::vector<FindPoint> points;       // by number of accelerators
  std::vector<TrialResult> trials;     // in the order they were made
  std::optional<RunResult> at_answer;  // of the most that are fed; none when there is none
  std::optional<RunResult> beyond;     // of the fewest that are not fed; none when there is none
  bool interrupted = false;
  ClientCeiling ceiling;

  // How the answer is told: "number", "range", "edge" (within 0.2 points of the threshold),
  // "verdict" (of --at-least), "by-rate" (nothing was proven), "unknown".
  std::string form() const;
  // As many as the limit are fed: more may be, too.
  bool open_above() const { return accelerators_high == limit; }
  // The budget was too short for anything to be measured.
  bool is_too_short() const;
  // One that may be long enough then; 0: it was long enough.
  double suggested_budget_seconds() const;
  // Half the width of the 95 % interval of a rate that is measured for a second; 0: not known.
  double rate_error_of_a_second() const;
  double utilisation_at(std::uint32_t number) const;  // of all looks there; 0: none
};

struct FindReport : Envelope {
  // The search with the client that was asked for and, where there was time, with the framework's.
  std::vector<FindResult> searches;

  // The budget that would hold all that is still open; 0: nothing is, or it was interrupted.
  double narrower_budget_seconds() const;
  std::uint32_t narrower_numbers() const;  // that it would leave; 1: it would tell
  std::string narrower_of() const;  // "", "both", "the framework's number": what it would tell
};

// FindPoint::decided_by of one of the result's points.
std::string decided_by(const FindResult& result, const FindPoint& point);
// "20 x h100 (19 to 21)": the number with its interval.
std::string answer_text(const FindResult& result);
// "between 16 and 24 x h100": what is known so far.
std::string range_text(const FindResult& result);
std::string verdict_of(const FindReport& report);

}  // namespace feedrate

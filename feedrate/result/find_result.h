// The result of `find` as plain values. Durations are in seconds, sizes in bytes.
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
  // Whether steps took no time. Such a trial shows how much the storage moves with these reads in
  // flight.
  bool free_steps = false;
  std::uint64_t reads_in_flight = 0;  // The most reads in flight that the readers allow.
  double begin_seconds = 0;           // Counts from the begin of the search.
  double seconds = 0;
  std::uint64_t steps = 0;
  // The sustained AU over the last `measured_seconds` of the trial. It is not set where the trial
  // was too short for a step, or where steps took no time. With `upper_bound` no step ended, and
  // the AU is at most this.
  std::optional<double> utilisation;
  bool upper_bound = false;
  double measured_seconds = 0;
  double samples_per_second = 0, bytes_per_second = 0;  // The rates count what was read.
};

// All looks of a search at one number of accelerators.
struct FindPoint {
  std::uint32_t accelerators = 0;
  // Half the width of an interval that stays valid however often the number is looked at.
  double utilisation = 0, half_width = 0;
  double seconds = 0;  // The measured time of all looks.
  std::uint32_t looks = 0;
  std::string verdict;  // "fed", "not-fed", "edge" (within 0.2 points), "open"
  // Says what the verdict rests on: "" for its own looks; "other-numbers" or "rate" (that of the
  // storage) where its own figures leave it open.
  std::string decided_by = {};
};

// One number of reads in flight that a search tried, and what the storage moved with it.
struct DepthPoint {
  std::uint64_t reads_in_flight = 0, transfer_bytes = 0;
  double bytes_per_second = 0;
  double seconds = 0;  // How long it was tried.
};

// The answer for bytes that are read for the first time, where it differs from the answer for a
// data set that is read again.
struct ColdAnswer {
  std::uint32_t accelerators = 0, accelerators_low = 0, accelerators_high = 0;
  // What the storage moved at the first reading, and at later ones.
  double bytes_per_second = 0, again_bytes_per_second = 0;
};

struct FindResult {
  std::string client;
  // The job of the trials; its number of accelerators is that of the last one.
  JobFacts job;
  DatasetFacts dataset;
  std::string io, clock;  // The I/O mode and the clock that were used.
  std::uint32_t reactors = 0;
  std::map<std::string, std::uint64_t> seeds;
  std::vector<std::string> warnings;
  std::vector<ErrorCount> errors;
  // The answer, and the interval that it lies in: from the most accelerators that are proven fed to
  // the fewest that are proven not to be. It is 0 when not even one is fed.
  std::uint32_t accelerators = 0, accelerators_low = 0, accelerators_high = 0;
  bool measured = false;  // False when nothing could be told at all.
  // For a search that was interrupted before it looked at a number: what the storage moved, and how
  // many accelerators that would feed. 0 means not known.
  std::uint32_t by_rate = 0;
  double rate_bytes_per_second = 0;
  std::uint32_t limit = 0;  // The most accelerators that the data set or --max allowed.
  // What keeps the answer from being more: "storage", "client-cpu", "open", "data-set", "--max",
  // "unknown", ...
  std::string limited_by;
  std::string reason;                 // Explains `limited_by` in one sentence.
  std::vector<std::string> findings;  // Further facts that the user should know.
  // The budget that would settle the number; 0 when nothing is open.
  double narrower_budget_seconds = 0;
  std::uint32_t narrower_numbers = 1;  // The numbers it would leave; 1 means it settles it.
  double budget_seconds = 0, spent_seconds = 0;  // A budget of 0 means that there is none.
  std::uint64_t samples_max = 0;  // The samples that the search might read; 0 means no limit.
  bool samples_read = false;      // Whether it read all of `samples_max`.
  // Where nothing was measured: a budget that is likely to hold a first look; 0 means not known.
  double first_look_budget_seconds = 0;
  // Whether the same command finds the same again, which holds only on the virtual clock, and only
  // where --wall did not cut the search.
  bool repeatable = true;
  // For --at-least: the number that was asked about, and "pass", "fail" or "undecided"; 0 and ""
  // without it.
  std::uint32_t asked = 0;
  std::string answer;
  // Whether the data set was read once and then again; the figures above are then of later
  // readings.
  bool read_again = false;
  // Whether all that was read had just been written, so that nobody can tell whether caches held
  // it.
  bool just_written = false;
  // Whether the search ended at the most accelerators that are tried without --max.
  bool most_tried = false;
  std::optional<ColdAnswer> cold;  // Not set where both readings are alike.
  // How many times as large as this data set the job's is; 0 means not known.
  double job_times_larger = 0;
  double noise_seconds = 0, correlation_seconds = 0;  // Explained in find/noise.h.
  // The reads in flight that were enough for the most the storage moves.
  std::uint64_t depth_reads = 0;
  std::uint64_t transfer_bytes = 0;
  double read_ahead_bytes = 0;  // Of the trial at the answer, over all accelerators.
  std::vector<DepthPoint> depths;
  bool saturated = false;           // More reads in flight moved no more bytes.
  std::vector<FindPoint> points;    // Ascending by the number of accelerators.
  std::vector<TrialResult> trials;  // In the order in which they were made.
  // The run of the last look at `accelerators_low`; not set when there was none.
  std::optional<RunResult> at_answer;
  // The run of the last look at the fewest that are not fed; not set when there was none.
  std::optional<RunResult> beyond;
  bool interrupted = false;
  ClientCeiling ceiling;

  // Returns how the answer is told: "number", "range", "edge" (within 0.2 points of the threshold),
  // "verdict" (of --at-least), "by-rate" (nothing was proven) or "unknown".
  std::string form() const;
  // Returns whether as many as the limit may be fed, so that more might be, too.
  bool open_above() const { return accelerators_high == limit; }
  // Returns whether the budget was too short for anything to be measured.
  bool is_too_short() const;
  // Returns a budget that may be long enough then; 0 when it was long enough.
  double suggested_budget_seconds() const;
  // Returns half the width of the 95 % interval of a rate that is measured for one second; 0 when
  // that is not known.
  double rate_error_of_a_second() const;
  // The AU of all looks at this number; 0 when there was none.
  double utilisation_at(std::uint32_t number) const;
};

struct FindReport : Envelope {
  // First the search with the client that was asked for, then, where there was time, the one with
  // the framework's.
  std::vector<FindResult> searches;

  // Returns the budget in which both searches would settle all that is open; 0 when nothing is open
  // or the search was interrupted.
  double narrower_budget_seconds() const;
  std::uint32_t narrower_numbers() const;  // The numbers it would leave; 1 means it settles it.
  // Says what that budget would settle: "", "both" or "the framework's number".
  std::string narrower_of() const;
};

// Returns what FindPoint::decided_by must be for one of the result's points.
std::string decided_by(const FindResult& result, const FindPoint& point);
// Returns the number with its interval: "20 x h100 (19 to 21)".
std::string answer_text(const FindResult& result);
// Returns what is known so far: "between 16 and 24 x h100".
std::string range_text(const FindResult& result);
std::string verdict_of(const FindReport& report);

}  // namespace feedrate

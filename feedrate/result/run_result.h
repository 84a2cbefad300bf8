// RunResult: everything that a run of `train` has to say, as a plain value. Text, JSON and reports
// are views of it and add no facts. docs/result-schema.md describes the JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/stats/histogram.h"

namespace feedrate {

inline constexpr int kResultSchemaVersion = 1;

struct LatencySummary {
  std::uint64_t count = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
  // Raw histogram: lower bound of each bucket that holds something [ns], and how many. Relative
  // width of a bucket is under 1/64.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets_ns;
};
LatencySummary summarise_latency(const Histogram& nanoseconds);

struct HostFacts {
  std::string name, kernel, cpu, build;
  std::uint32_t cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string date;  // UTC, ISO 8601
};

// Sums over one second of the run (or more, when a run is long: `interval_seconds`).
struct SeriesPoint {
  double samples = 0, bytes = 0, compute_seconds = 0;
};

struct ErrorCount {
  std::string kind;  // "io", "short-read", "corrupt", ...
  std::uint64_t count = 0;
  std::string first_message;  // names path and offset
};

// What the bytes of the samples went through once they were there, and its price on this host.
struct ByteProcessing {
  std::string level = "raw";  // "raw", "verify", "decode"
  std::uint64_t samples = 0, bytes = 0;
  std::uint64_t decoded_bytes = 0;  // tensors that came out; 0 unless decoded
  double cpu_seconds = 0;           // 0 when the clock is virtual: nothing is processed then
};

// Accelerator-time lost to one cause: while an accelerator's own batch was not there, and while
// another rank's was not (it waits for the slowest; the cause is that one's).
struct StallShare {
  std::string cause;  // "startup", "queue", "open", "first-byte", "transfer", "decode", ...
  std::int64_t own_ns = 0, carried_ns = 0;
};
struct RankStallResult {
  std::uint32_t rank = 0;
  std::int64_t compute_ns = 0;
  std::vector<StallShare> causes;  // those that are not zero
};
// Where the stalls of a cause came from, the worst of each kind.
struct StallPlace {
  std::string cause, kind, name;  // kind: "file", "directory", "read-size"
  std::int64_t ns = 0;            // own stalls of 20 us and more
};
// Every accelerator-second of the run, from the first read to the end of the last step:
// wall = compute + all causes, exactly. Accelerators that share a model count as one, a rank.
struct StallResult {
  std::int64_t wall_ns = 0;  // replicas (else accelerators) x run time
  std::int64_t compute_ns = 0;
  std::vector<StallShare> causes;  // all of them, always in the same order
  std::vector<RankStallResult> ranks;
  double interval_seconds = 1;
  std::vector<std::vector<double>> series;  // by interval: accelerator-seconds lost, by cause
  std::vector<StallPlace> places;
};

// The samples of one epoch: what they take in the files, what reads returned, and which share of
// the data set this host's page cache held before and after (where that was looked at).
struct EpochIo {
  std::uint64_t epoch = 0;
  std::uint64_t located_bytes = 0, returned_bytes = 0;
  std::optional<double> resident_before, resident_after;
};
// More of a run than this in which this host did not let the client run, and it does not count.
inline constexpr double kHostShareMax = 0.05;

// Time in which the client should have run but this host did not let it. Wall time of the thread
// that was held back longest, but for the last two.
struct HostTime {
  double stopped_seconds = 0;        // the process: SIGSTOP, a debugger, a freezer
  double quota_seconds = 0;          // the CPU quota of its control group was used up
  double stolen_seconds = 0;         // the hypervisor ran another guest
  double throttled_cpu_seconds = 0;  // cpu.stat: by quotas, summed over processors
  double stolen_cpu_seconds = 0;     // /proc/stat: steal, summed over processors
  double seconds() const { return stopped_seconds + quota_seconds + stolen_seconds; }
};

// Where the bytes came from.
struct IoLedger {
  std::vector<EpochIo> epochs;
  std::uint64_t probe_bytes = 0;  // read before the run, to learn what one read takes
  std::string wire;               // what was counted: "ext4 on vda1", "NFS 4.2 from srv:/export"
  std::string wire_unknown;       // or why nothing was
  double wire_bytes_per_second_max = 0;  // a network interface's speed; 0: not known, or no network
  std::optional<std::uint64_t> wire_read_bytes;  // during the run, others' reads of it included
  // What this process's control group had the same device read; none where nobody counts it.
  std::optional<std::uint64_t> cgroup_read_bytes;
  std::optional<double> resident_before, resident_after;  // of the whole run
  std::string residency_method;  // "cachestat", "mincore", or why it is not known
  // What lies at the bottom of the data set's path: "storage", "memory", "network", "unknown"; ""
  // where nothing is read. And why, for memory and unknown: "tmpfs keeps its files in memory".
  std::string origin, origin_reason;
  std::string shrunk;  // why the device moves fewer bytes than the files have; "" if it does not
  std::optional<std::uint64_t> process_read_bytes;  // that this process had storage read
  // Shares of the bytes that reads moved; none where nobody can tell, or nothing was read. Memory
  // is that below the file system: tmpfs, zram, the cache of a loop device's file.
  std::optional<double> storage_share, page_cache_share, memory_share;
  // What the shares rest on: "device counter", "process counter", "network counter", "direct I/O",
  // "residency", "file system".
  std::string basis;
};

// What this host's client does when storage costs nothing: the same run against null storage with
// steps that take no time, plus what checking or decoding took a sample in the run itself.
struct ClientCeiling {
  double seconds = 0;  // of that trial; 0: there was none
  double samples_per_second = 0;
  double accelerators = 0;            // of this type that it could feed
  double cpu_seconds_per_sample = 0;  // of the client alone
};
// What keeps the accelerators from more, and the figures behind the word.
struct Limiter {
  std::string kind;  // "storage", "client", "window", "network", "decode", ...; "" for no run
  std::string text;  // one sentence
};

struct EpochResult {
  std::uint64_t epoch = 0, steps = 0;
  double seconds = 0;  // end of the first step to end of the last
  double accelerator_utilisation = 0;
};

// Another set's step time of the same accelerator: its samples/s over those that were used.
struct OtherTiming {
  std::string set;
  double speed_ratio = 1;
};

// Checkpoints in the middle of the run.
struct RunCheckpoints {
  std::string model, directory, layout, mode, every;  // "synchronous", ...; "500 steps"
  std::uint64_t ranks = 0, count = 0;
  std::uint64_t bytes = 0, stored_bytes = 0;  // of the last; of all, written
  double blocked_seconds = 0;                 // training stood, in all
  double blocked_median_seconds = 0, restorable_median_seconds = 0;
};

struct RunResult {
  std::string workload, workload_title, accelerator, timing_source;
  std::string timing_set;  // "storage-benchmark", "measured", "user", ...
  std::vector<OtherTiming> other_timings;
  std::uint32_t accelerators = 0, batch_samples = 0;
  // Of model-parallel jobs batch and step are those of a replica, which reads once for its
  // accelerators; else every accelerator is one.
  std::uint32_t replicas = 0, tensor_parallel = 1, pipeline_parallel = 1, micro_batches = 1;
  double pipeline_bubble = 0;  // share of a step in which a stage has nothing to do
  double compute_seconds_per_batch = 0;
  double demand_bytes_per_second = 0;  // of one accelerator that never waits
  double au_threshold = 0;

  std::map<std::string, std::string> requested;  // settings as the user gave them
  std::map<std::string, std::string> effective;  // what was used
  std::map<std::string, std::uint64_t> seeds;
  HostFacts host;

  std::string dataset_directory, dataset_format;
  std::uint64_t dataset_files = 0, dataset_samples = 0, dataset_bytes = 0;

  // MLPerf Storage's definition: nominal compute time over run time, without the first step (of
  // each epoch with the faithful client, whose loader starts anew); epochs weighted by length.
  double accelerator_utilisation = 0;
  // Nominal compute time over wall time in the steady state (engine/train.h, SteadyState), over so
  // many steps; 0 of 0 steps where a run was too short to have one.
  double sustained_utilisation = 0;
  std::uint64_t steady_steps = 0;
  // What the accelerators took at that utilisation: never more than they demand.
  double sustained_samples_per_second = 0, sustained_bytes_per_second = 0;
  std::vector<EpochResult> epochs;
  std::uint64_t steps = 0, samples = 0;
  double seconds = 0;                         // first read to end of last step
  double samples_per_second = 0;              // consumed, first step included
  double samples_per_second_after_first = 0;  // without the first step of the run; 0: it had one
  double bytes_per_second = 0;                // of those samples, at their mean size
  double read_bytes_per_second = 0;  // what storage calls moved: read-ahead and alignment included
  double read_ahead_bytes = 0;       // of samples that were read and that nobody consumed
  std::uint64_t bytes_asked = 0;     // what the samples needed
  std::uint64_t bytes_moved = 0;     // what the calls moved, alignment included
  std::uint64_t opens = 0, reads = 0, samples_read = 0;
  double first_batch_seconds = 0;  // until every accelerator had its first batch
  LatencySummary open_latency, read_latency;
  // Mean number of reads and opens in flight, and how many the readers allow.
  double in_flight_mean = 0;
  std::uint64_t in_flight_limit = 0;
  double unloaded_read_ms = 0;  // of one read without company; 0: not known
  double interval_seconds = 1;
  std::vector<SeriesPoint> series;

  double cpu_user_seconds = 0, cpu_system_seconds = 0;  // of the whole process during the run
  std::uint32_t reactors = 0;
  double busiest_reactor_utilisation = 0;  // CPU time of the busiest reactor thread over seconds
  double busiest_reactor_waiting = 0;      // share of the time that it was ready, but had no core
  std::uint64_t peak_memory_bytes = 0;

  ByteProcessing processing;
  StallResult stalls;
  HostTime host_time;
  std::optional<RunCheckpoints> checkpoints;
  IoLedger io;
  ClientCeiling ceiling;
  Limiter limiter;
  std::vector<ErrorCount> errors;
  std::vector<std::string> warnings;
  bool interrupted = false;
  bool valid = true;
  std::vector<std::string> invalid_reasons;  // each with its remedy
};

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
  std::string verdict;  // "fed", "starve", "edge" (within 0.2 points), "open"
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
  std::string client, accelerator;
  double au_threshold = 0;
  // The number, and the interval that it lies in: between the most that are proven fed and the
  // fewest that are proven to starve. 0 when one starves.
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
  std::optional<RunResult> beyond;     // of the fewest that starve; none when there is none
  std::optional<RunResult> any;        // of whatever number: its job is every trial's
  bool interrupted = false;
  ClientCeiling ceiling;
  std::string timing_set;
  std::vector<OtherTiming> other_timings;
};

// Judges a run by its own figures: CPU, readers in flight against their latency, the network.
Limiter find_limiter(const RunResult& run);

HostFacts collect_host_facts(std::string_view build);

// JSON with keys in a fixed order; equal values give equal text.
std::string to_json(const RunResult& result);
std::string to_json(const std::vector<FindResult>& results);
// Reads to_json's text back; kCorrupt names the key that is missing or wrong.
Result<RunResult> run_result_from_json(std::string_view text);

// What a person reads in ten seconds. Ends with a newline.
// "14 tfrecord files, 17,514 samples, 1.9 GiB".
std::string describe_dataset(std::string_view format, std::uint64_t files, std::uint64_t samples,
                             std::uint64_t bytes);
std::string render_text(const RunResult& result);
// "20 x h100 (19 to 21)": the number with its interval.
std::string answer_text(const FindResult& result);
// "between 16 and 24 x h100": what is known so far.
std::string range_text(const FindResult& result);
// The search, and behind it that of the framework's client where there was one.
std::string render_text(const std::vector<FindResult>& results);

}  // namespace feedrate

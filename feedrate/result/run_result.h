// RunResult: what a run of `train` has to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "feedrate/result/report.h"

namespace feedrate {

// Sums over one second of the run (or more, when a run is long: `interval_seconds`).
struct SeriesPoint {
  double samples = 0, bytes = 0, compute_seconds = 0;
};

// What the bytes of the samples went through once they were there, and its price on this host.
struct ByteProcessing {
  std::string level = "raw";  // "raw", "verify", "decode"
  std::uint64_t samples = 0, bytes = 0;
  std::uint64_t decoded_bytes = 0;  // tensors that came out; 0 unless decoded
  double cpu_seconds = 0;           // 0 when the clock is virtual: nothing is processed then
  double cpu_seconds_per_sample() const {
    return samples > 0 ? cpu_seconds / static_cast<double>(samples) : 0;
  }
  double bytes_per_cpu_second() const {  // of one core; 0: not known
    return cpu_seconds > 0 ? static_cast<double>(bytes) / cpu_seconds : 0;
  }
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
// Of the accelerators' time.
struct StallFraction {
  std::string cause;
  double fraction = 0;
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

  std::int64_t lost_ns() const { return wall_ns - compute_ns; }
  double lost_fraction() const;                  // of the wall time
  double carried_fraction() const;               // of the wall time: waiting for a slower rank
  std::vector<StallFraction> fractions() const;  // by cause, the largest first
  // The file or directory that cost most, where it is a tenth of what was lost or more.
  std::optional<StallPlace> worst_place() const;
  double worst_place_fraction() const;  // of what was lost; 0: there is none
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

// The no-storage ceiling: what this host's client does when storage takes no time, the same run
// against null storage with steps that take no time, plus what checking or decoding took a sample
// in the run itself.
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
  double blocked_seconds = 0;                 // in which no step was made, in all
  double blocked_median_seconds = 0, restorable_median_seconds = 0;
};

// Which emulated job: whose step times, how many accelerators, what each asks for.
struct JobFacts {
  std::string workload, title, accelerator, timing_source;
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
  std::uint32_t replica_accelerators() const { return tensor_parallel * pipeline_parallel; }
  double replica_demand_bytes_per_second() const {
    return demand_bytes_per_second * replica_accelerators();
  }
};

struct DatasetFacts {
  std::string directory, format;
  std::uint64_t files = 0, samples = 0, bytes = 0;
};

struct RunResult : Envelope {
  JobFacts job;
  DatasetFacts dataset;

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
  double unloaded_read_ms = 0;  // of one read by itself; 0: not known
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

  bool fed() const { return valid && sustained_utilisation >= job.au_threshold; }
  double reads_per_second() const { return seconds > 0 ? static_cast<double>(reads) / seconds : 0; }
  // Bytes moved over those asked for: alignment makes it more than 1. 0: nothing was asked for.
  double moved_over_asked() const;
  // Of this host's CPU time for a gigabyte moved. 0: not known.
  double cpu_seconds_per_gigabyte() const;
  double checkpoint_blocked_fraction() const {  // of the run
    return checkpoints && seconds > 0 ? checkpoints->blocked_seconds / seconds : 0;
  }
};

// Judges a run by its own figures: CPU, readers in flight against their latency, the network.
Limiter find_limiter(const RunResult& run);

// "8 x h100 fed: AU 99.2 % (threshold 90.0 %), 1.6 GB/s", or why it is INVALID.
std::string verdict_of(const RunResult& run);
// "14 tfrecord files, 17,514 samples, 1.9 GiB".
std::string describe_dataset(std::string_view format, std::uint64_t files, std::uint64_t samples,
                             std::uint64_t bytes);

}  // namespace feedrate

// The result of a run of `train` as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "feedrate/result/report.h"

namespace feedrate {

// Sums over one interval of the run: a second, or more when the run is long (`interval_seconds`).
struct SeriesPoint {
  double samples = 0, bytes = 0, compute_seconds = 0;
};

// How the bytes of the samples were processed once they were read, and the CPU time that this took
// on this host.
struct ByteProcessing {
  std::string level = "raw";  // "raw", "verify", "decode"
  std::uint64_t samples = 0, bytes = 0;
  // The size of the tensors that came out; 0 unless the level is "decode".
  std::uint64_t decoded_bytes = 0;
  double cpu_seconds = 0;  // 0 on the virtual clock, where nothing is processed.
  double cpu_seconds_per_sample() const {
    return samples > 0 ? cpu_seconds / static_cast<double>(samples) : 0;
  }
  double bytes_per_cpu_second() const {  // The rate of one core; 0 when it is not known.
    return cpu_seconds > 0 ? static_cast<double>(bytes) / cpu_seconds : 0;
  }
};

// Accelerator-time that was lost to one cause. It is "own" while the accelerator's own batch was
// not there, and "carried" while another rank's was not: all wait for the slowest rank, and the
// cause is that rank's.
struct StallShare {
  std::string cause;  // "startup", "queue", "open", "first-byte", "transfer", "decode", ...
  std::int64_t own_ns = 0, carried_ns = 0;
};
struct RankStallResult {
  std::uint32_t rank = 0;
  std::int64_t compute_ns = 0;
  std::vector<StallShare> causes;  // The causes that are not zero.
};
// A share of the accelerators' time that was lost to one cause.
struct StallFraction {
  std::string cause;
  double fraction = 0;
};
// A place where stalls of one cause came from: the worst one of each kind.
struct StallPlace {
  std::string cause, kind, name;  // The kind is "file", "directory" or "read-size".
  std::int64_t ns = 0;            // Only own stalls of 20 us and more count.
};
// Accounts for every accelerator-second of the run, from the first read to the end of the last
// step: wall = compute + all causes, exactly. Accelerators that share a model count as one rank.
struct StallResult {
  // Run time times the number of replicas, or of accelerators where each has a model of its own.
  std::int64_t wall_ns = 0;
  std::int64_t compute_ns = 0;
  std::vector<StallShare> causes;  // All causes, always in the same order.
  std::vector<RankStallResult> ranks;
  double interval_seconds = 1;
  // By interval, then by cause: the accelerator-seconds that were lost.
  std::vector<std::vector<double>> series;
  std::vector<StallPlace> places;

  std::int64_t lost_ns() const { return wall_ns - compute_ns; }
  double lost_fraction() const;     // A share of the wall time.
  double carried_fraction() const;  // The share of the wall time spent waiting for a slower rank.
  std::vector<StallFraction> fractions() const;  // One for each cause, the largest first.
  // Returns the file or directory that cost most, if that is a tenth or more of what was lost.
  std::optional<StallPlace> worst_place() const;
  double worst_place_fraction() const;  // Its share of what was lost; 0 where there is none.
};

// The I/O of one epoch: the bytes that its samples take in the files, the bytes that reads
// returned, and the share of the data set that this host's page cache held before and after, where
// that was looked at.
struct EpochIo {
  std::uint64_t epoch = 0;
  std::uint64_t located_bytes = 0, returned_bytes = 0;
  std::optional<double> resident_before, resident_after;
};
// A run does not count when this host kept the client from running for more than this share of it.
inline constexpr double kHostShareMax = 0.05;

// Time in which the client should have run but this host did not let it, in wall time of the thread
// that was held back longest; the last two figures count CPU time instead.
struct HostTime {
  double stopped_seconds = 0;  // The process was stopped, by SIGSTOP, a debugger or a freezer.
  double quota_seconds = 0;    // The CPU quota of its control group was used up.
  double stolen_seconds = 0;   // The hypervisor ran another guest.
  double throttled_cpu_seconds = 0;  // Throttled by quotas, summed over processors, from cpu.stat.
  double stolen_cpu_seconds = 0;     // The steal time of /proc/stat, summed over processors.
  double seconds() const { return stopped_seconds + quota_seconds + stolen_seconds; }
};

// Evidence of where the bytes came from.
struct IoLedger {
  std::vector<EpochIo> epochs;
  // Bytes that were read before the run, to learn how long one read takes.
  std::uint64_t probe_bytes = 0;
  std::string wire;          // Names what was counted: "ext4 on vda1", "NFS 4.2 from srv:/export".
  std::string wire_unknown;  // Says why nothing was counted, or is "".
  // The speed of the network interface; 0 when it is not known or there is none.
  double wire_bytes_per_second_max = 0;
  // During the run; reads by other processes are in it.
  std::optional<std::uint64_t> wire_read_bytes;
  // The bytes that this process's control group read from the same device; not set where nobody
  // counts them.
  std::optional<std::uint64_t> cgroup_read_bytes;
  std::optional<double> resident_before, resident_after;  // Before and after the whole run.
  // The call that told it ("cachestat", "mincore"), or why it is not known.
  std::string residency_method;
  // Names what lies at the bottom of the data set's path: "storage", "memory", "network" or
  // "unknown"; "" where nothing is read. The reason is given for memory and unknown: "tmpfs keeps
  // its files in memory".
  std::string origin, origin_reason;
  // Says why the device moves fewer bytes than the files have; "" when it does not.
  std::string shrunk;
  std::optional<std::uint64_t> process_read_bytes;  // The bytes that this process had storage read.
  // Shares of the bytes that reads moved; not set where nobody can tell or nothing was read. The
  // memory is that below the file system: tmpfs, zram, the cache of a loop device's file.
  std::optional<double> storage_share, page_cache_share, memory_share;
  // The evidence for the shares: "device counter", "process counter", "network counter", "direct
  // I/O", "residency" or "file system".
  std::string basis;
};

// The no-storage ceiling: how much this host's client can do when storage takes no time. It comes
// from the same run against null storage with steps that take no time; what checking or decoding
// took for a sample in the run itself is added.
struct ClientCeiling {
  double seconds = 0;  // The length of that trial; 0 when there was none.
  double samples_per_second = 0;
  double accelerators = 0;            // How many accelerators of this type it could feed.
  double cpu_seconds_per_sample = 0;  // Of the client alone, without checking or decoding.
};
// What keeps the accelerators from doing more, as a word and as a sentence with figures.
struct Limiter {
  // "storage", "client", "window", "network", "decode", ...; "" when there was no run.
  std::string kind;
  std::string text;  // One sentence.
};

struct EpochResult {
  std::uint64_t epoch = 0, steps = 0;
  double seconds = 0;  // From the end of the first step to the end of the last.
  double accelerator_utilisation = 0;
};

// A step time of the same accelerator from another set: `speed_ratio` is its samples/s divided by
// those of the step time that was used.
struct OtherTiming {
  std::string set;
  double speed_ratio = 1;
};

// Checkpoints in the middle of the run.
struct RunCheckpoints {
  // The mode is "synchronous", ...; `every` is like "500 steps".
  std::string model, directory, layout, mode, every;
  std::uint64_t ranks = 0, count = 0;
  // The size of the last one; the bytes that were written for all of them.
  std::uint64_t bytes = 0, stored_bytes = 0;
  double blocked_seconds = 0;  // The whole time in which no step was made because of them.
  double blocked_median_seconds = 0, restorable_median_seconds = 0;
};

// The emulated job: where its step times come from, how many accelerators it has, and how much each
// asks for.
struct JobFacts {
  std::string workload, title, accelerator, timing_source;
  std::string timing_set;  // "storage-benchmark", "measured", "user", ...
  std::vector<OtherTiming> other_timings;
  std::uint32_t accelerators = 0, batch_samples = 0;
  // In a model-parallel job the batch and the step are those of a replica, which reads once for all
  // of its accelerators. In any other job every accelerator is a replica.
  std::uint32_t replicas = 0, tensor_parallel = 1, pipeline_parallel = 1, micro_batches = 1;
  double pipeline_bubble = 0;  // The share of a step in which a pipeline stage has nothing to do.
  double compute_seconds_per_batch = 0;
  // The bytes/s that one accelerator takes when it never waits.
  double demand_bytes_per_second = 0;
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

  // The AU by MLPerf Storage's definition: nominal compute time over run time, without the first
  // step. With the faithful client the first step of each epoch is left out, because its loader
  // starts anew. Epochs are weighted by their length.
  double accelerator_utilisation = 0;
  // Nominal compute time over wall time in the steady state (SteadyState in engine/train.h), which
  // lasted for `steady_steps`. Both are 0 where a run was too short to have a steady state.
  double sustained_utilisation = 0;
  std::uint64_t steady_steps = 0;
  // The rates that the accelerators took at that utilisation, which are never more than they
  // demand.
  double sustained_samples_per_second = 0, sustained_bytes_per_second = 0;
  std::vector<EpochResult> epochs;
  std::uint64_t steps = 0, samples = 0;
  double seconds = 0;             // From the first read to the end of the last step.
  double samples_per_second = 0;  // Samples that were consumed, those of the first step included.
  // Without the first step of the run; 0 when there was no other.
  double samples_per_second_after_first = 0;
  double bytes_per_second = 0;       // The bytes of the consumed samples, at their mean size.
  double read_bytes_per_second = 0;  // What storage calls moved, with read-ahead and alignment.
  double read_ahead_bytes = 0;       // The bytes of samples that were read but not consumed.
  std::uint64_t bytes_asked = 0;     // The bytes that the samples needed.
  std::uint64_t bytes_moved = 0;     // The bytes that storage calls moved, with alignment.
  std::uint64_t opens = 0, reads = 0, samples_read = 0;
  double first_batch_seconds = 0;  // Until every accelerator had its first batch.
  LatencySummary open_latency, read_latency;
  // The mean number of reads and opens in flight, and the most that the readers allow.
  double in_flight_mean = 0;
  std::uint64_t in_flight_limit = 0;
  // How far the loaders may read ahead, in batches (or micro-batches), and in how many reads at
  // once each takes a sample that is larger than one transfer.
  std::uint64_t window_batches = 0;
  std::uint32_t transfers_per_sample = 0;
  double unloaded_read_ms = 0;  // The time of one read that has no company; 0 when it is not known.
  double interval_seconds = 1;
  std::vector<SeriesPoint> series;

  double cpu_user_seconds = 0, cpu_system_seconds = 0;  // Of the whole process during the run.
  std::uint32_t reactors = 0;
  // The CPU time of the busiest reactor thread divided by `seconds`.
  double busiest_reactor_utilisation = 0;
  // The share of the time in which it was ready to run but had no core.
  double busiest_reactor_waiting = 0;
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
  // Returns the bytes moved divided by those asked for, which alignment makes more than 1; 0 when
  // nothing was asked for.
  double moved_over_asked() const;
  // Returns the CPU time of this host for a gigabyte (10^9 bytes) moved; 0 when it is not known.
  double cpu_seconds_per_gigabyte() const;
  double checkpoint_blocked_fraction() const {  // A share of the run's time.
    return checkpoints && seconds > 0 ? checkpoints->blocked_seconds / seconds : 0;
  }
};

// Names the limiter of a run from the run's own figures: CPU time, reads in flight against their
// latency, the network.
Limiter find_limiter(const RunResult& run);

// Returns "8 x h100 fed: AU 99.2 % (threshold 90.0 %), 1.6 GB/s", or why the run is INVALID.
std::string verdict_of(const RunResult& run);
// Returns a text like "14 tfrecord files, 17,514 samples, 1.9 GiB".
std::string describe_dataset(std::string_view format, std::uint64_t files, std::uint64_t samples,
                             std::uint64_t bytes);

}  // namespace feedrate

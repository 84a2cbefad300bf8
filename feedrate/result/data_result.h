// The results of `datagen`, `drop-caches` and `workloads` as plain values. Durations are in
// seconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/run_result.h"

namespace feedrate {

struct DatagenResult : Envelope {
  std::string workload, title;
  DatasetFacts dataset;  // Describes the whole data set, also where only a part was written.
  bool dry_run = false;
  // The files that this run wrote; not set where an error or an interruption came before the work
  // was done.
  std::optional<std::uint64_t> files_written;
  std::uint64_t files_kept = 0;  // Files that were whole already and were left alone.
  std::uint64_t bytes_written = 0;
  double seconds = 0;
  double bytes_per_second() const {
    return seconds > 0 ? static_cast<double>(bytes_written) / seconds : 0;
  }
};

// A file that stays in the page cache although it was to leave it.
struct KeptFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string reason, remedy;
};
struct DropResult : Envelope {
  std::uint64_t files = 0, file_bytes = 0;  // The files that were looked at.
  // Their bytes in the page cache, before and after.
  std::uint64_t bytes_before = 0, bytes_after = 0;
  std::string method;  // The system call that told it, such as "cachestat"; "" where none can.
  std::uint64_t files_unknown = 0, files_failed = 0, files_kept = 0;
  std::vector<KeptFile> kept;  // The first few of the `files_kept`.
  std::uint64_t dropped_bytes() const {
    return bytes_before - (bytes_after < bytes_before ? bytes_after : bytes_before);
  }
  double remaining_share() const {
    return file_bytes > 0 ? static_cast<double>(bytes_after) / static_cast<double>(file_bytes) : 0;
  }
};

struct ListedTimings {
  std::string set;
  std::vector<std::string> accelerators;
};
struct ListedWorkload {
  std::string name, title, format;
  std::uint64_t files = 0, samples = 0, bytes = 0;
  std::vector<ListedTimings> timings;
};
struct ListedFormat {
  std::string name, extension;      // The extension is "" where any will do.
  std::string companion_extension;  // Of the index beside each file; "" where there is none.
  bool one_sample_a_file = false, checksums = false, decoded = false;
  std::uint64_t transfer_bytes = 0;  // What its readers read at a time.
};
// What the catalogue has besides workloads.
struct ListedEntry {
  std::string kind;  // "model", "accelerator", "storage", "network" or "inference"
  std::string name, title;
  std::string used_as;  // "feedrate plan WORKLOAD --port=eth-400"
};
// Only the list that was asked for is filled.
struct WorkloadsReport : Envelope {
  std::vector<ListedWorkload> workloads;
  std::vector<ListedFormat> formats;
  std::vector<ListedEntry> catalogue;
};

std::string verdict_of(const DatagenResult& result);
std::string verdict_of(const DropResult& result);
std::string verdict_of(const WorkloadsReport& report);

}  // namespace feedrate

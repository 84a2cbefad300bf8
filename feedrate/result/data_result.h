// What `datagen`, `drop-caches` and `workloads` have to say, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/run_result.h"

namespace feedrate {

struct DatagenResult : Envelope {
  std::string workload, title;
  DatasetFacts dataset;  // as it is when it is whole
  bool dry_run = false;
  // None of them where an error or an interruption came first.
  std::optional<std::uint64_t> files_written;
  std::uint64_t files_kept = 0;  // that were whole already
  std::uint64_t bytes_written = 0;
  double seconds = 0;
  double bytes_per_second() const {
    return seconds > 0 ? static_cast<double>(bytes_written) / seconds : 0;
  }
};

// A file that stays in the page cache.
struct KeptFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string reason, remedy;
};
struct DropResult : Envelope {
  std::uint64_t files = 0, file_bytes = 0;          // that were looked at
  std::uint64_t bytes_before = 0, bytes_after = 0;  // of them in the page cache
  std::string method;                               // who says so: "cachestat", ...; "": nobody can
  std::uint64_t files_unknown = 0, files_failed = 0, files_kept = 0;
  std::vector<KeptFile> kept;  // the first few of those
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
  std::string name, extension;      // "": any
  std::string companion_extension;  // of the index beside a file; "": there is none
  bool one_sample_a_file = false, checksums = false, decoded = false;
  std::uint64_t transfer_bytes = 0;  // that its readers read at a time
};
// One of the two lists: which one was asked for.
struct WorkloadsReport : Envelope {
  std::vector<ListedWorkload> workloads;
  std::vector<ListedFormat> formats;
};

std::string verdict_of(const DatagenResult& result);
std::string verdict_of(const DropResult& result);
std::string verdict_of(const WorkloadsReport& report);

}  // namespace feedrate

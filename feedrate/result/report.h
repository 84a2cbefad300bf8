// A report is the result of a verb as a plain value: an Envelope, which is the same for all verbs,
// with members of the verb's own behind it. Text, JSON and CSV are views of it that compute
// nothing, so that whatever is printed is in the JSON, too. docs/results.md lists every key.
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

// Raised when a key changes its meaning or goes. Version 1 had another form for each verb.
inline constexpr int kReportSchemaVersion = 2;

struct HostFacts {
  std::string name, kernel, cpu, build;
  std::uint32_t cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string date;  // UTC, ISO 8601
};
HostFacts collect_host_facts(std::string_view build);

struct ErrorCount {
  std::string kind;  // "io", "short-read", "corrupt", ...
  std::uint64_t count = 0;
  std::string first_message;  // Names the path and the offset.
};

// Says where it was measured. A member is "" where it means nothing for the verb.
struct Place {
  std::string directory;
  std::string storage;  // The value of --storage: "posix", "model:nvme.yaml".
  std::string io;       // "direct", "buffered", ...
  std::string clock;    // "real", "virtual"
};

// The time and memory that the whole command took on this host.
struct Cost {
  double wall_seconds = 0, cpu_user_seconds = 0, cpu_system_seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
};

struct Envelope {
  std::string verb;
  // When this is false the figures must not be used; each reason says what to do about it.
  bool valid = true;
  std::vector<std::string> invalid_reasons;
  bool interrupted = false;  // The figures then cover what was done before.
  std::vector<std::string> warnings;
  std::vector<ErrorCount> errors;
  std::map<std::string, std::string> requested;  // The settings that the user gave, by option.
  std::map<std::string, std::string> effective;  // The settings that were used.
  std::map<std::string, std::uint64_t> seeds;
  Place place;
  HostFacts host;
  // Not set where the result does not depend on this host and is the same on every one.
  std::optional<Cost> cost;
};

struct LatencySummary {
  std::uint64_t count = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
  // The raw histogram: the lower bound in ns of each bucket that is not empty, and its count. A
  // bucket is narrower than 1/64 of its lower bound.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets_ns;
};
LatencySummary summarise_latency(const Histogram& nanoseconds);

}  // namespace feedrate

// Report: what a verb has to say, as a plain value. Every verb's is an Envelope, which is the same
// for all, and the verb's own body behind it. Text, JSON and CSV are views of it and work nothing
// out: what is printed is in the JSON. docs/results.md lists every key.
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

// Version 1 had another form for each verb.
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
  std::string first_message;  // names path and offset
};

// Where it was measured; "" for what a verb has none of.
struct Place {
  std::string directory;
  std::string storage;  // as --storage has it: "posix", "model:nvme.yaml"
  std::string io;       // "direct", "buffered", ...
  std::string clock;    // "real", "virtual"
};

// What the whole command took of this host.
struct Cost {
  double wall_seconds = 0, cpu_user_seconds = 0, cpu_system_seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
};

struct Envelope {
  std::string verb;
  // False: the figures are not to be used; each reason carries its remedy.
  bool valid = true;
  std::vector<std::string> invalid_reasons;
  bool interrupted = false;  // the figures cover what was done
  std::vector<std::string> warnings;
  std::vector<ErrorCount> errors;
  std::map<std::string, std::string> requested;  // settings as the user gave them
  std::map<std::string, std::string> effective;  // and what was used
  std::map<std::string, std::uint64_t> seeds;
  Place place;
  HostFacts host;
  // None where the result does not depend on this host: it is the same on every one.
  std::optional<Cost> cost;
};

struct LatencySummary {
  std::uint64_t count = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
  // Raw histogram: lower bound of each bucket that holds something [ns], and how many. Relative
  // width of a bucket is under 1/64.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets_ns;
};
LatencySummary summarise_latency(const Histogram& nanoseconds);

}  // namespace feedrate

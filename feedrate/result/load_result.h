// The result of `load` as plain values. Durations are in seconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/report.h"

namespace feedrate {

struct LoadResult : Envelope {
  std::string model, title, source;  // The source is "step 3", "4 files of a model" or "described".
  std::uint64_t replicas = 1, tensor = 1;  // `tensor` is the number of ranks of a replica.
  double scale = 1;                        // The share of the model's parameters that was written.
  std::uint64_t needed_bytes = 0;          // What one replica needs.
  std::uint64_t read_bytes = 0;            // What all replicas read together.
  // The bytes that came from storage, and how that is known. Not set where nobody can tell.
  std::optional<std::uint64_t> storage_bytes;
  std::string storage_basis;
  std::vector<double> ready_seconds;  // One for each replica: until its slowest rank has all.
  std::uint64_t block_bytes = 0, at_once = 0;
  unsigned threads = 1;
  bool verified = false;
  LatencySummary read_latency;
  std::vector<std::string> skipped;  // Checkpoints that were left out: "step 20: why".

  double first_ready_seconds() const;
  double last_ready_seconds() const;
  double bytes_per_second() const;  // The rate of all replicas together; 0 when nothing took time.
};

std::string verdict_of(const LoadResult& result);

}  // namespace feedrate

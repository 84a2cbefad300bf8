// What `load` has to say, as plain values. Durations are in seconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/report.h"

namespace feedrate {

struct LoadResult : Envelope {
  std::string model, title, source;        // "step 3", "4 files of a model", "described"
  std::uint64_t replicas = 1, tensor = 1;  // ranks of a replica
  double scale = 1;                        // of the model that was written
  std::uint64_t needed_bytes = 0;          // by a replica
  std::uint64_t read_bytes = 0;            // by all replicas
  // What came from storage, and how that is known; none where nobody can tell.
  std::optional<std::uint64_t> storage_bytes;
  std::string storage_basis;
  std::vector<double> ready_seconds;  // of each replica
  std::uint64_t block_bytes = 0, at_once = 0;
  unsigned threads = 1;
  bool verified = false;
  LatencySummary read_latency;
  std::vector<std::string> skipped;  // checkpoints that were left out: "step 20: why"

  double first_ready_seconds() const;
  double last_ready_seconds() const;
  double bytes_per_second() const;  // of all replicas together; 0: nothing took time
};

std::string verdict_of(const LoadResult& result);

}  // namespace feedrate

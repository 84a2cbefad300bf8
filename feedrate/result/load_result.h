// What `load` has to say, as plain values. docs/checkpoint-schema.md describes the JSON. Durations
// are in seconds, sizes in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feedrate/result/run_result.h"

namespace feedrate {

struct LoadResult {
  std::string model, title, directory, source;  // "step 3", "4 files of a model", "described"
  std::string storage, io, clock;
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
  std::vector<std::string> warnings;
  HostFacts host;
};

std::string load_to_text(const LoadResult& result);
std::string load_to_json(const LoadResult& result);

}  // namespace feedrate

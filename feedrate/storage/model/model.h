// A described storage: latency, bandwidth, operation rate and open cost, from YAML.
// docs/catalogue.md has the keys.
//
// On the virtual clock this simulates; on the real clock it emulates, by delaying the backing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/random.h"
#include "feedrate/base/units.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

enum class LatencyShape : std::uint8_t { kFixed, kExponential, kLognormal };

struct StorageModel {
  std::string name;
  std::string backing = "null";
  LatencyShape latency_shape = LatencyShape::kFixed;
  Duration latency{};      // The value, the mean or the median, depending on the shape.
  Duration latency_p99{};  // Used by kLognormal only.
  Duration open_latency{};
  double stream_bytes_per_second = 0;  // A rate of 0 means no limit, here and below.
  double bytes_per_second = 0;
  double operations_per_second = 0;
  struct SlowPath {
    std::string path;
    Duration open{}, latency{};
  };
  std::vector<SlowPath> slow = {};
};

Result<StorageModel> parse_storage_model(std::string_view yaml, std::string_view origin);

// The limits that all clients of one storage share. It is lock-free and may be called on any
// thread.
class ModelLimits {
 public:
  // Returns when a read of `bytes` that arrives at `now` has passed both shared queues, that of
  // bytes and that of operations.
  Instant admit(const StorageModel& model, Instant now, std::uint64_t bytes);

 private:
  std::atomic<std::int64_t> bytes_free_at_ticks_ = 0;
  std::atomic<std::int64_t> operations_free_at_ticks_ = 0;
};

std::unique_ptr<Storage> make_model_storage(std::unique_ptr<Storage> backing, StorageModel model,
                                            std::shared_ptr<ModelLimits> limits,
                                            std::uint64_t seed);

}  // namespace feedrate

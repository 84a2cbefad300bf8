// What a deep-learning job asks of storage: a pure description, no I/O.
//
// Workloads are YAML in catalog/workloads/, compiled into the binary; a user's own file has the
// same keys, which are the names of the fields below. Unknown keys are errors with a spelling hint,
// line and column; workload_fields.cc has the limits of every value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/units.h"

namespace feedrate {

enum class AccessOrder : std::uint8_t {
  kSequential,     // files shuffled, each read front to back, several interleaved, shuffle buffer
  kRandomSamples,  // every sample by itself, in random order (whole files when a file is a sample)
};
std::string_view to_string(AccessOrder order);  // "sequential", "random"
Result<AccessOrder> parse_access_order(std::string_view text, std::string_view flag);

struct DatasetShape {
  std::string name;
  std::uint64_t files = 0;
  std::uint64_t samples_per_file = 1;
  std::string format;            // a name of feedrate/format/formats.cc
  double sample_bytes_mean = 0;  // stored bytes of a sample
  double sample_bytes_stdev = 0;
  std::uint32_t classes = 1000;  // labels are 0 .. classes-1

  std::uint64_t samples() const { return files * samples_per_file; }
  bool operator==(const DatasetShape&) const = default;
};

struct AcceleratorTiming {
  std::string accelerator;          // "h100"
  std::uint32_t batch_samples = 0;  // per accelerator; 0: not set yet
  Duration compute{};               // emulated compute time per batch; 0: not set yet
  std::string source;               // where both figures stand
  bool operator==(const AcceleratorTiming&) const = default;
};

enum class Framework : std::uint8_t { kPytorch, kTensorflow };
std::string_view to_string(Framework framework);

struct Workload {
  std::string name;    // "resnet50"
  std::string title;   // one line
  std::string source;  // of the data-set shape
  std::vector<std::string> notes;
  DatasetShape dataset;
  Framework framework = Framework::kPytorch;
  AccessOrder order = AccessOrder::kRandomSamples;
  std::uint64_t shuffle_buffer_samples = 0;  // kSequential only
  std::uint32_t epochs = 1;
  std::uint32_t readers = 4;           // per accelerator
  std::uint32_t prefetch_batches = 2;  // per accelerator
  double au_threshold = 0.9;           // a run passes at or above this accelerator utilisation
  std::vector<AcceleratorTiming> accelerators;

  bool operator==(const Workload&) const = default;

  // The timing for `accelerator`, both figures set; or kUsage listing those this workload has.
  Result<AcceleratorTiming> timing(std::string_view accelerator) const;
  // Bytes per second that one accelerator reads when it never waits.
  static double demand_bytes_per_second(const AcceleratorTiming& timing, double sample_bytes);
};

// Reads one workload. `origin` is the file name in errors ("mine.yaml:7:3: ...").
Result<Workload> parse_workload(std::string_view yaml, std::string_view origin);
// The YAML that parse_workload reads back to an equal value.
std::string to_yaml(const Workload& workload);
// Sets "dataset.files", "accelerators.h100.compute" and the like by path; values as in YAML, and
// checked like them. kUsage with a spelling hint; the workload is then unchanged.
// An accelerator that is not there yet is added, and its timing can be used once both its compute
// and its batch_samples were set. A changed timing says so in its source.
Result<> override_workload(Workload& workload, std::string_view key, std::string_view value);
// After the last of them: kUsage when values that are each within their limits do not fit together.
Result<> check_overridden(const Workload& workload);

// The built-in catalogue, sorted by name; parsed one at a time, on demand.
std::vector<std::string> catalogue_names();
Result<Workload> find_workload(std::string_view name);

}  // namespace feedrate

// A workload: what a deep-learning job asks of storage, as a pure description without I/O.
//
// Workloads are YAML in catalog/workloads/, compiled into the binary; a user's own file has the
// same keys, which are the names of the fields below. Unknown keys are errors with a spelling hint,
// line and column; workload_fields.cc has the limits of every value.
#pragma once

#include <cstdint>
#include <map>
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

// Says where the label of a sample stands.
enum class LabelPlacement : std::uint8_t {
  kRecord,     // in the sample's own record or file
  kDirectory,  // it is the name of the file's directory
  kSideFile,   // a small file beside each sample file
  kManifest,   // one entry of a file for the whole data set, read once at the start
  kNone,       // there are no labels
};
std::string_view to_string(LabelPlacement placement);  // "record", "side_file", ...

enum class DirectoryLayout : std::uint8_t {
  kFlat,          // all files in one directory
  kSubfolders,    // dealt out over `folders` directories
  kClassFolders,  // one directory a class
  kHashed,        // directories named by a hash of the file's number
};
std::string_view to_string(DirectoryLayout layout);  // "flat", "class_folders", ...

struct DatasetShape {
  std::string name;
  std::uint64_t files = 0;
  std::uint64_t samples_per_file = 1;
  std::string format;            // a name of feedrate/format/formats.cc
  double sample_bytes_mean = 0;  // stored bytes of a sample
  double sample_bytes_stdev = 0;
  std::uint32_t classes = 1000;  // labels are 0 .. classes-1
  LabelPlacement labels = LabelPlacement::kRecord;
  double label_bytes = 0;  // mean size of a side file or of a manifest entry; 0: not known
  DirectoryLayout layout = DirectoryLayout::kFlat;
  std::uint32_t folders = 0;  // kSubfolders only
  // The mean bytes of a sample that a job reads, where that is less than what is stored (some
  // columns of many); 0 where a job reads all of them.
  double sample_bytes_read = 0;
  std::map<std::string, std::string> format_options = {};  // handed to the format as they are

  // Returns the mean bytes that a reader asks for, for one sample.
  double read_bytes_mean() const {
    return sample_bytes_read > 0 ? sample_bytes_read : sample_bytes_mean;
  }
  std::uint64_t samples() const { return files * samples_per_file; }
  bool operator==(const DatasetShape&) const = default;
};

// Step times come in named sets that are never mixed: a benchmark's emulated time and one derived
// from an optimised training log can differ by a factor of four. A run uses one set and says which.
inline constexpr std::string_view kBenchmarkTiming = "storage-benchmark";  // published emulation
inline constexpr std::string_view kMeasuredTiming = "measured";  // batch / rate in a training log
inline constexpr std::string_view kUserTiming = "user";          // `accelerators:` and --set

struct AcceleratorTiming {
  std::string accelerator;          // "h100"
  std::uint32_t batch_samples = 0;  // per accelerator; 0: not set yet
  Duration compute{};               // emulated compute time per batch; 0: not set yet
  std::string source;               // where both figures stand
  std::string set{kUserTiming};
  std::uint32_t measured_with = 0;  // accelerators of the measured run; 0: not known
  bool operator==(const AcceleratorTiming&) const = default;

  bool complete() const { return batch_samples > 0 && compute > Duration::zero(); }
  double samples_per_second() const { return batch_samples / to_seconds(compute); }
};

// The timing of another set for the same accelerator, beside the one in use.
struct TimingComparison {
  std::string set;
  double speed_ratio = 1;  // its samples/s over those of the timing in use
  bool operator==(const TimingComparison&) const = default;
};

enum class Framework : std::uint8_t { kPytorch, kTensorflow };
std::string_view to_string(Framework framework);

struct Workload {
  std::string name;                    // "resnet50"
  std::string title;                   // one line
  std::string source;                  // of the data-set shape
  std::uint64_t model_parameters = 0;  // 0: no figure with a source is known
  std::string model_source;
  std::vector<std::string> notes;
  DatasetShape dataset;
  Framework framework = Framework::kPytorch;
  AccessOrder order = AccessOrder::kRandomSamples;
  std::uint64_t shuffle_buffer_samples = 0;  // kSequential only
  std::uint32_t epochs = 1;
  std::uint64_t steps_max = 0;         // of each accelerator; 0: as many as the epochs have
  std::uint32_t readers = 4;           // per accelerator
  std::uint32_t prefetch_batches = 2;  // per accelerator
  std::uint64_t transfer_bytes = 0;    // largest single read; 0: the client's own
  bool direct_io = false;              // reads go around the page cache; false: the client's habit
  double au_threshold = 0.9;           // a run passes at or above this accelerator utilisation
  std::vector<AcceleratorTiming> accelerators;  // each pair of accelerator and set once

  bool operator==(const Workload&) const = default;

  // Returns the timing for `accelerator` in `set`, with both figures set, or kUsage with a list of
  // what there is. Without a set it takes the user's, else the storage benchmark's, else the first.
  Result<AcceleratorTiming> timing(std::string_view accelerator, std::string_view set = {}) const;
  // Returns what the other sets say about the accelerator of `used`, in the order of the file.
  std::vector<TimingComparison> other_timings(const AcceleratorTiming& used) const;
  std::vector<std::string> accelerator_names() const;  // each once
  // Returns the name as it is written here: "h100" for "H100". A name that is not there stays as it
  // is.
  std::string spelled_accelerator(std::string_view given) const;
  std::vector<std::string> timing_sets() const;  // each once
  // Returns the bytes a second that one accelerator reads when it never waits.
  static double demand_bytes_per_second(const AcceleratorTiming& timing, double sample_bytes);
};

// Reads one workload. `origin` is the file name in errors ("mine.yaml:7:3: ...").
Result<Workload> parse_workload(std::string_view yaml, std::string_view origin);
// Returns the YAML that parse_workload reads back to an equal value.
std::string to_yaml(const Workload& workload);
// Sets "dataset.files", "dataset.format_options.key", "timings.measured.h100.compute" and the like
// by path. Values are written as in YAML, and checked as there. Returns kUsage with a spelling
// hint; the workload is then unchanged.
// "accelerators.h100.compute" is the user's own timing. It starts as a copy of the one that was in
// use, says in its source what was changed, and is then the one in use. One that is not there yet
// is added, and can be used once both its compute and its batch_samples were set.
Result<> override_workload(Workload& workload, std::string_view key, std::string_view value);
// Must be called after the last override. Returns kUsage when values that are each within their
// limits do not fit together.
Result<> check_overridden(const Workload& workload);

// The built-in catalogue, sorted by name; its files are parsed one at a time, on demand.
std::vector<std::string> catalogue_names();
Result<Workload> find_workload(std::string_view name);

}  // namespace feedrate

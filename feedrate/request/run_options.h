// The options that train, find and datagen have in common, and what they resolve to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "feedrate/dataset/dataset.h"
#include "feedrate/engine/training_plan.h"
#include "feedrate/experiment/training.h"
#include "feedrate/options/option_table.h"
#include "feedrate/options/settings.h"
#include "feedrate/result/run_result.h"
#include "feedrate/runtime/reactor_group.h"
#include "feedrate/storage/storage.h"

namespace feedrate {

// The options that name the workload and change it.
struct WorkloadOptions {
  std::string workload;
  std::vector<std::string> sets;  // --set key=value
  // The words of the command line that change a DLIO file; set by resolve().
  std::vector<std::string> overrides;
  std::set<std::string> asked;  // The keys of the workload that those words or --set gave a value.
  void declare(OptionTable& table, const OptionRow& name);
  // The workload is a catalogue name, a path to YAML (anything with '/' or ending in .yaml), or
  // dlio:PATH, whose keys `words` of the command line change. Keys of it that mean nothing here are
  // added to `ignored`.
  Result<Workload> resolve(const std::vector<std::string>& words,
                           std::vector<std::string>& ignored);
};

// The options of a data set that is made.
struct DatasetOptions {
  // Without --subfolders the workload's layout is used.
  std::string size, subfolders, compressibility = "0", jobs = "0", seed = "1";
  void declare(OptionTable& table, std::string_view usual_size);
  Result<DatasetPlan> resolve(const Workload& workload, std::uint64_t default_bytes) const;
};

// What the help calls the defaults of the loader's options: `find` searches for the best values,
// other verbs have fixed ones.
struct LoaderDefaults {
  std::string_view readers, prefetch, transfer;
};
inline constexpr LoaderDefaults kSearchedLoader{"as many as help", "as far as helps",
                                                "as large as helps"};
inline constexpr LoaderDefaults kFixedLoader{"8, or 32 for small samples", "the workload's or more",
                                             "4MiB, or 2MiB in sequential order"};

// The options of a run, as text; the functions below check and resolve them.
struct RunOptions {
  WorkloadOptions workload;
  std::string directory, data, format, accelerator, timing, batch, compute_time,
      client = "native", readers, prefetch, transfer, order, shuffle_buffer, io = "auto",
      io_engine = "auto", storage = "posix", clock = "real", threads, buffer_memory, cache = "drop",
      on_error = "stop", seed = "1", json, labels, index_directory, decode, decode_time,
      tensor_parallel, pipeline_parallel, micro_batches;
  std::vector<std::string> slow_ranks;  // RANK=FACTOR
  bool hold = false, verify = false;
  StorageSpec spec;  // Filled by parse_place() from `storage`.
  void declare(OptionTable& table, const LoaderDefaults& usual);
  Result<> parse_place();
  // Returns whether no file is read, because the storage is null or a model in front of it.
  bool reads_no_files() const { return !spec.facts.carries_data; }
  // Returns whether the user gave this option. The table of declare() must still exist.
  bool given(const std::string& option) const;

 private:
  void declare_job(OptionTable& table);
  void declare_loader(OptionTable& table, const LoaderDefaults& usual);
  void declare_system(OptionTable& table);

  const OptionTable* table_ = nullptr;
};

// Parses "20GiB", or "1%" of the workload's published size; it must be more than 0. Returns bytes.
Result<std::uint64_t> parse_dataset_size(const std::string& text, const Workload& workload);
// Parses --transfer, the largest single read, into bytes.
Result<std::uint64_t> parse_transfer(const std::string& text);

// Returns the step time that a run or plan uses, from --accelerator, --timing, --batch and
// --step-time.
Result<AcceleratorTiming> resolve_timing(const RunOptions& options, const Workload& workload);

// Makes the setup of a run that reads `dataset` with this client.
Result<TrainingSetup> make_setup(const RunOptions& options, const Workload& workload,
                                 std::shared_ptr<const Dataset> dataset, ClientKind client);
Result<ClientKind> resolve_client(const RunOptions& options);

}  // namespace feedrate

// A data set as the engine sees it: files, where their samples lie, and what they should contain.
//
// Three ways to get one:
//   Dataset::from_plan   described, not on disk: what datagen writes and the virtual clock reads
//   open_dataset         written by us: read back from its manifest, feedrate.json
//   scan_dataset         a user's own folder or file
// A Dataset is immutable and shared by all threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/format/format.h"
#include "feedrate/workload/workload.h"

namespace feedrate {

inline constexpr std::string_view kManifestName = "feedrate.json";

// Everything that decides the content of a generated data set. The manifest holds exactly this.
struct DatasetPlan {
  std::string workload;
  std::string format;
  std::uint64_t files = 0;
  std::uint64_t samples_per_file = 1;
  double sample_bytes_mean = 0;
  double sample_bytes_stdev = 0;
  std::uint32_t classes = 1;
  std::uint64_t seed = 1;
  double compressibility = 0;  // 0 (random bytes) to 1 (zeros)
  DirectoryLayout layout = DirectoryLayout::kFlat;
  std::uint32_t folders = 0;  // kSubfolders only
  LabelPlacement labels = LabelPlacement::kRecord;
  std::uint64_t label_bytes = 0;  // of a side file, or of an entry of the label manifest
  FormatOptions format_options = {};

  bool operator==(const DatasetPlan&) const = default;
};

// Returns the plan of `workload` with as many whole files as fit `size_bytes`, or with its full
// published size when size_bytes is 0; kUsage when not even one file fits. A side file or manifest
// entry whose size is not known gets one of kLabelBytes.
inline constexpr std::uint64_t kLabelBytes = 128;
Result<DatasetPlan> plan_for(const Workload& workload, std::uint64_t size_bytes, std::uint64_t seed,
                             double compressibility);

class Dataset {
 public:
  // Computes the sizes of all files: O(files). Returns kUsage when the plan makes no sense.
  static Result<std::shared_ptr<const Dataset>> from_plan(const DatasetPlan& plan,
                                                          std::string directory);
  struct SideFile {
    std::string path;  // below directory(), or absolute
    std::uint64_t bytes = 0;
  };
  struct ScannedFile {
    std::string path;  // relative to the directory
    std::shared_ptr<const FileIndex> index;
    SideFile side;  // its path is "" where there is none
  };
  static std::shared_ptr<const Dataset> from_scan(std::shared_ptr<const Format> format,
                                                  std::string directory,
                                                  std::vector<ScannedFile> files,
                                                  SideFile label_manifest);

  const Format& format() const { return *format_; }
  const std::string& directory() const { return directory_; }
  const std::optional<DatasetPlan>& plan() const { return plan_; }  // none for a user's own data

  std::uint64_t files() const { return file_bytes_.size(); }
  std::uint64_t samples() const { return samples_; }
  std::uint64_t bytes() const { return bytes_; }
  // Returns the samples of every file if all files have the same number, else 0.
  std::uint64_t uniform_samples_per_file() const { return uniform_samples_; }
  std::vector<std::uint64_t> samples_by_file() const;
  bool one_sample_per_file() const { return uniform_samples_ == 1; }
  double mean_sample_bytes() const {
    return static_cast<double>(bytes_) / static_cast<double>(samples_);
  }
  std::uint64_t largest_file_bytes() const { return largest_file_; }
  // Returns an upper bound of the stored bytes of one sample.
  std::uint64_t largest_sample_bytes() const { return largest_sample_; }

  std::uint64_t file_bytes(std::uint64_t file) const { return file_bytes_[file]; }
  std::string path(std::uint64_t file) const;  // below directory()
  std::string full_path(std::uint64_t file) const { return directory_ + "/" + path(file); }
  // Returns where the samples of a file lie. It is cheap when files are alike, and computed
  // otherwise.
  std::shared_ptr<const FileIndex> index(std::uint64_t file) const;
  // Returns what the samples of a file contain (one content for all of them, with formats that have
  // it so); empty for a user's own data.
  std::vector<SampleContent> content(std::uint64_t file) const;

  // A side file is read whole whenever its first file is opened: it is its label, or the index that
  // the format keeps apart. Its path is "" when there is none.
  bool has_side_files() const { return has_side_files_; }
  SideFile side_file(std::uint64_t file) const;
  // The file with the labels of all samples, which every accelerator's loader reads whole once
  // before its first sample. Its path is "" when there is none.
  const SideFile& label_manifest() const { return label_manifest_; }
  std::string resolve(const std::string& path) const {  // of a SideFile
    return path.starts_with('/') ? path : directory_ + "/" + path;
  }

  // The parts are everything that generation writes: files(), then side files, then the label
  // manifest.
  struct Part {
    std::string path;  // below directory()
    std::uint64_t bytes = 0;
  };
  std::uint64_t parts() const;
  Part part(std::uint64_t number) const;
  std::unique_ptr<Renderer> render_part(std::uint64_t number) const;
  // The file of sample number `sample` of the data set, and its place in that file.
  struct Place {
    std::uint64_t file, sample_in_file;
  };
  Place locate(std::uint64_t sample) const;

 private:
  Dataset() = default;
  std::uint64_t payload_bytes(std::uint64_t sample) const;
  std::uint32_t label_of(std::uint64_t sample) const;
  std::string longest_path() const;
  std::string folder_of(std::uint64_t file) const;
  void describe_labels();
  void finish();

  std::shared_ptr<const Format> format_;
  std::string directory_;
  std::optional<DatasetPlan> plan_;
  std::vector<std::uint64_t> file_bytes_;
  std::vector<ScannedFile> scanned_;
  std::vector<std::uint64_t> first_samples_;       // prefix sums, when not uniform
  std::shared_ptr<const FileIndex> common_index_;  // where all files are alike
  std::uint64_t samples_ = 0, bytes_ = 0, uniform_samples_ = 0;
  std::uint64_t largest_file_ = 0, largest_sample_ = 0;
  std::uint64_t fixed_payload_ = 0;
  bool has_side_files_ = false;
  SideFile label_manifest_;
};

// Returns the stored bytes of sample `index`. Sizes are log-normal and stratified: the k-th of n
// samples sits on the (k + 1/2)/n quantile, in an order given by the seed, so that even a small
// data set has the published mean and deviation.
std::uint64_t planned_sample_bytes(const DatasetPlan& plan, std::uint64_t index);

}  // namespace feedrate

#include "feedrate/dataset/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/random.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {

Result<DatasetPlan> plan_for(const Workload& workload, std::uint64_t size_bytes, std::uint64_t seed,
                             std::uint32_t subfolders, double compressibility) {
  const DatasetShape& shape = workload.dataset;
  DatasetPlan plan{workload.name,
                   shape.format,
                   shape.files,
                   shape.samples_per_file,
                   shape.sample_bytes_mean,
                   shape.sample_bytes_stdev,
                   shape.classes,
                   seed,
                   subfolders,
                   compressibility};
  if (size_bytes > 0) {
    const double file_bytes = shape.sample_bytes_mean * static_cast<double>(shape.samples_per_file);
    const double files = std::floor(static_cast<double>(size_bytes) / file_bytes);
    if (files < 1)
      return fail(
          ErrorKind::kUsage,
          fmt::format("--size: {} is less than one file of {} ({})", format_bytes(size_bytes),
                      workload.name, format_bytes(static_cast<std::uint64_t>(file_bytes))),
          fmt::format("use --size='{}' or more",
                      format_bytes(static_cast<std::uint64_t>(file_bytes * 1.1))));
    plan.files = static_cast<std::uint64_t>(files);
  }
  return plan;
}

std::uint64_t planned_sample_bytes(const DatasetPlan& plan, std::uint64_t index) {
  if (plan.sample_bytes_stdev == 0) return static_cast<std::uint64_t>(plan.sample_bytes_mean);
  const std::uint64_t count = plan.files * plan.samples_per_file;
  const KeyedPermutation order(
      count, combine_seeds(plan.seed, static_cast<std::uint64_t>(SeedPurpose::kSampleSize)));
  const double probability = (static_cast<double>(order(index)) + 0.5) / static_cast<double>(count);
  const double ratio = plan.sample_bytes_stdev / plan.sample_bytes_mean;
  const double sigma = std::sqrt(std::log1p(ratio * ratio));
  const double location = std::log(plan.sample_bytes_mean) - sigma * sigma / 2;
  return static_cast<std::uint64_t>(std::exp(location + sigma * normal_quantile(probability)));
}

Result<std::shared_ptr<const Dataset>> Dataset::from_plan(const DatasetPlan& plan,
                                                          std::string directory) {
  FEEDRATE_TRY(const Format* format, find_format(plan.format));
  if (plan.files == 0 || plan.samples_per_file == 0)
    return fail(ErrorKind::kUsage, "the data set has no samples", "give it at least one file");
  if (plan.samples_per_file > format->samples_per_file_max())
    return fail(ErrorKind::kUsage,
                fmt::format("samples_per_file: format '{}' holds at most {} a file, got {}",
                            plan.format, format->samples_per_file_max(), plan.samples_per_file),
                "use format tfrecord for many samples a file");
  std::shared_ptr<Dataset> dataset(new Dataset);
  dataset->format_ = format;
  dataset->directory_ = std::move(directory);
  dataset->plan_ = plan;
  dataset->uniform_samples_ = plan.samples_per_file;
  if (plan.sample_bytes_stdev == 0) {
    dataset->fixed_payload_ = format->payload_for_stored(planned_sample_bytes(plan, 0));
    dataset->common_index_ = std::make_shared<const FileIndex>(
        format->layout(SampleSizes(plan.samples_per_file, dataset->fixed_payload_)));
    dataset->file_bytes_.assign(plan.files, dataset->common_index_->file_bytes);
  } else {
    dataset->file_bytes_.reserve(plan.files);
    for (std::uint64_t file = 0; file < plan.files; ++file) {
      const auto index = dataset->index(file);
      dataset->file_bytes_.push_back(index->file_bytes);
      dataset->largest_sample_ = std::max(dataset->largest_sample_, index->largest_sample_bytes());
    }
  }
  dataset->finish();
  return std::shared_ptr<const Dataset>(dataset);
}

std::shared_ptr<const Dataset> Dataset::from_scan(const Format& format, std::string directory,
                                                  std::vector<ScannedFile> files,
                                                  std::vector<std::string> classes) {
  std::shared_ptr<Dataset> dataset(new Dataset);
  dataset->format_ = &format;
  dataset->directory_ = std::move(directory);
  dataset->class_names_ = std::move(classes);
  dataset->scanned_ = std::move(files);
  dataset->uniform_samples_ = dataset->scanned_.front().index->sample_count();
  std::uint64_t first = 0;
  for (const ScannedFile& file : dataset->scanned_) {
    dataset->file_bytes_.push_back(file.index->file_bytes);
    dataset->first_samples_.push_back(first);
    first += file.index->sample_count();
    if (file.index->sample_count() != dataset->uniform_samples_) dataset->uniform_samples_ = 0;
    dataset->largest_sample_ =
        std::max(dataset->largest_sample_, file.index->largest_sample_bytes());
  }
  dataset->samples_ = first;
  dataset->finish();
  return dataset;
}

void Dataset::finish() {
  for (const std::uint64_t bytes : file_bytes_) {
    bytes_ += bytes;
    largest_file_ = std::max(largest_file_, bytes);
  }
  if (plan_) samples_ = plan_->files * plan_->samples_per_file;
  if (common_index_) largest_sample_ = common_index_->largest_sample_bytes();
}

std::vector<std::uint64_t> Dataset::samples_by_file() const {
  std::vector<std::uint64_t> counts;
  counts.reserve(scanned_.size());
  for (const ScannedFile& file : scanned_) counts.push_back(file.index->sample_count());
  return counts;
}

std::uint64_t Dataset::payload_bytes(std::uint64_t sample) const {
  if (fixed_payload_ > 0) return fixed_payload_;
  return format_->payload_for_stored(planned_sample_bytes(*plan_, sample));
}

std::string Dataset::path(std::uint64_t file) const {
  if (!plan_) return scanned_[file].path;
  if (plan_->subfolders == 0)
    return fmt::format("train/part-{:07}-of-{:07}{}", file, plan_->files, format_->extension());
  return fmt::format("train/{:05}/part-{:07}-of-{:07}{}", file % plan_->subfolders, file,
                     plan_->files, format_->extension());
}

std::shared_ptr<const FileIndex> Dataset::index(std::uint64_t file) const {
  if (common_index_) return common_index_;
  if (!plan_) return scanned_[file].index;
  std::vector<std::uint64_t> payloads(plan_->samples_per_file);
  for (std::uint64_t i = 0; i < payloads.size(); ++i)
    payloads[i] = payload_bytes(file * plan_->samples_per_file + i);
  return std::make_shared<const FileIndex>(format_->layout(SampleSizes(payloads)));
}

std::vector<SampleContent> Dataset::content(std::uint64_t file) const {
  std::vector<SampleContent> samples;
  if (!plan_) return samples;
  const std::uint64_t first = file * plan_->samples_per_file;
  for (std::uint64_t sample = first; sample < first + plan_->samples_per_file; ++sample) {
    RandomStream label(plan_->seed, SeedPurpose::kContent, sample);
    samples.push_back({plan_->seed, sample, payload_bytes(sample),
                       static_cast<std::uint32_t>(label.below(plan_->classes)),
                       plan_->compressibility});
  }
  return samples;
}

Dataset::Place Dataset::locate(std::uint64_t sample) const {
  if (uniform_samples_ > 0) return {sample / uniform_samples_, sample % uniform_samples_};
  const auto next = std::upper_bound(first_samples_.begin(), first_samples_.end(), sample);
  const auto file = static_cast<std::uint64_t>(next - first_samples_.begin()) - 1;
  return {file, sample - first_samples_[file]};
}

}  // namespace feedrate

#include "feedrate/dataset/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>

#include "feedrate/base/random.h"
#include "feedrate/format/format.h"
#include "feedrate/workload/sampler.h"

namespace feedrate {

Result<DatasetPlan> plan_for(const Workload& workload, std::uint64_t size_bytes, std::uint64_t seed,
                             double compressibility) {
  const DatasetShape& shape = workload.dataset;
  DatasetPlan plan;
  plan.workload = workload.name;
  plan.format = shape.format;
  plan.files = shape.files;
  plan.samples_per_file = shape.samples_per_file;
  plan.sample_bytes_mean = shape.sample_bytes_mean;
  plan.sample_bytes_stdev = shape.sample_bytes_stdev;
  plan.classes = shape.classes;
  plan.seed = seed;
  plan.compressibility = compressibility;
  plan.layout = shape.layout;
  plan.folders = shape.folders;
  plan.labels = shape.labels;
  if (shape.labels == LabelPlacement::kDirectory && shape.layout == DirectoryLayout::kFlat)
    plan.layout = DirectoryLayout::kClassFolders;
  // A workload may not know the size of its labels, but a file must have one.
  if (shape.labels == LabelPlacement::kSideFile || shape.labels == LabelPlacement::kManifest)
    plan.label_bytes = shape.label_bytes > 0
                           ? static_cast<std::uint64_t>(std::llround(shape.label_bytes))
                           : kLabelBytes;
  plan.format_options = shape.format_options;
  if (size_bytes > 0) {
    const double file_bytes = shape.sample_bytes_mean * static_cast<double>(shape.samples_per_file);
    // The size is a limit, so the number of files is rounded down.
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

namespace {

std::unexpected<Error> bad_plan(const std::string& message, const std::string& hint) {
  return fail(ErrorKind::kUsage, message, hint);
}

Result<> check_plan(const DatasetPlan& plan, const Format& format) {
  if (plan.files == 0 || plan.samples_per_file == 0)
    return bad_plan("the data set has no samples", "give it at least one file");
  if (plan.samples_per_file > format.samples_per_file_max())
    return bad_plan(fmt::format("samples_per_file: format '{}' holds at most {} a file, got {}",
                                plan.format, format.samples_per_file_max(), plan.samples_per_file),
                    "use format tfrecord for many samples a file");
  if (format.one_content_per_file() && plan.sample_bytes_stdev != 0)
    return bad_plan(fmt::format("dataset.sample_bytes_stdev: all samples of a '{}' file have one "
                                "size, got a deviation of {}",
                                plan.format, plan.sample_bytes_stdev),
                    "use 0, or another format");
  if (plan.sample_bytes_stdev == 0 &&
      format.payload_for_stored(static_cast<std::uint64_t>(plan.sample_bytes_mean)) == 0)
    return bad_plan(fmt::format("dataset.sample_bytes_mean: {} B are too few for a '{}' sample",
                                plan.sample_bytes_mean, plan.format),
                    "use more");
  // Classes and labels belong to a file here, so each sample needs a file of its own.
  const bool by_file = plan.layout == DirectoryLayout::kClassFolders ||
                       plan.labels == LabelPlacement::kSideFile ||
                       plan.labels == LabelPlacement::kManifest;
  if (by_file && plan.samples_per_file != 1)
    return bad_plan(fmt::format("dataset: {} needs one sample a file, got {}",
                                plan.layout == DirectoryLayout::kClassFolders
                                    ? "layout class_folders"
                                    : fmt::format("labels {}", to_string(plan.labels)),
                                plan.samples_per_file),
                    "use samples_per_file=1, or labels in the record");
  if (plan.labels == LabelPlacement::kDirectory && plan.layout != DirectoryLayout::kClassFolders)
    return bad_plan(fmt::format("dataset: labels directory needs layout class_folders, got {}",
                                to_string(plan.layout)),
                    "leave the layout out, or put the labels elsewhere");
  if (plan.labels == LabelPlacement::kSideFile && !format.companion_extension().empty())
    return bad_plan(fmt::format("dataset: labels side_file: a '{}' file has a second file already",
                                plan.format),
                    "use labels record or none");
  return {};
}

// A label manifest with entries of one length, so that the size of the whole is known without
// making it. It has JSON lines for most formats, and the manner of COCO where the files are images.
class LabelManifest {
 public:
  LabelManifest(const DatasetPlan& plan, std::string_view example_path)
      : coco_(plan.format == "jpeg" || plan.format == "png"),
        entries_(plan.files),
        entry_bytes_(std::max(plan.label_bytes, entry(0, example_path, 0, 0).size())) {}

  std::string path() const { return coco_ ? "labels.json" : "labels.jsonl"; }
  std::uint64_t bytes() const { return head().size() + entries_ * entry_bytes_ + tail().size(); }
  std::uint64_t entries() const { return entries_; }
  std::string head() const { return coco_ ? "{\"annotations\": [\n" : ""; }
  std::string tail() const { return coco_ ? "]}\n" : ""; }
  std::string entry(std::uint64_t number, std::string_view path, std::uint32_t label) const {
    return entry(number, path, label, entry_bytes_);
  }

 private:
  std::string entry(std::uint64_t number, std::string_view path, std::uint32_t label,
                    std::uint64_t length) const {
    // Numbers are padded with blanks, as JSON allows, and the rest of an entry is a text.
    const bool last = number + 1 == entries_;
    std::string start =
        coco_ ? fmt::format(R"({{"image_id": {:15}, "category_id": {:10}, "file_name": "{}")",
                            number, label, path)
              : fmt::format(R"({{"audio_filepath": "{}", "label": {:10})", path, label);
    const std::string_view text = R"(, "text": ")", end = R"("})";
    std::string close = coco_ ? (last ? " \n" : ",\n") : "\n";
    const std::uint64_t used = start.size() + text.size() + end.size() + close.size();
    const std::string filler(length > used ? length - used : 0, 'x');
    return fmt::format("{}{}{}{}{}", start, text, filler, end, close);
  }

  bool coco_;
  std::uint64_t entries_ = 0;
  std::uint64_t entry_bytes_;
};

// Renders the manifest, one entry at a time.
class LabelManifestRenderer : public Renderer {
 public:
  LabelManifestRenderer(const Dataset& dataset, LabelManifest manifest,
                        std::function<std::uint32_t(std::uint64_t)> label)
      : dataset_(dataset),
        manifest_(std::move(manifest)),
        label_(std::move(label)),
        text_(manifest_.head()) {}

  std::size_t next(std::span<std::byte> out) override {
    std::size_t written = 0;
    while (written < out.size()) {
      if (at_ == text_.size() && !next_text()) break;
      const std::size_t length = std::min(out.size() - written, text_.size() - at_);
      std::memcpy(out.data() + written, text_.data() + at_, length);
      written += length;
      at_ += length;
    }
    return written;
  }

 private:
  bool next_text() {
    if (entry_ > manifest_.entries()) return false;
    at_ = 0;
    text_ = entry_ == manifest_.entries()
                ? manifest_.tail()
                : manifest_.entry(entry_, dataset_.path(entry_), label_(entry_));
    ++entry_;
    return !text_.empty();
  }

  const Dataset& dataset_;
  const LabelManifest manifest_;
  const std::function<std::uint32_t(std::uint64_t)> label_;
  std::string text_;
  std::size_t at_ = 0;
  std::uint64_t entry_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Dataset>> Dataset::from_plan(const DatasetPlan& plan,
                                                          std::string directory) {
  FEEDRATE_TRY(const std::shared_ptr<const Format> format,
               make_format(plan.format, plan.format_options));
  FEEDRATE_CHECK(check_plan(plan, *format));
  std::shared_ptr<Dataset> dataset(new Dataset);
  dataset->format_ = format;
  dataset->directory_ = std::move(directory);
  dataset->plan_ = plan;
  dataset->uniform_samples_ = plan.samples_per_file;
  // Files of one size have one layout in common.
  if (plan.sample_bytes_stdev == 0) {
    dataset->fixed_payload_ = format->payload_for_stored(planned_sample_bytes(plan, 0));
    dataset->common_index_ = std::make_shared<const FileIndex>(
        format->layout(SampleSizes(plan.samples_per_file, dataset->fixed_payload_)));
    dataset->file_bytes_.assign(plan.files, dataset->common_index_->file_bytes);
  } else {
    // The layouts themselves are not kept: those of a million files would take too much memory.
    dataset->file_bytes_.reserve(plan.files);
    for (std::uint64_t file = 0; file < plan.files; ++file) {
      const auto index = dataset->index(file);
      dataset->file_bytes_.push_back(index->file_bytes);
      dataset->largest_sample_ = std::max(dataset->largest_sample_, index->largest_sample_bytes());
    }
  }
  dataset->describe_labels();
  dataset->finish();
  return std::shared_ptr<const Dataset>(dataset);
}

void Dataset::describe_labels() {
  has_side_files_ =
      plan_->labels == LabelPlacement::kSideFile || !format_->companion_extension().empty();
  if (plan_->labels != LabelPlacement::kManifest) return;
  const LabelManifest manifest(*plan_, longest_path());
  label_manifest_ = {manifest.path(), manifest.bytes()};
}

std::shared_ptr<const Dataset> Dataset::from_scan(std::shared_ptr<const Format> format,
                                                  std::string directory,
                                                  std::vector<ScannedFile> files,
                                                  SideFile label_manifest) {
  std::shared_ptr<Dataset> dataset(new Dataset);
  dataset->format_ = std::move(format);
  dataset->label_manifest_ = std::move(label_manifest);
  dataset->directory_ = std::move(directory);
  dataset->scanned_ = std::move(files);
  dataset->uniform_samples_ = dataset->scanned_.front().index->sample_count();
  std::uint64_t first = 0;
  for (const ScannedFile& file : dataset->scanned_) {
    dataset->file_bytes_.push_back(file.index->file_bytes);
    dataset->has_side_files_ |= !file.side.path.empty();
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

std::uint32_t Dataset::label_of(std::uint64_t sample) const {
  RandomStream label(plan_->seed, SeedPurpose::kContent, sample);
  return static_cast<std::uint32_t>(label.below(plan_->classes));
}

// Returns the folder with its slash; "" in the flat layout.
std::string Dataset::folder_of(std::uint64_t file) const {
  switch (plan_->layout) {
    case DirectoryLayout::kFlat:
      return {};
    case DirectoryLayout::kSubfolders:
      return fmt::format("{:05}/", file % plan_->folders);
    case DirectoryLayout::kClassFolders:
      return fmt::format("class{:05}/", label_of(file));
    case DirectoryLayout::kHashed: {  // two levels of 256, as content-addressed stores have them
      const std::uint64_t hash = mix64(file + 1);
      return fmt::format("{:02x}/{:02x}/", hash & 0xFFU, hash >> 8U & 0xFFU);
    }
  }
  return {};
}

// Returns the longest path, or one that is as long: only the names of classes differ in length,
// from 100,000 classes on.
std::string Dataset::longest_path() const {
  std::string longest = path(0);
  if (plan_->layout != DirectoryLayout::kClassFolders) return longest;
  const std::string last_class = fmt::format("class{:05}", plan_->classes - 1);
  const std::size_t shorter = folder_of(0).size() - 1;
  longest.insert(0, last_class.size() > shorter ? last_class.size() - shorter : 0, '_');
  return longest;
}

// Appends the number with zeros in front, as seven digits at least.
static void append_number(std::string& text, std::uint64_t number) {
  std::array<char, 20> digits;
  std::size_t first = digits.size();
  do {
    digits[--first] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0 || digits.size() - first < 7);
  text.append(digits.data() + first, digits.size() - first);
}

std::string Dataset::path(std::uint64_t file) const {
  if (!plan_) return scanned_[file].path;
  std::string path("train/");  // by hand: fmt took a third of a small file's CPU time
  path += folder_of(file);
  path += "part-";
  append_number(path, file);
  path += "-of-";
  append_number(path, plan_->files);
  path += format_->extension();
  return path;
}

Dataset::SideFile Dataset::side_file(std::uint64_t file) const {
  if (!has_side_files_) return {};
  if (!plan_) return scanned_[file].side;
  if (plan_->labels == LabelPlacement::kSideFile)
    return {fmt::format("labels/{}part-{:07}-of-{:07}.label", folder_of(file), file, plan_->files),
            plan_->label_bytes};
  return {companion_path(path(file), *format_),
          format_->companion_bytes(SampleSizes(plan_->samples_per_file, fixed_payload_))};
}

std::uint64_t Dataset::parts() const {
  return files() * (has_side_files_ ? 2 : 1) + (label_manifest_.path.empty() ? 0 : 1);
}

Dataset::Part Dataset::part(std::uint64_t number) const {
  if (number < files()) return {path(number), file_bytes(number)};
  SideFile extra = label_manifest_;
  if (has_side_files_ && number < 2 * files()) extra = side_file(number - files());
  return {std::move(extra.path), extra.bytes};
}

std::unique_ptr<Renderer> Dataset::render_part(std::uint64_t number) const {
  if (number < files()) return format_->render(content(number));
  if (!has_side_files_ || number >= 2 * files())
    return std::make_unique<LabelManifestRenderer>(
        *this, LabelManifest(*plan_, longest_path()),
        [this](std::uint64_t sample) { return label_of(sample); });
  const std::uint64_t file = number - files();
  if (plan_->labels == LabelPlacement::kSideFile) {
    // The content of labels is that of samples beyond the last one.
    return file_format().render(
        {{plan_->seed, samples_ + file, plan_->label_bytes, 0, plan_->compressibility}});
  }
  return format_->render_companion(SampleSizes(plan_->samples_per_file, fixed_payload_));
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
  const std::uint64_t count = plan_->samples_per_file, first = file * count;
  if (format_->one_content_per_file())
    return {{plan_->seed, first, fixed_payload_ * count, label_of(first), plan_->compressibility,
             count}};
  samples.reserve(count);
  for (std::uint64_t sample = first; sample < first + count; ++sample)
    samples.push_back(
        {plan_->seed, sample, payload_bytes(sample), label_of(sample), plan_->compressibility});
  return samples;
}

Dataset::Place Dataset::locate(std::uint64_t sample) const {
  if (uniform_samples_ > 0) return {sample / uniform_samples_, sample % uniform_samples_};
  const auto next = std::upper_bound(first_samples_.begin(), first_samples_.end(), sample);
  const auto file = static_cast<std::uint64_t>(next - first_samples_.begin()) - 1;
  return {file, sample - first_samples_[file]};
}

}  // namespace feedrate

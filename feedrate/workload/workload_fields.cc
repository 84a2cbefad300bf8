#include "feedrate/workload/workload_fields.h"

#include <fmt/format.h>

#include <cmath>

namespace feedrate {
namespace {

constexpr std::uint64_t kSamplesMax = 1'000'000'000'000'000;
constexpr double kDatasetBytesMax = 9e18;
constexpr double kStdevPerMeanMax = 10;
constexpr double kFilesMax = 1e12;
constexpr double kSampleBytesMax = 1e13;
constexpr double kGiB = 1ULL << 30U;

constexpr Limits kText{};
constexpr Limits kName{.is_name = true};
constexpr Limits kFlag{};
constexpr Limits between(double minimum, double maximum) { return {minimum, maximum}; }
constexpr Limits zero_or(double minimum, double maximum) {
  return {.minimum = minimum, .maximum = maximum, .zero_too = true};
}
constexpr Limits fraction(double minimum) {
  return {.minimum = minimum, .maximum = 1, .is_fraction = true};
}
constexpr Limits word(std::string_view noun) { return {.noun = noun}; }

using W = Workload;
using D = DatasetShape;
using T = AcceleratorTiming;

constexpr WorkloadField<W> kIdentity[] = {
    {"name", &W::name, kName, "The name of the workload, and of data sets made for it.", kNeeded},
    {"title", &W::title, kText, "What the workload is, in one line."},
    {"source", &W::source, kText, "Where the shape of the data set stands."},
    {"model_parameters", &W::model_parameters, between(0, 1e15), "Parameters of the model.",
     "not known"},
    {"model_source", &W::model_source, kText, "Where the number of parameters stands.",
     "not known"},
};

constexpr WorkloadField<D> kDataset[] = {
    {"name", &D::name, kText, "What the data set is called."},
    {"files", &D::files, between(1, kFilesMax), "Files of samples.", kNeeded},
    {"samples_per_file", &D::samples_per_file, between(1, kFilesMax), "Samples in each file."},
    {"format", &D::format, kName, "A format of `feedrate workloads --formats`.", kNeeded},
    {"sample_bytes_mean", &D::sample_bytes_mean, between(1, kSampleBytesMax),
     "Mean of the stored bytes of a sample.", kNeeded},
    {"sample_bytes_stdev", &D::sample_bytes_stdev, between(0, kSampleBytesMax),
     "Standard deviation of the stored bytes, at most 10 times the mean."},
    {"classes", &D::classes, between(1, 1e9), "Labels are 0 to classes - 1."},
    {"labels", &D::labels, word("label placement"),
     "Where the label of a sample stands; `directory` needs `layout: class_folders`."},
    {"label_bytes", &D::label_bytes, between(0, 1e9),
     "Mean bytes of a side file or of a manifest's entry.", "not known"},
    {"layout", &D::layout, word("layout"), "The directories that the files lie in."},
    {"folders", &D::folders, between(0, 1e6), "Directories of `layout: subfolders`.", "none"},
    {"sample_bytes_read", &D::sample_bytes_read, between(0, kSampleBytesMax),
     "Mean bytes of a sample that a job reads, where it needs some columns of many.", "all"},
};

constexpr WorkloadField<W> kLoading[] = {
    {"framework", &W::framework, word("framework"), "Whose habits `--client faithful` has."},
    {"order", &W::order, word("order"),
     "Whether files are read front to back (`sequential`), or sample by sample (`random`)."},
    {"shuffle_buffer_samples", &W::shuffle_buffer_samples, between(0, kGiB),
     "Samples held back for shuffling, in sequential order."},
    {"epochs", &W::epochs, between(1, 1e6), "Passes over the data set."},
    {"steps_max", &W::steps_max, between(0, 1024 * kGiB),
     "Steps of each accelerator at most, where the command sets no limit.", "no limit"},
    {"readers", &W::readers, between(1, 4096),
     "Workers of each accelerator's loader: those of the framework, so of `--client faithful`; "
     "given by `--set`, of both clients."},
    {"prefetch_batches", &W::prefetch_batches, between(1, 1024),
     "Batches that each accelerator's loader reads ahead; used like `readers`."},
    {"transfer_bytes", &W::transfer_bytes, zero_or(512, kGiB),
     "The largest single read of `--client faithful`.", "the framework's"},
    {"direct_io", &W::direct_io, kFlag,
     "Whether reads go around the page cache, where `--io` does not say.", "the client's habit"},
    {"au_threshold", &W::au_threshold, fraction(0.01),
     "The accelerator utilisation from which on an accelerator counts as fed."},
};

constexpr WorkloadField<T> kTiming[] = {
    {"batch_samples", &T::batch_samples, between(1, 1U << 24U),
     "Samples of a step, for each accelerator.", kNeeded},
    {"compute", &T::compute, between(1e-6, 3600),
     "The compute time of a step: 224ms, 1.36s; a bare number is seconds.", kNeeded},
    {"source", &T::source, kText, "Where both figures stand."},
    {"measured_with", &T::measured_with, between(1, 1e7),
     "Accelerators of the run that was measured.", "not known"},
};

std::optional<Conflict> label_conflict(const DatasetShape& dataset) {
  const bool has_size =
      dataset.labels == LabelPlacement::kSideFile || dataset.labels == LabelPlacement::kManifest;
  if (dataset.label_bytes > 0 && !has_size)
    return Conflict{"label_bytes",
                    fmt::format("{} B has no meaning with 'labels: {}'", dataset.label_bytes,
                                to_string(dataset.labels)),
                    "leave it out, or use 'labels: side_file' or 'labels: manifest'"};
  if (dataset.labels == LabelPlacement::kDirectory &&
      dataset.layout != DirectoryLayout::kClassFolders)
    return Conflict{
        "labels",
        fmt::format("the directory is the label, but the layout is {}", to_string(dataset.layout)),
        "add 'layout: class_folders'"};
  const bool subfolders = dataset.layout == DirectoryLayout::kSubfolders;
  if (subfolders && dataset.folders == 0)
    return Conflict{"layout", "subfolders needs their number", "add 'folders: 16'"};
  if (!subfolders && dataset.folders > 0)
    return Conflict{"folders",
                    fmt::format("{} has no meaning with 'layout: {}'", dataset.folders,
                                to_string(dataset.layout)),
                    "leave it out, or use 'layout: subfolders'"};
  return std::nullopt;
}

}  // namespace

std::span<const WorkloadField<Workload>> identity_fields() { return kIdentity; }
std::span<const WorkloadField<DatasetShape>> dataset_fields() { return kDataset; }
std::span<const WorkloadField<Workload>> loading_fields() { return kLoading; }
std::span<const WorkloadField<AcceleratorTiming>> timing_fields() { return kTiming; }

std::optional<Conflict> find_conflict(const DatasetShape& dataset) {
  const double stdev_max = kStdevPerMeanMax * dataset.sample_bytes_mean;
  if (dataset.sample_bytes_stdev > stdev_max)
    return Conflict{
        "sample_bytes_stdev",
        fmt::format("{} is more than {} times sample_bytes_mean ({})", dataset.sample_bytes_stdev,
                    kStdevPerMeanMax, dataset.sample_bytes_mean),
        fmt::format("use at most {:.0f}", std::floor(stdev_max))};
  // Both are at most 10^12, so their product could overflow, but the division cannot.
  if (dataset.files > kSamplesMax / dataset.samples_per_file)
    return Conflict{"files",
                    fmt::format("{} files of {} samples are more than {} samples", dataset.files,
                                dataset.samples_per_file, kSamplesMax),
                    "use fewer files, or fewer samples_per_file"};
  if (static_cast<double>(dataset.samples()) * dataset.sample_bytes_mean > kDatasetBytesMax)
    return Conflict{"sample_bytes_mean", "the data set would be larger than 9 EB",
                    "use fewer files, or smaller samples"};
  if (dataset.sample_bytes_read > dataset.sample_bytes_mean)
    return Conflict{"sample_bytes_read",
                    fmt::format("{} is more than is stored, sample_bytes_mean ({})",
                                dataset.sample_bytes_read, dataset.sample_bytes_mean),
                    "use at most that, or leave it out to read all"};
  return label_conflict(dataset);
}

}  // namespace feedrate

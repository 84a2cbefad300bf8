#include "feedrate/workload/workload_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "feedrate/base/text.h"

namespace feedrate {
namespace {

constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::uint64_t kFilesMax = 1'000'000'000'000;
constexpr std::uint64_t kSamplesMax = 1'000'000'000'000'000;
constexpr double kDatasetBytesMax = 9e18;
constexpr double kSampleBytesMax = 1e13;
constexpr double kStdevPerMeanMax = 10;
constexpr std::uint64_t kClassesMax = 1'000'000'000;
constexpr std::uint64_t kShuffleBufferMax = std::uint64_t{1} << 30U;
constexpr std::uint64_t kEpochsMax = 1'000'000;
constexpr std::uint64_t kReadersMax = 4096;
constexpr std::uint64_t kPrefetchMax = 1024;
constexpr double kAuThresholdMin = 0.01;
constexpr std::uint64_t kMeasuredWithMax = 10'000'000;
constexpr std::uint64_t kBatchMax = std::uint64_t{1} << 24U;
constexpr Duration kComputeMin = std::chrono::microseconds(1);
constexpr Duration kComputeMax = std::chrono::hours(1);
constexpr std::uint64_t kFoldersMax = 1'000'000;
constexpr double kLabelBytesMax = 1e9;
constexpr std::uint64_t kStepsMax = std::uint64_t{1} << 40U;
constexpr std::uint64_t kParametersMax = 1'000'000'000'000'000;
constexpr std::uint64_t kTransferMin = 512;
constexpr std::uint64_t kTransferMax = std::uint64_t{1} << 30U;
constexpr LabelPlacement kLabelPlacements[] = {LabelPlacement::kRecord, LabelPlacement::kDirectory,
                                               LabelPlacement::kSideFile, LabelPlacement::kManifest,
                                               LabelPlacement::kNone};
constexpr DirectoryLayout kLayouts[] = {DirectoryLayout::kFlat, DirectoryLayout::kSubfolders,
                                        DirectoryLayout::kClassFolders, DirectoryLayout::kHashed};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_name_byte(char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; }
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

// Control characters of ASCII and of U+0080 to U+009F: what could write to a terminal.
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

// The parse functions put "FLAG: " in front; with an empty flag that is ": ".
std::string without_flag(const Error& error) { return error.message().substr(2); }

// Assigns what `value` holds, or passes its error on.
template <class Target, class Value>
Result<> assign(Target& target, Result<Value> value) {
  if (!value) return fail(value.error());
  target = static_cast<Target>(std::move(*value));
  return {};
}

Result<std::uint64_t> checked_count(const Scalar& scalar, std::uint64_t minimum,
                                    std::uint64_t maximum) {
  const auto count = parse_count(scalar.text, "", minimum, maximum);
  if (!count) return scalar.error(without_flag(count.error()), count.error().hint());
  return *count;
}

Result<double> checked_bytes(const Scalar& scalar, double minimum,
                             double maximum = kSampleBytesMax) {
  const std::string_view text = trim(scalar.text);
  const std::string hint = fmt::format("use a number of bytes from {} to {}", minimum, maximum);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || code == std::errc::invalid_argument)
    return scalar.error(fmt::format("'{}' is not a number", text), hint);
  if (code != std::errc{} || !(value >= minimum && value <= maximum))
    return scalar.error(fmt::format("{} is outside {} to {}", text, minimum, maximum), hint);
  return value;
}

Result<double> checked_threshold(const Scalar& scalar) {
  const auto value = parse_fraction(scalar.text, "", kAuThresholdMin, 1);
  if (!value) return scalar.error(without_flag(value.error()), value.error().hint());
  return *value;
}

Result<Duration> checked_compute(const Scalar& scalar) {
  const auto value = parse_duration(scalar.text, "");
  if (!value) return scalar.error(without_flag(value.error()), "write it like 224ms or 1.36s");
  if (*value < kComputeMin || *value > kComputeMax)
    return scalar.error(fmt::format("{} is outside {} to {}", trim(scalar.text),
                                    format_duration(kComputeMin), format_duration(kComputeMax)),
                        "write it like 224ms or 1.36s; a bare number is seconds");
  return *value;
}

Result<Framework> checked_framework(const Scalar& scalar) {
  for (const Framework framework : {Framework::kPytorch, Framework::kTensorflow})
    if (scalar.text == to_string(framework)) return framework;
  const std::array<std::string, 2> known{"pytorch", "tensorflow"};
  return scalar.error(
      fmt::format("unknown framework '{}'{}", scalar.text, did_you_mean(scalar.text, known)),
      "use pytorch or tensorflow");
}

// One of `values`, by its word.
template <class Word, std::size_t kCount>
Result<Word> checked_word(const Scalar& scalar, std::string_view noun,
                          const Word (&values)[kCount]) {
  std::vector<std::string> known;
  for (const Word value : values) {
    if (scalar.text == to_string(value)) return value;
    known.emplace_back(to_string(value));
  }
  return scalar.error(
      fmt::format("unknown {} '{}'{}", noun, scalar.text, did_you_mean(scalar.text, known)),
      "use " + join(known, ", "));
}

Result<bool> checked_flag(const Scalar& scalar) {
  for (const char* word : {"true", "True", "yes"})
    if (scalar.text == word) return true;
  for (const char* word : {"false", "False", "no"})
    if (scalar.text == word) return false;
  return scalar.error(fmt::format("'{}' is neither true nor false", scalar.text),
                      "use true or false");
}

// 0, or a number within the limits of --transfer.
Result<std::uint64_t> checked_transfer(const Scalar& scalar) {
  FEEDRATE_TRY(const std::uint64_t bytes, checked_count(scalar, 0, kTransferMax));
  if (bytes != 0 && bytes < kTransferMin)
    return scalar.error(
        fmt::format("{} B is too small, at least {} B are needed", bytes, kTransferMin),
        "use 0 for the client's own, or 512 to 1073741824");
  return bytes;
}

// What to_yaml leaves out.
std::string unless_zero(std::uint64_t value) { return value == 0 ? "" : std::to_string(value); }
std::string unless_zero(double value) { return value == 0 ? "" : fmt::format("{}", value); }

Result<AccessOrder> checked_order(const Scalar& scalar) {
  const auto order = parse_access_order(scalar.text, "");
  if (!order) return scalar.error(without_flag(order.error()), order.error().hint());
  return *order;
}

// The shortest exact text of a time.
std::string exact_text(Duration duration) {
  const auto count = duration.count();
  if (count == 0) return "";
  if (count % 1'000'000 == 0) return fmt::format("{}ms", count / 1'000'000);
  if (count % 1'000 == 0) return fmt::format("{}us", count / 1'000);
  return fmt::format("{}ns", count);
}

constexpr Field<Workload> kIdentity[] = {
    {"name", true,
     [](const Scalar& scalar, Workload& w) { return assign(w.name, checked_name(scalar)); },
     [](const Workload& w) { return yaml_scalar(w.name); }},
    {"title", false,
     [](const Scalar& scalar, Workload& w) { return assign(w.title, checked_text(scalar)); },
     [](const Workload& w) { return yaml_scalar(w.title); }},
    {"source", false,
     [](const Scalar& scalar, Workload& w) { return assign(w.source, checked_text(scalar)); },
     [](const Workload& w) { return yaml_scalar(w.source); }},
    {"model_parameters", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.model_parameters, checked_count(scalar, 0, kParametersMax));
     },
     [](const Workload& w) { return unless_zero(w.model_parameters); }},
    {"model_source", false,
     [](const Scalar& scalar, Workload& w) { return assign(w.model_source, checked_text(scalar)); },
     [](const Workload& w) {
       return w.model_source.empty() ? std::string() : yaml_scalar(w.model_source);
     }},
};

constexpr Field<DatasetShape> kDataset[] = {
    {"name", false,
     [](const Scalar& scalar, DatasetShape& d) { return assign(d.name, checked_text(scalar)); },
     [](const DatasetShape& d) { return yaml_scalar(d.name); }},
    {"files", true,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.files, checked_count(scalar, 1, kFilesMax));
     },
     [](const DatasetShape& d) { return std::to_string(d.files); }},
    {"samples_per_file", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.samples_per_file, checked_count(scalar, 1, kFilesMax));
     },
     [](const DatasetShape& d) { return std::to_string(d.samples_per_file); }},
    {"format", true,
     [](const Scalar& scalar, DatasetShape& d) { return assign(d.format, checked_name(scalar)); },
     [](const DatasetShape& d) { return yaml_scalar(d.format); }},
    {"sample_bytes_mean", true,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.sample_bytes_mean, checked_bytes(scalar, 1));
     },
     [](const DatasetShape& d) { return fmt::format("{}", d.sample_bytes_mean); }},
    {"sample_bytes_stdev", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.sample_bytes_stdev, checked_bytes(scalar, 0));
     },
     [](const DatasetShape& d) { return fmt::format("{}", d.sample_bytes_stdev); }},
    {"classes", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.classes, checked_count(scalar, 1, kClassesMax));
     },
     [](const DatasetShape& d) { return std::to_string(d.classes); }},
    {"labels", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.labels, checked_word(scalar, "label placement", kLabelPlacements));
     },
     [](const DatasetShape& d) { return std::string(to_string(d.labels)); }},
    {"label_bytes", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.label_bytes, checked_bytes(scalar, 0, kLabelBytesMax));
     },
     [](const DatasetShape& d) { return unless_zero(d.label_bytes); }},
    {"layout", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.layout, checked_word(scalar, "layout", kLayouts));
     },
     [](const DatasetShape& d) { return std::string(to_string(d.layout)); }},
    {"folders", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.folders, checked_count(scalar, 0, kFoldersMax));
     },
     [](const DatasetShape& d) { return unless_zero(std::uint64_t{d.folders}); }},
    {"sample_bytes_read", false,
     [](const Scalar& scalar, DatasetShape& d) {
       return assign(d.sample_bytes_read, checked_bytes(scalar, 0));
     },
     [](const DatasetShape& d) { return unless_zero(d.sample_bytes_read); }},
};

constexpr Field<Workload> kLoading[] = {
    {"framework", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.framework, checked_framework(scalar));
     },
     [](const Workload& w) { return std::string(to_string(w.framework)); }},
    {"order", false,
     [](const Scalar& scalar, Workload& w) { return assign(w.order, checked_order(scalar)); },
     [](const Workload& w) { return std::string(to_string(w.order)); }},
    {"shuffle_buffer_samples", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.shuffle_buffer_samples, checked_count(scalar, 0, kShuffleBufferMax));
     },
     [](const Workload& w) { return std::to_string(w.shuffle_buffer_samples); }},
    {"epochs", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.epochs, checked_count(scalar, 1, kEpochsMax));
     },
     [](const Workload& w) { return std::to_string(w.epochs); }},
    {"steps_max", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.steps_max, checked_count(scalar, 0, kStepsMax));
     },
     [](const Workload& w) { return unless_zero(w.steps_max); }},
    {"readers", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.readers, checked_count(scalar, 1, kReadersMax));
     },
     [](const Workload& w) { return std::to_string(w.readers); }},
    {"prefetch_batches", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.prefetch_batches, checked_count(scalar, 1, kPrefetchMax));
     },
     [](const Workload& w) { return std::to_string(w.prefetch_batches); }},
    {"transfer_bytes", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.transfer_bytes, checked_transfer(scalar));
     },
     [](const Workload& w) { return unless_zero(w.transfer_bytes); }},
    {"direct_io", false,
     [](const Scalar& scalar, Workload& w) { return assign(w.direct_io, checked_flag(scalar)); },
     [](const Workload& w) { return std::string(w.direct_io ? "true" : ""); }},
    {"au_threshold", false,
     [](const Scalar& scalar, Workload& w) {
       return assign(w.au_threshold, checked_threshold(scalar));
     },
     [](const Workload& w) { return fmt::format("{}", w.au_threshold); }},
};

constexpr Field<AcceleratorTiming> kTiming[] = {
    {"batch_samples", true,
     [](const Scalar& scalar, AcceleratorTiming& t) {
       return assign(t.batch_samples, checked_count(scalar, 1, kBatchMax));
     },
     [](const AcceleratorTiming& t) {
       return t.batch_samples == 0 ? std::string() : std::to_string(t.batch_samples);
     }},
    {"compute", true,
     [](const Scalar& scalar, AcceleratorTiming& t) {
       return assign(t.compute, checked_compute(scalar));
     },
     [](const AcceleratorTiming& t) { return exact_text(t.compute); }},
    {"source", false,
     [](const Scalar& scalar, AcceleratorTiming& t) {
       return assign(t.source, checked_text(scalar));
     },
     [](const AcceleratorTiming& t) { return yaml_scalar(t.source); }},
    {"measured_with", false,
     [](const Scalar& scalar, AcceleratorTiming& t) {
       return assign(t.measured_with, checked_count(scalar, 1, kMeasuredWithMax));
     },
     [](const AcceleratorTiming& t) {
       return t.measured_with == 0 ? std::string() : std::to_string(t.measured_with);
     }},
};

}  // namespace

std::span<const Field<Workload>> identity_fields() { return kIdentity; }
std::span<const Field<DatasetShape>> dataset_fields() { return kDataset; }
std::span<const Field<Workload>> loading_fields() { return kLoading; }
std::span<const Field<AcceleratorTiming>> timing_fields() { return kTiming; }

std::vector<std::string> label_words() {
  std::vector<std::string> words;
  for (const LabelPlacement placement : kLabelPlacements) words.emplace_back(to_string(placement));
  return words;
}

std::vector<std::string> layout_words() {
  std::vector<std::string> words;
  for (const DirectoryLayout layout : kLayouts) words.emplace_back(to_string(layout));
  return words;
}

std::unexpected<Error> Scalar::error(std::string_view message, std::string hint) const {
  if (node != nullptr) return node->error(fmt::format("{}: {}", path, message), std::move(hint));
  return fail(ErrorKind::kUsage, fmt::format("{}{}={}: {}", flag, path, text, message),
              std::move(hint));
}

Result<std::string> checked_text(const Scalar& scalar) {
  if (has_control_character(scalar.text))
    return scalar.error("the text holds a control character", "remove it");
  const std::string_view text = trim(scalar.text);
  if (text.size() > kTextBytesMax)
    return scalar.error(fmt::format("the text is too long ({} B), at most {} B are allowed",
                                    text.size(), kTextBytesMax),
                        "shorten it");
  return std::string(text);
}

Result<std::string> checked_name(const Scalar& scalar) {
  const std::string_view text = trim(scalar.text);
  if (is_name(text)) return std::string(text);
  return scalar.error(fmt::format("{} is not a name", quote_path(text)),
                      fmt::format("use letters, digits, '-' and '_', at most {}", kNameBytesMax));
}

std::string yaml_scalar(std::string_view text) {
  if (is_name(text) && text != "null" && text != "Null" && text != "NULL") return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else
      quoted += c;
  }
  return quoted + "\"";
}

namespace {

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

std::optional<Conflict> find_conflict(const DatasetShape& dataset) {
  const double stdev_max = kStdevPerMeanMax * dataset.sample_bytes_mean;
  if (dataset.sample_bytes_stdev > stdev_max)
    return Conflict{
        "sample_bytes_stdev",
        fmt::format("{} is more than {} times sample_bytes_mean ({})", dataset.sample_bytes_stdev,
                    kStdevPerMeanMax, dataset.sample_bytes_mean),
        fmt::format("use at most {:.0f}", std::floor(stdev_max))};
  // Both are at most 10^12, so the division is what cannot overflow.
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

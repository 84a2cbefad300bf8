#include "feedrate/workload/dlio.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "feedrate/base/text.h"
#include "feedrate/workload/dlio_settings.h"

namespace feedrate {
namespace {

// A key of ours that DLIO has under other names.
struct DlioRow {
  std::string_view ours;
  DlioPaths dlio;  // later ones are names of older versions
  // `silent` is the value that DLIO assumes where a file is silent (ConfigArguments of its
  // utils/config.py), if our own default is another. `like_silence` is the value that means the
  // same as silence.
  std::string_view silent = {}, like_silence = {};
  bool clients_choose = false;  // a client of ours may choose otherwise, unless it was asked for
};

constexpr std::string_view kFiles = "dataset.num_files_train";
constexpr DlioRow kDatasetRows[] = {
    {"files", {kFiles}, "8"},
    {"samples_per_file", {"dataset.num_samples_per_file"}},
    {"sample_bytes_mean", {"dataset.record_length_bytes", "dataset.record_length"}, "65536"},
    {"sample_bytes_stdev",
     {"dataset.record_length_bytes_stdev", "dataset.record_length_stdev",
      "dataset.record_length_std"}},
    {"folders", {"dataset.num_subfolders_train"}},
};
// With 0 threads DLIO reads in the main thread, and with a prefetch of 0 it prefetches 2 batches.
constexpr DlioRow kLoadingRows[] = {
    {"readers", {"reader.read_threads"}, "1", "0", true},
    {"prefetch_batches", {"reader.prefetch_size"}, "2", "0", true},
    {"transfer_bytes", {"reader.transfer_size"}, "", "", true},
    {"shuffle_buffer_samples", {"reader.shuffle_size"}, "1024", "", true},
    {"direct_io", {"reader.odirect"}},
    {"epochs", {"train.epochs"}},
    {"steps_max", {"train.total_training_steps"}, "", "-1"},
    {"au_threshold", {"metric.au"}},
};

struct Names {
  std::string_view dlio, ours;
};

constexpr Names kFormats[] = {{"tfrecord", "tfrecord"},
                              {"npz", "npz"},
                              {"npy", "npy"},
                              {"hdf5", "hdf5"},
                              {"hdf5_opt", "hdf5"},
                              {"jpeg", "jpeg"},
                              {"png", "png"},
                              {"parquet", "parquet"},
                              {"indexed_binary", "megatron"},
                              {"mmap_indexed_binary", "megatron"}};

struct TypeBytes {
  std::string_view name;
  double bytes;
};
constexpr TypeBytes kTypes[] = {{"float16", 2}, {"float32", 4}, {"float64", 8}, {"bfloat16", 2},
                                {"int8", 1},    {"int16", 2},   {"int32", 4},   {"int64", 8},
                                {"uint8", 1},   {"uint16", 2},  {"uint32", 4},  {"uint64", 8},
                                {"bool", 1}};

// Returns the bytes of an element of that type; 0 when DLIO has no such type.
double bytes_of_type(std::string_view name) {
  for (const TypeBytes& type : kTypes)
    if (type.name == name) return type.bytes;
  return 0;
}

Result<double> positive_number(const DlioValue& value) {
  double number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stop, code] = std::from_chars(value.text.data(), end, number);
  if (code != std::errc{} || stop != end || !(number > 0))
    return value.scalar().error(fmt::format("'{}' is not a number above 0", value.text),
                                "write it like 4 or 0.5");
  return number;
}

// Reads a key of DLIO with the checks of our own key of the same meaning.
template <class Owner>
Result<> read_as(const DlioValue* value, std::span<const WorkloadField<Owner>> fields,
                 std::string_view our_key, Owner& owner) {
  if (value == nullptr) return {};
  return read_field(*find_field(fields, our_key), value->scalar(), owner);
}

// Reads every key of the rows that the file has, and gives the others DLIO's defaults.
template <class Owner>
Result<> read_rows(DlioSettings& settings, std::span<const DlioRow> rows,
                   std::span<const WorkloadField<Owner>> fields, Owner& owner) {
  for (const DlioRow& row : rows) {
    if (!row.silent.empty()) {
      const Scalar silent{std::string(row.silent), std::string(row.ours)};
      FEEDRATE_CHECK(read_field(*find_field(fields, row.ours), silent, owner));
    }
    const DlioValue* value = settings.take_first(row.dlio);
    if (value == nullptr || (!row.like_silence.empty() && value->text == row.like_silence))
      continue;
    FEEDRATE_CHECK(read_as(value, fields, row.ours, owner));
  }
  return {};
}

// Returns the file name without folders and ".yaml".
std::string stem_of(std::string_view origin) {
  const std::size_t slash = origin.rfind('/');
  if (slash != std::string_view::npos) origin.remove_prefix(slash + 1);
  return std::string(origin.substr(0, origin.find('.')));
}

// Keeps the letters, digits, '-' and '_' of the text, which a name may have.
std::string as_name(std::string text) {
  for (char& c : text) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fine && c != '_' && c != '-') c = '-';
  }
  while (text.starts_with('-') || text.starts_with('_')) text.erase(0, 1);
  return text.empty() ? "dlio" : text.substr(0, 64);
}

// Returns "h100" for "unet3d_h100_s3": published file names have the accelerator in them, as one or
// two letters and three digits. Where there is none it returns "accelerator".
std::string accelerator_of(const std::string& stem) {
  for (const std::string& word : split(stem, '_')) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const std::size_t letters =
        static_cast<std::size_t>(std::ranges::find_if_not(word, is_letter) - word.begin());
    if (letters >= 1 && letters <= 2 && word.size() == letters + 3 &&
        std::all_of(word.begin() + static_cast<std::ptrdiff_t>(letters), word.end(), is_digit))
      return word;
  }
  return "accelerator";
}

Result<> read_format(DlioSettings& settings, DatasetShape& dataset) {
  dataset.format = "tfrecord";
  const DlioValue* value = settings.take("dataset.format");
  if (value == nullptr) return {};
  std::string_view name = value->text;
  if (name.starts_with("dlio_")) name.remove_prefix(5);  // as its first versions wrote it
  std::vector<std::string> known;
  for (const Names& format : kFormats) {
    known.emplace_back(format.dlio);
    if (format.dlio == name) dataset.format = format.ours;
    if (format.dlio == name) return {};
  }
  const bool is_synthetic = name == "synthetic";
  return value->scalar().error(is_synthetic ? "'synthetic' reads no files"
                                            : fmt::format("format '{}' has no counterpart here{}",
                                                          value->text, did_you_mean(name, known)),
                               is_synthetic
                                   ? "--storage=null measures without files, with any other format"
                                   : "formats of DLIO that are read: " + join(known, ", "));
}

// Where they are given, `record_dims` and the type of an element take the place of a record length.
Result<> read_record_dims(DlioSettings& settings, DatasetShape& dataset) {
  double elements = 1;
  std::size_t count = 0;
  while (const DlioValue* value = settings.take(fmt::format("dataset.record_dims.{}", count))) {
    FEEDRATE_TRY(const double dimension, positive_number(*value));
    elements *= dimension;
    ++count;
  }
  const DlioValue* type = settings.take("dataset.record_element_type");
  const DlioValue* bytes = settings.take("dataset.record_element_bytes");
  if (count == 0) return {};
  double element_bytes = 1;
  if (type != nullptr) {
    element_bytes = bytes_of_type(type->text);
    if (element_bytes == 0)
      return type->scalar().error(fmt::format("unknown type '{}'", type->text),
                                  "use uint8, float32 or the like");
  } else if (bytes != nullptr) {
    FEEDRATE_TRY(element_bytes, positive_number(*bytes));
  }
  dataset.sample_bytes_mean = elements * element_bytes;
  return {};
}

// The columns of a Parquet file: how many there are, how many of them are read, and their bytes in
// a row.
struct Columns {
  std::uint64_t count = 0, read = 0;
  double bytes = 0, read_bytes = 0;
  bool all_types_known = true;
};

Result<Columns> read_columns(DlioSettings& settings) {
  Columns columns;
  for (;; ++columns.count) {
    const std::string path = fmt::format("dataset.parquet.columns.{}.", columns.count);
    const bool named = settings.take(path + "name") != nullptr;
    const DlioValue* type = settings.take(path + "dtype");
    const DlioValue* size = settings.take(path + "size");
    if (!named && type == nullptr) return columns;
    double elements = 1;
    if (size != nullptr) {
      FEEDRATE_TRY(elements, positive_number(*size));
    }
    // A column without a type is float32 in DLIO.
    const double bytes = elements * bytes_of_type(type == nullptr ? "float32" : type->text);
    columns.all_types_known &= bytes > 0;
    columns.bytes += bytes;
    if (settings.word(path + "read") == "false") continue;
    columns.read_bytes += bytes;
    ++columns.read;
  }
}

Result<> read_parquet(DlioSettings& settings, DatasetShape& dataset) {
  const DlioValue* rows = settings.take("dataset.parquet.row_group_size");
  FEEDRATE_TRY(const Columns columns, read_columns(settings));
  if (dataset.format != "parquet") return {};
  if (rows != nullptr) dataset.format_options["row_group_rows"] = rows->text;
  if (columns.count == 0) return {};
  dataset.format_options["columns"] = std::to_string(columns.count);
  dataset.format_options["columns_read"] = std::to_string(columns.read);
  if (!columns.all_types_known) return {};
  const bool has_record_length = settings.find("dataset.record_length_bytes") != nullptr ||
                                 settings.find("dataset.record_length") != nullptr;
  if (!has_record_length) dataset.sample_bytes_mean = columns.bytes;
  if (columns.read < columns.count)
    dataset.sample_bytes_read =
        dataset.sample_bytes_mean * (columns.read_bytes / std::max(1.0, columns.bytes));
  return {};
}

Result<> read_dataset(DlioSettings& settings, Workload& workload) {
  DatasetShape& dataset = workload.dataset;
  dataset.name = "data set of " + workload.name;
  if (!settings.find(kFiles))
    workload.notes.emplace_back(
        "the file describes no data set: what stands here are DLIO's defaults");
  FEEDRATE_CHECK(read_format(settings, dataset));
  FEEDRATE_CHECK(read_rows(settings, kDatasetRows, dataset_fields(), dataset));
  FEEDRATE_CHECK(read_record_dims(settings, dataset));
  FEEDRATE_CHECK(read_parquet(settings, dataset));
  if (dataset.folders > 1)
    dataset.layout = DirectoryLayout::kSubfolders;
  else
    dataset.folders = 0;  // DLIO makes folders from two on
  return {};
}

// Returns true for "seed" and "random". YAML 1.1 reads "off" as false, so both mean "off" here.
Result<bool> read_shuffle(DlioSettings& settings, std::string_view path) {
  const DlioValue* value = settings.take(path);
  const std::string word = settings.word(path);
  if (value == nullptr || word == "off" || word == "false") return false;
  if (word == "seed" || word == "random") return true;
  const std::array<std::string, 3> known{"off", "seed", "random"};
  return value->scalar().error(
      fmt::format("unknown shuffle '{}'{}", value->text, did_you_mean(word, known)),
      "use off, seed or random");
}

// TensorFlow's loader reads a file front to back, and so does any loader without sample shuffling.
Result<> read_order(DlioSettings& settings, Workload& workload) {
  FEEDRATE_TRY(const bool shuffles_files, read_shuffle(settings, "reader.file_shuffle"));
  FEEDRATE_TRY(const bool shuffles_samples, read_shuffle(settings, "reader.sample_shuffle"));
  const bool front_to_back = workload.framework == Framework::kTensorflow || !shuffles_samples;
  const bool sequential = front_to_back && workload.dataset.samples_per_file > 1;
  workload.order = sequential ? AccessOrder::kSequential : AccessOrder::kRandomSamples;
  if (!sequential || !shuffles_samples) workload.shuffle_buffer_samples = 0;
  if (!shuffles_files && !shuffles_samples)
    workload.notes.emplace_back(
        "the file leaves shuffling off, as DLIO does by default; here the order of the files is "
        "new in each epoch");
  return {};
}

Result<Framework> read_framework(DlioSettings& settings) {
  const DlioValue* value = settings.take("framework");
  const std::string loader = settings.word("reader.data_loader");
  if (value == nullptr)
    return loader.ends_with("pytorch") ? Framework::kPytorch : Framework::kTensorflow;
  Workload read;
  FEEDRATE_CHECK(read_as(value, loading_fields(), "framework", read));
  return read.framework;
}

Result<> read_loading(DlioSettings& settings, Workload& workload) {
  FEEDRATE_TRY(workload.framework, read_framework(settings));
  FEEDRATE_CHECK(read_rows(settings, kLoadingRows, loading_fields(), workload));
  FEEDRATE_CHECK(read_order(settings, workload));
  if (settings.word("workflow.train") == "false")
    workload.notes.emplace_back(
        "workflow.train is false: the file itself generates data or writes checkpoints, no more");
  return {};
}

Result<AcceleratorTiming> read_timing(DlioSettings& settings, const std::string& stem,
                                      std::string_view origin) {
  AcceleratorTiming timing;
  timing.accelerator = accelerator_of(stem);
  timing.set = kDlioTiming;
  timing.batch_samples = 1;
  timing.source = fmt::format("train.computation_time of {}", quote_path(origin));
  FEEDRATE_CHECK(
      read_as(settings.take("reader.batch_size"), timing_fields(), "batch_samples", timing));
  const DlioValue* compute =
      settings.take_first({"train.computation_time.mean", "train.computation_time"});
  if (compute == nullptr && settings.take("train.computation_time.type") != nullptr)
    return settings.take("train.computation_time.type")
        ->scalar()
        .error("a step time without a mean is not emulated", "add 'mean: 0.3'");
  double seconds = -1;
  if (compute != nullptr)
    std::from_chars(compute->text.data(), compute->text.data() + compute->text.size(), seconds);
  // A step time of 0 says nothing of an accelerator, so it stays unset.
  if (compute != nullptr && seconds != 0)
    FEEDRATE_CHECK(read_as(compute, timing_fields(), "compute", timing));
  return timing;
}

// Returns the error of values that do not fit together although each is within its limits. It names
// the place of the value to change.
Result<> check_together(DlioSettings& settings, const DatasetShape& dataset,
                        std::string_view origin) {
  const auto conflict = find_conflict(dataset);
  if (!conflict) return {};
  for (const DlioRow& row : kDatasetRows)
    if (row.ours == conflict->key)
      if (const DlioValue* value = settings.take_first(row.dlio))
        return value->scalar().error(conflict->message, conflict->hint);
  return fail(ErrorKind::kUsage, fmt::format("{}: {}", origin, conflict->message), conflict->hint);
}

}  // namespace

Result<DlioWorkload> parse_dlio_workload(std::string_view yaml, std::string_view origin,
                                         std::span<const std::string> overrides) {
  FEEDRATE_TRY(DlioSettings settings, DlioSettings::read(yaml, origin, overrides));
  const std::string stem = stem_of(origin);
  DlioWorkload found;
  Workload& workload = found.workload;
  const DlioValue* name = settings.take_first({"model.name", "model"});
  workload.name = as_name(name == nullptr || name->text.empty() ? stem : name->text);
  workload.title = fmt::format("DLIO workload {}", as_name(stem));
  workload.source = fmt::format("the DLIO file {}", quote_path(origin));
  FEEDRATE_CHECK(read_dataset(settings, workload));
  // Compression is a key that is ignored, and the user is told so. That there is none is not worth
  // telling.
  const DlioValue* compression = settings.find("dataset.compression");
  if (compression != nullptr && compression->text == "none") settings.take("dataset.compression");
  FEEDRATE_CHECK(read_loading(settings, workload));
  FEEDRATE_TRY(AcceleratorTiming timing, read_timing(settings, stem, origin));
  workload.accelerators.push_back(std::move(timing));
  FEEDRATE_CHECK(check_together(settings, workload.dataset, origin));
  for (const DlioRow& row : kLoadingRows) {
    const DlioValue* value = settings.take_first(row.dlio);
    if (row.clients_choose && value != nullptr && !value->node && value->text != "0")
      found.asked.emplace_back(row.ours);
  }
  found.ignored = settings.ignored();
  return found;
}

}  // namespace feedrate

#include "feedrate/request/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kRanksMax = 1'000'000;

Result<> read(const std::string& text, std::string_view flag, std::uint64_t minimum,
              std::uint64_t maximum, std::uint64_t& target) {
  if (text.empty()) return {};
  FEEDRATE_TRY(target, parse_count(text, flag, minimum, maximum));
  return {};
}

// Returns whether --set says that the workload trains another model than the catalogue's does.
bool changes_parameters(const Workload& workload) {
  const Result<Workload> published = find_workload(workload.name);
  return !published || published->model_parameters != workload.model_parameters;
}

}  // namespace

bool is_file(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".yaml");
}

Result<double> parse_number(std::string_view text, std::string_view flag, double minimum,
                            double maximum, std::string_view example) {
  double factor = 1;
  std::string_view digits = text;
  for (const auto& [letter, value] :
       {std::pair{'K', 1e3}, std::pair{'M', 1e6}, std::pair{'B', 1e9}, std::pair{'T', 1e12}})
    if (digits.ends_with(letter)) {
      factor = value;
      digits.remove_suffix(1);
      break;
    }
  double value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value))
    return fail(ErrorKind::kUsage, fmt::format("{}: '{}' is not a number", flag, text),
                fmt::format("write it like {}", example));
  value *= factor;
  if (value < minimum || value > maximum)
    return fail(ErrorKind::kUsage,
                fmt::format("{}: {} is out of range, {:g} to {:g} is allowed", flag, text, minimum,
                            maximum),
                fmt::format("write it like {}", example));
  return value;
}

Result<std::optional<ModelShape>> ModelOptions::resolve_model(const std::string& known,
                                                              const Workload* workload) const {
  if (!model.empty() && !parameters.empty())
    return fail(ErrorKind::kUsage, "--parameters: --model says how many there are",
                "give one of the two");
  if (!parameters.empty()) {
    FEEDRATE_TRY(const double count, parse_number(parameters, "--parameters", 1,
                                                  static_cast<double>(kParametersMax), "70B"));
    ModelShape shape;
    shape.name = "--parameters";
    shape.title = fmt::format("{} parameters", format_count(count));
    shape.given_parameters = static_cast<std::uint64_t>(count);
    return std::optional(std::move(shape));
  }
  const std::string& name = model.empty() ? known : model;
  std::optional<ModelShape> described;
  if (!name.empty()) {
    FEEDRATE_TRY(described, read_described(name, "model file", find_model, parse_model));
  }
  const std::uint64_t own = workload == nullptr || !model.empty() ? 0 : workload->model_parameters;
  if (own == 0 || (described && !changes_parameters(*workload))) return described;
  ModelShape shape;
  shape.name = workload->name;
  shape.title = fmt::format("{} parameters", format_count(static_cast<double>(own)));
  shape.source = workload->model_source;
  shape.given_parameters = own;
  return std::optional(std::move(shape));
}

Result<> check_tensor_bytes(double weight_bytes) {
  if (weight_bytes == 1 || weight_bytes == 2 || weight_bytes == 4) return {};
  return fail(ErrorKind::kUsage,
              fmt::format("--weight-bytes: tensors of {} B are not written", weight_bytes),
              fmt::format("use {}", kTensorBytes));
}

Result<std::uint64_t> whole_replicas(std::uint64_t ranks, std::string_view flag,
                                     const Parallelism& parallel) {
  const std::uint64_t share = parallel.tensor * parallel.pipeline;
  if (ranks % share == 0) return ranks / share;
  return fail(
      ErrorKind::kUsage,
      fmt::format("{}: {} cannot be divided into replicas of {} "
                  "(--tensor-parallel {} x --pipeline-parallel {})",
                  flag, ranks, share, parallel.tensor, parallel.pipeline),
      fmt::format("use a multiple of {}, or other --tensor-parallel and --pipeline-parallel",
                  share));
}

Result<Parallelism> ModelOptions::resolve_parallelism(const ModelShape* shape,
                                                      const std::string& count,
                                                      std::string_view flag,
                                                      std::uint64_t default_count) const {
  Parallelism parallel;
  if (shape != nullptr) parallel = shape->parallelism;
  FEEDRATE_CHECK(read(tensor, "--tensor-parallel", 1, kRanksMax, parallel.tensor));
  FEEDRATE_CHECK(read(pipeline, "--pipeline-parallel", 1, kRanksMax, parallel.pipeline));
  FEEDRATE_CHECK(read(data, "--data-parallel", 1, kAcceleratorsMax, parallel.data));
  std::uint64_t stage = parallel.zero_stage;
  FEEDRATE_CHECK(read(zero, "--zero", 0, 3, stage));
  parallel.zero_stage = static_cast<std::uint32_t>(stage);
  std::uint64_t ranks = default_count;
  if (!data.empty()) ranks = parallel.ranks();
  FEEDRATE_CHECK(read(count, flag, 1, kAcceleratorsMax, ranks));
  if (data.empty()) {
    FEEDRATE_TRY(parallel.data, whole_replicas(ranks, flag, parallel));
    return parallel;
  }
  if (parallel.ranks() != ranks)
    return fail(ErrorKind::kUsage,
                fmt::format("--tensor-parallel {} x --pipeline-parallel {} x --data-parallel {} = "
                            "{}, but {} is {}",
                            parallel.tensor, parallel.pipeline, parallel.data,
                            format_counted(parallel.ranks(), "rank"), flag, ranks),
                fmt::format("leave out --data-parallel, or make the product equal to {}", flag));
  return parallel;
}

Result<Precision> ModelOptions::resolve_precision(const ModelShape& shape,
                                                  std::string& source) const {
  if (shape.checkpoint_bytes > 0 && bytes_per_parameter.empty() && weight_bytes.empty()) {
    source = shape.checkpoint_source;
    return published_precision(shape);
  }
  Precision precision;
  double weights = precision.weights.value();
  if (!weight_bytes.empty()) {
    FEEDRATE_TRY(weights, parse_number(weight_bytes, "--weight-bytes", 0.125, 16, "2"));
    source += ", with --weight-bytes";
  }
  precision.weights = Bytes(weights);
  if (bytes_per_parameter.empty()) return precision;
  FEEDRATE_TRY(const double all,
               parse_number(bytes_per_parameter, "--bytes-per-parameter", 0.125, 64, "14"));
  if (!weight_bytes.empty() && weights > all)
    return fail(ErrorKind::kUsage,
                fmt::format("--weight-bytes: {} is more than --bytes-per-parameter {}",
                            weight_bytes, bytes_per_parameter),
                "a checkpoint holds the weights and the optimizer");
  source = "--bytes-per-parameter";
  precision.weights = std::min(precision.weights, Bytes(all));
  precision.optimizer = Bytes(all) - precision.weights;
  return precision;
}

}  // namespace feedrate

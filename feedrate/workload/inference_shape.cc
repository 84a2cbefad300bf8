#include "feedrate/workload/inference_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_rows.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

using R = InferenceRate;
using I = InferenceShape;

constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 50U;
constexpr double kRateMax = 1e12;
constexpr Duration::rep kHour = 3'600'000'000'000;  // ns

constexpr YamlRow<R> kRates[] = {
    {"offline", yaml::number<&R::offline, 1e-6, kRateMax>,
     "Samples a second of one accelerator, all of them available at the start.", kNeeded},
    {"server", yaml::number<&R::server, 1e-6, kRateMax>,
     "Samples a second that arrive at random and are served within the bound.", "no such scenario"},
};

Result<> read_rates(const YamlNode& node, InferenceShape& shape) {
  FEEDRATE_TRY(const auto entries, node.entries());
  for (const auto& [accelerator, rates] : entries) {
    InferenceRate rate;
    rate.accelerator = accelerator;
    FEEDRATE_CHECK(read_rows(rates, "the rates of an accelerator", kRates, rate));
    shape.rates.push_back(std::move(rate));
  }
  return {};
}

constexpr YamlRow<I> kInference[] = {
    {"name", yaml::text<&I::name>, "What `plan` calls it.", kNeeded},
    {"title", yaml::text<&I::title>, "What is served, in one line.", kNeeded},
    {"source", yaml::text<&I::source>, "Where the input of a sample stands.", kNeeded},
    {"input", yaml::bytes<&I::input, kBytesMax>, "Bytes of a sample, as an accelerator takes it.",
     kNeeded},
    {"input_note", yaml::text<&I::input_note>, "How those are counted.", kNeeded},
    {"latency_bound", yaml::time<&I::latency_bound, 1, kHour>,
     "Of the server scenario, for 99 of 100 samples.", "none"},
    {"model", yaml::bytes<&I::model, kBytesMax>, "What a replica loads.",
     "the final model of the job that trains it, or not known"},
    {"model_source", yaml::text<&I::model_source>, "Where that stands.", "needed with `model`"},
    {"rates",
     {read_rates, [] { return std::string("a mapping of accelerators"); }},
     "What one accelerator serves.",
     kNeeded},
    {"rates_source", yaml::text<&I::rates_source>, "Where the rates stand.", kNeeded},
    {"workloads", yaml::texts<&I::workloads>, "Training workloads of the same model.", "none"},
    {"not_comparable", yaml::text<&I::not_comparable>, "Why its samples are not those of training.",
     "they are"},
};

}  // namespace

Result<InferenceRate> InferenceShape::rate(std::string_view accelerator) const {
  std::vector<std::string> known;
  for (const InferenceRate& rate : rates) {
    if (same_name(rate.accelerator, accelerator)) return rate;
    known.push_back(rate.accelerator);
  }
  return fail(ErrorKind::kUsage,
              fmt::format("no inference rate of {} is published for '{}'", name, accelerator),
              fmt::format("known are {}", fmt::join(known, ", ")));
}

Result<InferenceShape> parse_inference(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  InferenceShape shape;
  FEEDRATE_CHECK(read_rows(root, "an inference shape", kInference, shape));
  if (root.has("model")) FEEDRATE_CHECK(root.at("model_source"));
  return shape;
}

std::string inference_keys() {
  return table_lines("", kInference) + table_lines("rates.NAME.", kRates);
}

std::vector<std::string> inference_names() { return catalogue_folder("inference/"); }

std::string inference_of_workload(std::string_view workload) {
  for (const std::string& name : inference_names()) {
    const Result<InferenceShape> shape = find_inference(name);
    if (shape && std::ranges::find(shape->workloads, workload) != shape->workloads.end())
      return name;
  }
  return {};
}

Result<InferenceShape> find_inference(std::string_view name) {
  return find_in_catalogue("inference/", "inference workload", name, parse_inference);
}

}  // namespace feedrate

#include "feedrate/workload/inference_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 50U;
constexpr double kRateMax = 1e12;

Result<> read_bytes(const YamlNode& node, std::string_view key, Bytes& target) {
  FEEDRATE_TRY(const YamlNode child, node.at(key));
  FEEDRATE_TRY(const std::uint64_t bytes, child.bytes(1, kBytesMax));
  target = Bytes(static_cast<double>(bytes));
  return {};
}

Result<InferenceRate> read_rate(const std::string& accelerator, const YamlNode& node) {
  FEEDRATE_CHECK(node.expect_keys("the rates of an accelerator", {"offline", "server"}));
  InferenceRate rate;
  rate.accelerator = accelerator;
  FEEDRATE_TRY(const YamlNode offline, node.at("offline"));
  FEEDRATE_TRY(const double value, offline.number(1e-6, kRateMax));
  rate.offline = PerSecond(value);
  if (!node.has("server")) return rate;
  FEEDRATE_TRY(const YamlNode server, node.at("server"));
  FEEDRATE_TRY(const double server_value, server.number(1e-6, kRateMax));
  rate.server = PerSecond(server_value);
  return rate;
}

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
  FEEDRATE_CHECK(
      root.expect_keys("an inference shape",
                       {"name", "title", "source", "input", "input_note", "latency_bound", "model",
                        "model_source", "rates", "rates_source", "workloads", "not_comparable"}));
  InferenceShape shape;
  for (const auto& [key, target] :
       {std::pair{"name", &shape.name}, std::pair{"title", &shape.title},
        std::pair{"source", &shape.source}, std::pair{"input_note", &shape.input_note},
        std::pair{"rates_source", &shape.rates_source}}) {
    FEEDRATE_TRY(*target, root.text_at(key));
  }
  FEEDRATE_CHECK(read_bytes(root, "input", shape.input));
  // The bytes that a replica loads may be unknown, but they never come without their source.
  if (root.has("model")) {
    FEEDRATE_CHECK(read_bytes(root, "model", shape.model));
    FEEDRATE_TRY(shape.model_source, root.text_at("model_source"));
  }
  if (root.has("not_comparable")) {
    FEEDRATE_TRY(shape.not_comparable, root.text_at("not_comparable"));
  }
  if (root.has("latency_bound")) {
    FEEDRATE_TRY(const YamlNode bound, root.at("latency_bound"));
    FEEDRATE_TRY(const Duration value, bound.duration(Duration(1), std::chrono::hours(1)));
    shape.latency_bound = Seconds(to_seconds(value));
  }
  if (root.has("workloads")) {
    FEEDRATE_TRY(const YamlNode workloads, root.at("workloads"));
    FEEDRATE_TRY(shape.workloads, workloads.texts());
  }
  FEEDRATE_TRY(const YamlNode rates, root.at("rates"));
  FEEDRATE_TRY(const auto entries, rates.entries());
  for (const auto& [accelerator, node] : entries) {
    FEEDRATE_TRY(InferenceRate rate, read_rate(accelerator, node));
    shape.rates.push_back(std::move(rate));
  }
  return shape;
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

#include <fmt/format.h>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/storage/model/model.h"

namespace feedrate {
namespace {

constexpr Duration kLatencyMax = std::chrono::hours(1);

Result<> parse_shape(const YamlNode& node, StorageModel& model) {
  FEEDRATE_TRY(const YamlNode shape_node, node.at("distribution"));
  FEEDRATE_TRY(const std::string shape, shape_node.text());
  const auto time = [&](std::string_view key, Duration& target) -> Result<> {
    FEEDRATE_TRY(const YamlNode child, node.at(key));
    FEEDRATE_TRY(target, child.duration(Duration(1), kLatencyMax));
    return {};
  };
  if (shape == "exponential") {
    model.latency_shape = LatencyShape::kExponential;
    FEEDRATE_CHECK(node.expect_keys("an exponential latency", {"distribution", "mean"}));
    return time("mean", model.latency);
  }
  if (shape == "lognormal") {
    model.latency_shape = LatencyShape::kLognormal;
    FEEDRATE_CHECK(node.expect_keys("a lognormal latency", {"distribution", "median", "p99"}));
    FEEDRATE_CHECK(time("median", model.latency));
    FEEDRATE_CHECK(time("p99", model.latency_p99));
    if (model.latency_p99 < model.latency)
      return node.error("p99 is less than the median", "give a p99 at or above the median");
    return {};
  }
  const std::vector<std::string> known{"exponential", "lognormal"};
  return shape_node.error(
      fmt::format("unknown distribution '{}'{}", shape, did_you_mean(shape, known)),
      "use exponential or lognormal; a fixed latency is written 'latency: 2ms'");
}

Result<> parse_latency(const YamlNode& root, StorageModel& model) {
  if (!root.has("latency")) return {};
  FEEDRATE_TRY(const YamlNode node, root.at("latency"));
  if (node.is_mapping()) return parse_shape(node, model);
  FEEDRATE_TRY(model.latency, node.duration(Duration(0), kLatencyMax));
  return {};
}

Result<> parse_rate(const YamlNode& root, std::string_view key, double& target) {
  if (!root.has(key)) return {};
  FEEDRATE_TRY(const YamlNode node, root.at(key));
  FEEDRATE_TRY(target, node.bytes_per_second());
  return {};
}

Result<> parse_slow_path(const YamlNode& node, StorageModel& model) {
  FEEDRATE_CHECK(node.expect_keys("a slow path", {"path", "open", "latency"}));
  StorageModel::SlowPath slow;
  FEEDRATE_TRY(const YamlNode path, node.at("path"));
  FEEDRATE_TRY(slow.path, path.text());
  if (slow.path.empty())
    return path.error("the path is empty", "give a part of the paths that are slow");
  for (const auto& [key, target] :
       {std::pair{"open", &slow.open}, std::pair{"latency", &slow.latency}}) {
    if (!node.has(key)) continue;
    FEEDRATE_TRY(const YamlNode child, node.at(key));
    FEEDRATE_TRY(*target, child.duration(Duration(0), kLatencyMax));
  }
  model.slow.push_back(std::move(slow));
  return {};
}

Result<> parse_slow_paths(const YamlNode& root, StorageModel& model) {
  if (!root.has("slow")) return {};
  FEEDRATE_TRY(const YamlNode list, root.at("slow"));
  FEEDRATE_TRY(const auto paths, list.items());
  for (const YamlNode& path : paths) FEEDRATE_CHECK(parse_slow_path(path, model));
  return {};
}

}  // namespace

Result<StorageModel> parse_storage_model(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  FEEDRATE_CHECK(
      root.expect_keys("storage model", {"name", "backing", "latency", "open", "stream_bandwidth",
                                         "bandwidth", "operations_per_second", "slow", "sizing"}));
  StorageModel model;
  FEEDRATE_TRY(const YamlNode name, root.at("name"));
  FEEDRATE_TRY(model.name, name.text());
  if (root.has("backing")) {
    FEEDRATE_TRY(const YamlNode backing, root.at("backing"));
    FEEDRATE_TRY(model.backing, backing.text());
    if (model.backing != "null" && model.backing != "posix")
      return backing.error(fmt::format("unknown backing '{}'", model.backing),
                           "use \"null\" or posix");
  }
  FEEDRATE_CHECK(parse_latency(root, model));
  if (root.has("open")) {
    FEEDRATE_TRY(const YamlNode open, root.at("open"));
    FEEDRATE_TRY(model.open_latency, open.duration(Duration(0), kLatencyMax));
  }
  FEEDRATE_CHECK(parse_slow_paths(root, model));
  FEEDRATE_CHECK(parse_rate(root, "stream_bandwidth", model.stream_bytes_per_second));
  FEEDRATE_CHECK(parse_rate(root, "bandwidth", model.bytes_per_second));
  if (root.has("operations_per_second")) {
    FEEDRATE_TRY(const YamlNode rate, root.at("operations_per_second"));
    FEEDRATE_TRY(model.operations_per_second, rate.number(0.001, 1e12));
  }
  return model;
}

}  // namespace feedrate

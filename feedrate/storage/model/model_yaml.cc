#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_rows.h"
#include "feedrate/storage/model/model.h"
#include "feedrate/storage/storage_documents.h"

namespace feedrate {
namespace {

using M = StorageModel;
using Slow = StorageModel::SlowPath;

constexpr Duration::rep kHour = 3'600'000'000'000;  // In ns.

// Reads nothing, because the word is read beforehand: it decides which keys there are.
constexpr YamlValue<M> kDistribution{[](const YamlNode&, M&) -> Result<> { return {}; },
                                     [] { return std::string("`exponential`, `lognormal`"); }};

constexpr YamlRow<M> kExponential[] = {
    {"distribution", kDistribution, "The law that each latency is drawn from.", kNeeded},
    {"mean", yaml::time<&M::latency, 1, kHour>, "Mean of `exponential`.", kNeeded},
};
constexpr YamlRow<M> kLognormal[] = {
    kExponential[0],
    {"median", yaml::time<&M::latency, 1, kHour>, "Median of `lognormal`.", kNeeded},
    {"p99", yaml::time<&M::latency_p99, 1, kHour>,
     "99th percentile of `lognormal`, at or above the median.", kNeeded},
};
constexpr YamlRow<Slow> kSlow[] = {
    {"path", yaml::text<&Slow::path>, "Files whose path holds this text are slow.", kNeeded},
    {"open", yaml::time<&Slow::open, 0, kHour>, "So much more for each open.", "none"},
    {"latency", yaml::time<&Slow::latency, 0, kHour>, "So much more for each read.", "none"},
};

Result<> read_shape(const YamlNode& node, StorageModel& model) {
  FEEDRATE_TRY(const YamlNode shape_node, node.at("distribution"));
  FEEDRATE_TRY(const std::string shape, shape_node.text());
  if (shape == "exponential") {
    model.latency_shape = LatencyShape::kExponential;
    return read_rows(node, "an exponential latency", kExponential, model);
  }
  if (shape == "lognormal") {
    model.latency_shape = LatencyShape::kLognormal;
    FEEDRATE_CHECK(read_rows(node, "a lognormal latency", kLognormal, model));
    if (model.latency_p99 < model.latency)
      return node.error("p99 is less than the median", "give a p99 at or above the median");
    return {};
  }
  const std::vector<std::string> known{"exponential", "lognormal"};
  return shape_node.error(
      fmt::format("unknown distribution '{}'{}", shape, did_you_mean(shape, known)),
      "use exponential or lognormal; a fixed latency is written 'latency: 2ms'");
}

Result<> read_latency(const YamlNode& node, StorageModel& model) {
  if (node.is_mapping()) return read_shape(node, model);
  return yaml::time<&M::latency, 0, kHour>.read(node, model);
}

Result<> read_backing(const YamlNode& node, StorageModel& model) {
  FEEDRATE_TRY(model.backing, node.text());
  const std::vector<std::string> known = backend_names();
  if (std::ranges::find(known, model.backing) != known.end()) return {};
  return node.error(fmt::format("unknown backing '{}'", model.backing),
                    fmt::format("use \"{}\"", fmt::join(known, "\" or \"")));
}

Result<> read_slow_paths(const YamlNode& node, StorageModel& model) {
  FEEDRATE_TRY(const auto paths, node.items());
  for (const YamlNode& path : paths) {
    Slow slow;
    FEEDRATE_CHECK(read_rows(path, "a slow path", kSlow, slow));
    if (slow.path.empty())
      return path.at("path")->error("the path is empty", "give a part of the paths that are slow");
    model.slow.push_back(std::move(slow));
  }
  return {};
}

constexpr YamlRow<M> kModel[] = {
    {"name", yaml::text<&M::name>, "What results call it.", kNeeded},
    {"backing",
     {read_backing, [] { return fmt::format("`\"{}\"`", fmt::join(backend_names(), "\"`, `\"")); }},
     "On the real clock: what really moves the bytes. The virtual clock takes `\"null\"` alone.",
     "`\"null\"`"},
    {"latency",
     {read_latency,
      [] { return std::string("a time of 0 to 1 h, or a mapping with `distribution`"); }},
     "Of every read and write: fixed, or drawn for each.",
     "none"},
    {"open", yaml::time<&M::open_latency, 0, kHour>, "Of each open, before its first read.",
     "none"},
    {"stream_bandwidth", yaml::rate<&M::stream_bytes_per_second>, "Of one read or write.",
     "no limit"},
    {"bandwidth", yaml::rate<&M::bytes_per_second>, "Of all reads and writes together.",
     "no limit"},
    {"operations_per_second", yaml::number<&M::operations_per_second, 0.001, 1e12>,
     "Of all reads and writes together.", "no limit"},
    {"slow",
     {read_slow_paths, [] { return std::string("a list of mappings"); }},
     "Files that are slower than the others.",
     "none"},
    // Reads nothing: what one unit carries is for plans, which read the same files.
    {"sizing",
     {[](const YamlNode&, M&) -> Result<> { return {}; }, [] { return std::string("a mapping"); }},
     "What one unit of it carries, for `plan`: the next table.",
     "it cannot be counted"},
};

}  // namespace

Result<StorageModel> parse_storage_model(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  StorageModel model;
  FEEDRATE_CHECK(read_rows(root, "storage model", kModel, model));
  return model;
}

std::string storage_model_keys() {
  return table_lines("", kModel) + table_lines("latency.", kExponential) +
         table_lines("latency.", std::span(kLognormal).last<2>()) + table_lines("slow[].", kSlow);
}

}  // namespace feedrate

#include "feedrate/workload/model_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_reader.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kRanksMax = 1'000'000;
constexpr std::uint64_t kCheckpointMax = std::uint64_t{1} << 60U;
constexpr std::uint64_t kUnitsMax = 1'000'000'000;

Result<> read_count(const YamlNode& root, std::string_view key, std::uint64_t& target,
                    std::uint64_t maximum = kUnitsMax) {
  if (!root.has(key)) return {};
  FEEDRATE_TRY(const YamlNode node, root.at(key));
  FEEDRATE_TRY(target, node.count(1, maximum));
  return {};
}

Result<> read_flag(const YamlNode& root, std::string_view key, bool& target) {
  if (!root.has(key)) return {};
  FEEDRATE_TRY(const YamlNode node, root.at(key));
  FEEDRATE_TRY(target, node.flag());
  return {};
}

Result<> read_transformer(const YamlNode& root, ModelShape& model) {
  FEEDRATE_TRY(const YamlNode node, root.at("transformer"));
  FEEDRATE_CHECK(node.expect_keys(
      "a transformer", {"layers", "hidden", "feed_forward", "feed_forward_matrices", "heads",
                        "kv_heads", "vocabulary", "output_embedding", "sequence_tokens"}));
  for (const std::string_view key : {"layers", "hidden", "feed_forward", "heads", "vocabulary"})
    FEEDRATE_CHECK(node.at(key));
  FEEDRATE_CHECK(read_count(node, "layers", model.layers));
  FEEDRATE_CHECK(read_count(node, "hidden", model.hidden));
  FEEDRATE_CHECK(read_count(node, "feed_forward", model.feed_forward));
  FEEDRATE_CHECK(read_count(node, "heads", model.heads));
  // Without grouped-query attention each head has keys and values of its own.
  model.kv_heads = model.heads;
  FEEDRATE_CHECK(read_count(node, "kv_heads", model.kv_heads));
  FEEDRATE_CHECK(read_count(node, "vocabulary", model.vocabulary));
  FEEDRATE_CHECK(read_count(node, "sequence_tokens", model.sequence_tokens));
  std::uint64_t matrices = model.feed_forward_matrices;
  FEEDRATE_CHECK(read_count(node, "feed_forward_matrices", matrices, 3));
  model.feed_forward_matrices = static_cast<std::uint32_t>(matrices);
  FEEDRATE_CHECK(read_flag(node, "output_embedding", model.output_embedding));
  if (model.heads > model.hidden || model.kv_heads > model.heads)
    return node.error(fmt::format("{} hidden units, {} heads and {} kv_heads do not fit together",
                                  model.hidden, model.heads, model.kv_heads),
                      "kv_heads is at most heads, heads at most hidden");
  return {};
}

Result<> read_checkpoint(const YamlNode& root, ModelShape& model) {
  if (!root.has("checkpoint")) return {};
  FEEDRATE_TRY(const YamlNode node, root.at("checkpoint"));
  FEEDRATE_CHECK(node.expect_keys("a checkpoint", {"bytes", "source"}));
  FEEDRATE_CHECK(read_count(node, "bytes", model.checkpoint_bytes, kCheckpointMax));
  FEEDRATE_TRY(model.checkpoint_source, node.text_at("source"));
  return {};
}

Result<> read_parallelism(const YamlNode& root, ModelShape& model) {
  if (!root.has("parallelism")) return {};
  FEEDRATE_TRY(const YamlNode node, root.at("parallelism"));
  FEEDRATE_CHECK(
      node.expect_keys("parallelism", {"tensor", "pipeline", "data", "zero_stage", "source"}));
  FEEDRATE_CHECK(read_count(node, "tensor", model.parallelism.tensor, kRanksMax));
  FEEDRATE_CHECK(read_count(node, "pipeline", model.parallelism.pipeline, kRanksMax));
  FEEDRATE_CHECK(read_count(node, "data", model.parallelism.data, kRanksMax));
  if (node.has("zero_stage")) {
    FEEDRATE_TRY(const YamlNode stage, node.at("zero_stage"));
    FEEDRATE_TRY(const std::uint64_t value, stage.count(0, 3));
    model.parallelism.zero_stage = static_cast<std::uint32_t>(value);
  }
  FEEDRATE_TRY(model.parallelism_source, node.text_at("source"));
  return {};
}

// Reads the parameters of a model that is not a transformer: as tensors, as a number, or both,
// which must then agree.
Result<> read_listed(const YamlNode& root, ModelShape& model) {
  FEEDRATE_CHECK(read_count(root, "parameters", model.given_parameters, kParametersMax));
  if (!root.has("tensors")) return {};
  FEEDRATE_TRY(const YamlNode node, root.at("tensors"));
  FEEDRATE_TRY(model.tensors, read_tensors(node));
  const std::uint64_t sum = elements_of(model.tensors);
  if (root.has("parameters") && model.given_parameters != sum) {
    FEEDRATE_TRY(const YamlNode given, root.at("parameters"));
    return given.error(fmt::format("'parameters' is {}, but the {} of 'tensors' have {}",
                                   model.given_parameters, model.tensors.size(), sum),
                       "correct one of them, or leave out 'parameters'");
  }
  model.given_parameters = sum;
  return {};
}

}  // namespace

// Counts the two norms, query with keys and values, the attention's output, and the feed-forward
// matrices. Head sizes are whole numbers, as in argonne-lcf/dlio_benchmark base_checkpointing.py.
Count ModelShape::layer_parameters() const {
  const std::uint64_t kv = hidden / heads * kv_heads;
  const std::uint64_t attention = hidden * (hidden + 2 * kv) + hidden * hidden;
  return count_of(2 * hidden + attention + feed_forward_matrices * hidden * feed_forward);
}

Count ModelShape::embedding_parameters() const { return count_of(vocabulary * hidden); }

Count ModelShape::parameters() const {
  if (!is_transformer()) return count_of(given_parameters);
  return count_of(layers) * layer_parameters() +
         Count(output_embedding ? 2 : 1) * embedding_parameters() + count_of(hidden);
}

Count ModelShape::row_wise_parameters() const {
  std::uint64_t sum = 0;
  for (const ModelTensor& tensor : tensors)
    if (tensor.row_wise) sum += tensor.elements();
  return count_of(sum);
}

ModelShape scaled(const ModelShape& model, double share) {
  FEEDRATE_ASSERT(share > 0 && share <= 1);
  ModelShape small = model;
  if (share == 1) return small;
  if (!model.tensors.empty()) {
    small.tensors = scaled(model.tensors, share);
    small.given_parameters = elements_of(small.tensors);
    return small;
  }
  if (!model.is_transformer()) {
    small.given_parameters = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(
               std::llround(static_cast<double>(model.given_parameters) * share)));
    return small;
  }
  const auto shrink = [&](std::uint64_t size, std::uint64_t step) {
    const double steps = static_cast<double>(size) * std::sqrt(share) / static_cast<double>(step);
    return step * std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(steps)));
  };
  // The heads must divide the hidden units.
  small.hidden = shrink(model.hidden, model.heads);
  small.feed_forward = shrink(model.feed_forward, 1);
  small.vocabulary = shrink(model.vocabulary, 1);
  return small;
}

Result<ModelShape> parse_model(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  FEEDRATE_CHECK(root.expect_keys(
      "a model", {"name", "title", "source", "notes", "parameters", "tensors", "transformer",
                  "parallelism", "workloads", "shared_timings", "checkpoint"}));
  ModelShape model;
  FEEDRATE_TRY(model.name, root.text_at("name"));
  FEEDRATE_TRY(model.title, root.text_at("title"));
  FEEDRATE_TRY(model.source, root.text_at("source"));
  if (root.has("notes")) {
    FEEDRATE_TRY(const YamlNode notes, root.at("notes"));
    FEEDRATE_TRY(model.notes, notes.texts());
  }
  if (root.has("workloads")) {
    FEEDRATE_TRY(const YamlNode workloads, root.at("workloads"));
    FEEDRATE_TRY(model.workloads, workloads.texts());
  }
  FEEDRATE_CHECK(read_flag(root, "shared_timings", model.shared_timings));
  if (root.has("transformer") == (root.has("tensors") || root.has("parameters")))
    return root.error("a model has either 'transformer', or 'tensors' or 'parameters'",
                      "give the layers of a transformer, or the tensors or their sum of another");
  if (root.has("transformer")) FEEDRATE_CHECK(read_transformer(root, model));
  FEEDRATE_CHECK(read_listed(root, model));
  FEEDRATE_CHECK(read_checkpoint(root, model));
  FEEDRATE_CHECK(read_parallelism(root, model));
  return model;
}

std::vector<std::string> model_names() { return catalogue_folder("models/"); }

std::string model_of_workload(std::string_view workload) {
  for (const std::string& name : model_names()) {
    const Result<ModelShape> model = find_model(name);
    if (model && std::ranges::find(model->workloads, workload) != model->workloads.end())
      return name;
  }
  return {};
}

Result<ModelShape> find_model(std::string_view name) {
  return find_in_catalogue("models/", "model", name, parse_model);
}

}  // namespace feedrate

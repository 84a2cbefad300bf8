#include "feedrate/workload/model_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_rows.h"
#include "feedrate/workload/catalogue_data.h"

namespace feedrate {
namespace {

constexpr std::uint64_t kRanksMax = 1'000'000;
constexpr std::uint64_t kCheckpointMax = std::uint64_t{1} << 60U;
constexpr std::uint64_t kUnitsMax = 1'000'000'000;

using M = ModelShape;
using P = Parallelism;

// Read where the mapping is that it stands in.
template <class Owner>
constexpr YamlValue<Owner> kElsewhere{[](const YamlNode&, Owner&) -> Result<> { return {}; },
                                      [] { return std::string("text"); }};
constexpr std::string (*a_mapping)() = [] { return std::string("a mapping"); };

constexpr YamlRow<M> kTransformer[] = {
    {"layers", yaml::count<&M::layers, 1, kUnitsMax>, "Layers.", kNeeded},
    {"hidden", yaml::count<&M::hidden, 1, kUnitsMax>, "Hidden units.", kNeeded},
    {"feed_forward", yaml::count<&M::feed_forward, 1, kUnitsMax>,
     "Units of the feed-forward part of a layer.", kNeeded},
    {"feed_forward_matrices", yaml::count<&M::feed_forward_matrices, 1, 3>,
     "Matrices of that part: 3 where it is gated (Llama), 2 where not (GPT-3).", "3"},
    {"heads", yaml::count<&M::heads, 1, kUnitsMax>, "Attention heads, at most `hidden`.", kNeeded},
    {"kv_heads", yaml::count<&M::kv_heads, 1, kUnitsMax>,
     "Heads of keys and values, at most `heads`.", "`heads`"},
    {"vocabulary", yaml::count<&M::vocabulary, 1, kUnitsMax>, "Tokens of the vocabulary.", kNeeded},
    {"output_embedding", yaml::flag<&M::output_embedding>,
     "Whether the last layer has a vocabulary matrix of its own.", "`true`"},
    {"sequence_tokens", yaml::count<&M::sequence_tokens, 1, kUnitsMax>, "Tokens of a sequence.",
     "not known"},
};
constexpr YamlRow<P> kParallelism[] = {
    {"tensor", yaml::count<&P::tensor, 1, kRanksMax>,
     "Accelerators that share each layer of one replica.", "1"},
    {"pipeline", yaml::count<&P::pipeline, 1, kRanksMax>,
     "Stages of layers that one replica is cut into.", "1"},
    {"data", yaml::count<&P::data, 1, kRanksMax>, "Replicas.", "1"},
    {"zero_stage", yaml::count<&P::zero_stage, 0, 3>,
     "What is sharded over the replicas: 0 nothing, 1 optimizer, 2 gradients too, 3 weights too.",
     "0"},
    {"source", kElsewhere<P>, "Where it stands that the model is run like that.", kNeeded},
};
constexpr YamlRow<M> kCheckpoint[] = {
    {"bytes", yaml::count<&M::checkpoint_bytes, 1, kCheckpointMax>,
     "Bytes of a published checkpoint.", "not known"},
    {"source", yaml::text<&M::checkpoint_source>, "Where that stands.", kNeeded},
};

Result<> read_transformer(const YamlNode& node, ModelShape& model) {
  FEEDRATE_CHECK(read_rows(node, "a transformer", kTransformer, model));
  if (!node.has("kv_heads")) model.kv_heads = model.heads;
  if (model.heads > model.hidden || model.kv_heads > model.heads)
    return node.error(fmt::format("{} hidden units, {} heads and {} kv_heads do not fit together",
                                  model.hidden, model.heads, model.kv_heads),
                      "kv_heads is at most heads, heads at most hidden");
  return {};
}

Result<> read_parallelism(const YamlNode& node, ModelShape& model) {
  FEEDRATE_CHECK(read_rows(node, "parallelism", kParallelism, model.parallelism));
  FEEDRATE_TRY(model.parallelism_source, node.text_at("source"));
  return {};
}

Result<> read_checkpoint(const YamlNode& node, ModelShape& model) {
  return read_rows(node, "a checkpoint", kCheckpoint, model);
}

Result<> read_listed(const YamlNode& node, ModelShape& model) {
  FEEDRATE_TRY(model.tensors, read_tensors(node));
  return {};
}

constexpr YamlRow<M> kModel[] = {
    {"name", yaml::text<&M::name>, "The name of the model.", kNeeded},
    {"title", yaml::text<&M::title>, "What the model is, in one line.", kNeeded},
    {"source", yaml::text<&M::source>, "Where its shape stands.", kNeeded},
    {"notes", yaml::texts<&M::notes>, "Remarks.", "none"},
    {"parameters", yaml::count<&M::given_parameters, 1, kParametersMax>,
     "How many there are, of a model that is no transformer.", "the sum of `tensors`"},
    {"tensors",
     {read_listed, [] { return std::string("a list of mappings"); }},
     "Its tensors: `{name: \"layer.{0..23}.weight\", shape: [1024, 4096]}`, or with `tensors` in "
     "place of `shape` a group of them; `sharding: row_wise` spreads the rows of a table over the "
     "replicas.",
     "not known"},
    {"transformer",
     {read_transformer, a_mapping},
     "The sizes of a transformer.",
     "`tensors` or `parameters` are needed"},
    {"parallelism", {read_parallelism, a_mapping}, "How it is usually run.", "not known"},
    {"workloads", yaml::texts<&M::workloads>, "Workloads that train it.", "none"},
    {"shared_timings", yaml::flag<&M::shared_timings>,
     "Whether their step times are those of one accelerator of a model-parallel job.", "`false`"},
    {"checkpoint",
     {read_checkpoint, a_mapping},
     "The size of a checkpoint, where it is not that of Adam in mixed precision.",
     "not known"},
};

// One by one, as a number, or both, which then agree.
Result<> check_parameters(const YamlNode& root, ModelShape& model) {
  if (!root.has("tensors")) return {};
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

// The two norms, query with keys and values, the attention's output, the feed-forward matrices.
// Head sizes are whole numbers, as in argonne-lcf/dlio_benchmark base_checkpointing.py.
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
  small.hidden = shrink(model.hidden, model.heads);
  small.feed_forward = shrink(model.feed_forward, 1);
  small.vocabulary = shrink(model.vocabulary, 1);
  return small;
}

Result<ModelShape> parse_model(std::string_view yaml, std::string_view origin) {
  FEEDRATE_TRY(const YamlNode root, YamlNode::parse(yaml, origin));
  FEEDRATE_CHECK(expect_rows(root, "a model", kModel));
  if (root.has("transformer") == (root.has("tensors") || root.has("parameters")))
    return root.error("a model has either 'transformer', or 'tensors' or 'parameters'",
                      "give the layers of a transformer, or the tensors or their sum of another");
  ModelShape model;
  FEEDRATE_CHECK(read_rows(root, "a model", kModel, model));
  FEEDRATE_CHECK(check_parameters(root, model));
  return model;
}

std::string model_keys() {
  return table_lines("", kModel) + table_lines("transformer.", kTransformer) +
         table_lines("parallelism.", kParallelism) + table_lines("checkpoint.", kCheckpoint);
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

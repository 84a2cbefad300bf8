// A model, as far as its checkpoint and its traffic depend on it: a pure description, from
// catalog/models/ or a user's YAML file with the same keys.
//
// A transformer is given by its layers, from which its tensors are counted. Every other model is
// given by its tensors, one by one, or by its number of parameters alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/quantity.h"
#include "feedrate/workload/model_tensors.h"

namespace feedrate {

// The spread of a job over accelerators: tensor x pipeline x data parallel = ranks.
struct Parallelism {
  std::uint64_t tensor = 1, pipeline = 1, data = 1;
  // Says what is sharded over the data-parallel ranks: 0 nothing, 1 the optimizer, 2 also the
  // gradients, 3 also the weights.
  std::uint32_t zero_stage = 0;
  std::uint64_t ranks() const { return tensor * pipeline * data; }
  bool operator==(const Parallelism&) const = default;
};

struct ModelShape {
  std::string name;   // "llama3-70b"
  std::string title;  // one line
  std::string source;
  // These are the figures of a transformer; a model with 0 layers is none.
  std::uint64_t layers = 0, hidden = 0, feed_forward = 0, heads = 0, kv_heads = 0, vocabulary = 0;
  std::uint32_t feed_forward_matrices = 3;  // 3 gated (Llama), 2 not (GPT-3)
  bool output_embedding = true;             // the last layer has a vocabulary matrix of its own
  std::uint64_t sequence_tokens = 0;        // 0: not known
  std::vector<ModelTensor> tensors;         // the tensors of any other model, where known
  std::uint64_t given_parameters = 0;       // the number of parameters of any other model
  // The published size of one checkpoint, where it differs from what Adam in mixed precision makes
  // of it.
  std::uint64_t checkpoint_bytes = 0;  // 0: not known
  std::string checkpoint_source;
  Parallelism parallelism;  // as it is usually run; ranks 1: not known
  std::string parallelism_source;
  std::vector<std::string> workloads;  // training workloads that train it
  // The step times of those workloads are of model-parallel jobs, divided by all their
  // accelerators, so a replica takes the batches of all its accelerators in a step.
  bool shared_timings = false;
  std::vector<std::string> notes;

  bool is_transformer() const { return layers > 0; }
  // The weights of one whole transformer layer.
  Count layer_parameters() const;
  Count embedding_parameters() const;
  Count parameters() const;
  // The parameters of these that lie in tables whose rows are spread over the data-parallel ranks.
  Count row_wise_parameters() const;
};

// Returns the same tensors, smaller: about `share` of the parameters, 0 < share <= 1. Dimensions
// shrink by its square root, to sizes that the heads divide. All layers stay, and so does every
// tensor of a list.
ModelShape scaled(const ModelShape& model, double share);

// `origin` is the file name in errors ("mine.yaml:7:3: ...").
Result<ModelShape> parse_model(std::string_view yaml, std::string_view origin);
std::string model_keys();                // lines of a table in Markdown
std::vector<std::string> model_names();  // of the catalogue, sorted
Result<ModelShape> find_model(std::string_view name);
// Returns the model that a workload of the catalogue trains; "" when the sources do not say enough
// of it.
std::string model_of_workload(std::string_view workload);

}  // namespace feedrate

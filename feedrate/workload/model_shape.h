// What a model is made of, as far as its checkpoint and its traffic depend on it: a pure
// description, from catalog/models/ or a user's YAML file with the same keys.
//
// A transformer is given by its layers, from which its tensors are counted; every other model by
// its tensors, one by one, or by its number of parameters alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feedrate/base/error.h"
#include "feedrate/base/quantity.h"
#include "feedrate/workload/model_tensors.h"

namespace feedrate {

// How a job is spread over accelerators: tensor x pipeline x data parallel = ranks.
struct Parallelism {
  std::uint64_t tensor = 1, pipeline = 1, data = 1;
  // What is sharded over the data-parallel ranks: 0 nothing, 1 the optimizer, 2 the gradients, too,
  // 3 the weights, too.
  std::uint32_t zero_stage = 0;
  std::uint64_t ranks() const { return tensor * pipeline * data; }
  bool operator==(const Parallelism&) const = default;
};

struct ModelShape {
  std::string name;   // "llama3-70b"
  std::string title;  // one line
  std::string source;
  // Of a transformer, in units; layers 0: not one.
  std::uint64_t layers = 0, hidden = 0, feed_forward = 0, heads = 0, kv_heads = 0, vocabulary = 0;
  std::uint32_t feed_forward_matrices = 3;  // 3 gated (Llama), 2 not (GPT-3)
  bool output_embedding = true;             // the last layer has a vocabulary matrix of its own
  std::uint64_t sequence_tokens = 0;        // 0: not known
  std::vector<ModelTensor> tensors;         // of a model that is not a transformer, where known
  std::uint64_t given_parameters = 0;       // of a model that is not a transformer: their sum
  // Published size of one checkpoint, where it is not what Adam in mixed precision makes of it.
  std::uint64_t checkpoint_bytes = 0;  // 0: not known
  std::string checkpoint_source;
  Parallelism parallelism;  // as it is usually run; ranks 1: no source says
  std::string parallelism_source;
  std::vector<std::string> workloads;  // training workloads that train it
  // The step times of those are of model-parallel jobs, divided by all their accelerators: a
  // replica takes the batches of all its accelerators in a step.
  bool shared_timings = false;
  std::vector<std::string> notes;

  bool is_transformer() const { return layers > 0; }
  // Weights of one transformer layer, whole.
  Count layer_parameters() const;
  Count embedding_parameters() const;
  Count parameters() const;
  // Of which in tables whose rows are spread over the data-parallel ranks.
  Count row_wise_parameters() const;
};

// The same tensors, smaller: about `share` of the parameters, 0 < share <= 1. Dimensions shrink by
// its square root, to what the heads divide; layers stay, and so does every tensor of a list.
ModelShape scaled(const ModelShape& model, double share);

// `origin` is the file name in errors ("mine.yaml:7:3: ...").
Result<ModelShape> parse_model(std::string_view yaml, std::string_view origin);
std::string model_keys();                // lines of a table in Markdown
std::vector<std::string> model_names();  // of the catalogue, sorted
Result<ModelShape> find_model(std::string_view name);
// The model that a workload of the catalogue trains; "" when no source says enough of it.
std::string model_of_workload(std::string_view workload);

}  // namespace feedrate

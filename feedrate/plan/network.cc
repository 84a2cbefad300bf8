#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "feedrate/plan/training.h"

namespace feedrate {

Section network_section(const ModelShape& model, const Parallelism& parallel, Count batch) {
  Section section;
  section.key = "network";
  section.title = "Between accelerators, per accelerator and step: network, not storage";
  const Count share = count_of(parallel.tensor * parallel.pipeline);
  if (parallel.data > 1) {
    // Rows of embedding tables lie on one replica each, so their gradients are not all-reduced.
    const Count tables = model.row_wise_parameters(), dense = model.parameters() - tables;
    const Bytes held = dense / share * Bytes(2);
    // ZeRO 3 gathers the weights twice, for the way forth and back, and scatters the gradients.
    const Count passes(parallel.zero_stage >= 3 ? 3 : 2);
    const Count ring = passes * (count_of(parallel.data) - Count(1)) / count_of(parallel.data);
    section.add("gradients",
                parallel.zero_stage >= 3 ? "weights gathered twice and gradients scattered"
                                         : "gradients, all-reduced over the replicas",
                held * ring,
                fmt::format("{} x (D - 1) / D x parameters / (tensor x pipeline) x 2 B = {} x ({} "
                            "- 1) / {} x {} / {} x 2 B",
                            show(passes), show(passes), parallel.data, parallel.data, show(dense),
                            show(share)),
                model.source);
    if (tables > Count(0))
      section.remarks.push_back(
          "rows of embedding tables that replicas ask each other for depend on the samples, "
          "which no source describes well enough");
  }
  if (!model.is_transformer() || parallel.tensor * parallel.pipeline == 1) return section;
  if (model.sequence_tokens == 0 || batch <= Count(0)) {
    section.remarks.push_back(
        "activations between tensor-parallel ranks and stages depend on batch and sequence "
        "length, of which at least one is not known");
    return section;
  }
  const Bytes activations =
      batch * count_of(model.sequence_tokens) * count_of(model.hidden) * Bytes(2);
  const std::string each = fmt::format("batch x tokens x hidden x 2 B = {} x {} x {} x 2 B",
                                       show(batch), model.sequence_tokens, model.hidden);
  if (parallel.tensor > 1) {
    const Count ring =
        Count(2) * (count_of(parallel.tensor) - Count(1)) / count_of(parallel.tensor);
    // A layer all-reduces its activations twice on the way forth and twice on the way back (Shoeybi
    // et al., Megatron-LM, 2019).
    const Count layers = count_of(model.layers) / count_of(parallel.pipeline);
    section.add("tensor", "activations, all-reduced over the tensor-parallel ranks",
                Count(4) * layers * ring * activations,
                fmt::format("4 a layer x {} layers x 2 x ({} - 1) / {} x {}", show(layers),
                            parallel.tensor, parallel.tensor, each),
                model.source);
  }
  if (parallel.pipeline > 1)
    section.add("pipeline", "activations and their gradients, to the next stage and back",
                Count(2) * activations, "2 x " + each, model.source);
  return section;
}

}  // namespace feedrate

#include "feedrate/workload/checkpoint_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace feedrate {
namespace {

constexpr std::uint64_t kFlatElements = std::uint64_t{16} << 20U;

struct Range {
  std::uint64_t begin = 0, count = 0;
};
// Returns part `index` of `parts`; the first parts take one more of a remainder.
Range part(std::uint64_t whole, std::uint64_t parts, std::uint64_t index) {
  const std::uint64_t each = whole / parts, extra = whole % parts;
  return {index * each + std::min(index, extra), each + (index < extra ? 1 : 0)};
}

Dtype weight_dtype(const Precision& precision) {
  if (precision.weights == Bytes(4)) return Dtype::kF32;
  return precision.weights == Bytes(1) ? Dtype::kU8 : Dtype::kBf16;
}

// Leaves only part `index` of `parts` of the piece's rows.
void cut_rows(TensorPiece& piece, std::uint64_t parts, std::uint64_t index) {
  const Range range = part(piece.shape[0], parts, index);
  piece.begin[0] += range.begin;
  piece.shape[0] = range.count;
}

// Says whether rows, columns or nothing is cut over the tensor-parallel ranks.
enum class Cut : std::uint8_t { kNone, kRows, kColumns };

class Builder {
 public:
  Builder(const ModelShape& model, const Parallelism& parallelism, const Precision& precision,
          const RankPlace& place, bool replicated)
      : model_(model),
        parallel_(parallelism),
        precision_(precision),
        place_(place),
        replicated_(replicated) {}

  // Returns the weights of this stage and tensor-parallel rank, whole: ZeRO cuts them later.
  // Without `replicated`, only those that lie on this data-parallel rank alone.
  std::vector<ShardGroup> weights() {
    if (!model_.tensors.empty()) {
      add_listed();
      return std::move(groups_);
    }
    // Only listed tensors may lie on one data-parallel rank alone.
    if (!replicated_) return {};
    if (!model_.is_transformer()) {
      add_flat();
      return std::move(groups_);
    }
    const std::uint64_t stages = parallel_.pipeline, stage = place_.pipeline;
    const std::uint64_t hidden = model_.hidden;
    if (stage == 0) {
      group("embed");
      add("model.embed_tokens.weight", {model_.vocabulary, hidden}, Cut::kRows);
    }
    const Range layers = part(model_.layers, stages, stage);
    for (std::uint64_t layer = layers.begin; layer < layers.begin + layers.count; ++layer)
      add_layer(layer);
    if (stage + 1 == stages) {
      group("norm");
      add("model.norm.weight", {hidden}, Cut::kNone);
      if (model_.output_embedding) {
        group("head");
        add("lm_head.weight", {model_.vocabulary, hidden}, Cut::kRows);
      }
    }
    return std::move(groups_);
  }

  // Returns three flat tensors over all parameters, a part of each for this rank, and what each
  // rank has for itself.
  ShardGroup flat_optimizer(std::uint64_t rank) const {
    ShardGroup result{"optimizer", {}};
    const auto all = static_cast<std::uint64_t>(std::llround(model_.parameters().value()));
    const std::uint64_t ranks = parallel_.ranks();
    const auto add_part = [&](const std::string& name, Dtype dtype, std::uint64_t elements) {
      const Range range = part(elements, ranks, rank);
      result.pieces.push_back({name, dtype, {elements}, {range.begin}, {range.count}});
    };
    for (const auto& [name, dtype, bytes] : optimizer_tensors())
      add_part("optimizer." + name, dtype,
               static_cast<std::uint64_t>(std::llround(static_cast<double>(all) * bytes /
                                                       static_cast<double>(dtype_bytes(dtype)))));
    const auto own = static_cast<std::uint64_t>(
        std::llround(precision_.optimizer.value() * 5 * static_cast<double>(model_.hidden)));
    if (own > 0)
      result.pieces.push_back({"optimizer.own", Dtype::kU8, {ranks, own}, {rank, 0}, {1, own}});
    return result;
  }

  // Returns a tensor for each of the weights, cut like them.
  ShardGroup whole_optimizer(const std::vector<ShardGroup>& weights) const {
    ShardGroup result{"optimizer", {}};
    for (const auto& [name, dtype, bytes] : optimizer_tensors())
      for (const ShardGroup& group : weights)
        for (TensorPiece piece : group.pieces) {
          if (bytes < 1) continue;  // of all parameters together: below
          piece.name = "optimizer." + name + "." + piece.name;
          piece.dtype = dtype;
          if (dtype == Dtype::kU8) {
            const auto factor = static_cast<std::uint64_t>(bytes);
            for (auto* sizes : {&piece.global, &piece.begin, &piece.shape}) sizes->back() *= factor;
          }
          result.pieces.push_back(std::move(piece));
        }
    if (replicated_) add_fraction(result);
    return result;
  }

 private:
  // A published size need not be a whole number of bytes a parameter. The fraction becomes a flat
  // tensor of its own.
  void add_fraction(ShardGroup& optimizer) const {
    const double fraction = std::fmod(precision_.optimizer.value(), 1);
    const auto all =
        static_cast<std::uint64_t>(std::llround(model_.parameters().value() * fraction));
    const Range range = part(all, parallel_.pipeline * parallel_.tensor,
                             place_.pipeline * parallel_.tensor + place_.tensor);
    if (range.count > 0)
      optimizer.pieces.push_back(
          {"optimizer.fraction", Dtype::kU8, {all}, {range.begin}, {range.count}});
  }

  struct OptimizerTensor {
    std::string name;
    Dtype dtype;
    double bytes;  // of a parameter
  };
  std::vector<OptimizerTensor> optimizer_tensors() const {
    static const char* const kNames[] = {"fp32", "exp_avg", "exp_avg_sq"};
    std::vector<OptimizerTensor> result;
    double left = precision_.optimizer.value();
    for (std::size_t index = 0; left >= 4; ++index, left -= 4)
      result.push_back(
          {index < 3 ? kNames[index] : fmt::format("state_{}", index), Dtype::kF32, 4});
    if (left > 0) result.push_back({"rest", Dtype::kU8, left});
    return result;
  }

  void group(const std::string& name) {
    groups_.push_back({fmt::format("{}-model_{:02}", name, place_.tensor), {}});
  }

  void add(std::string name, std::vector<std::uint64_t> shape, Cut cut) {
    TensorPiece piece{std::move(name), weight_dtype(precision_), shape,
                      std::vector<std::uint64_t>(shape.size(), 0), shape};
    if (cut != Cut::kNone) {
      const std::size_t dimension = cut == Cut::kRows ? 0 : 1;
      const Range range = part(shape[dimension], parallel_.tensor, place_.tensor);
      piece.begin[dimension] = range.begin;
      piece.shape[dimension] = range.count;
    }
    groups_.back().pieces.push_back(std::move(piece));
  }

  void add_layer(std::uint64_t layer) {
    const std::uint64_t hidden = model_.hidden, inner = model_.feed_forward;
    const std::uint64_t keys = hidden / model_.heads * model_.kv_heads;
    const std::string lead = fmt::format("model.layers.{}.", layer);
    group(fmt::format("layer_{:03}", layer));
    add(lead + "input_layernorm.weight", {hidden}, Cut::kNone);
    add(lead + "self_attn.q_proj.weight", {hidden, hidden}, Cut::kRows);
    add(lead + "self_attn.k_proj.weight", {keys, hidden}, Cut::kRows);
    add(lead + "self_attn.v_proj.weight", {keys, hidden}, Cut::kRows);
    add(lead + "self_attn.o_proj.weight", {hidden, hidden}, Cut::kColumns);
    add(lead + "post_attention_layernorm.weight", {hidden}, Cut::kNone);
    if (model_.feed_forward_matrices == 3)
      add(lead + "mlp.gate_proj.weight", {inner, hidden}, Cut::kRows);
    add(lead + "mlp.up_proj.weight", {inner, hidden}, Cut::kRows);
    add(lead + "mlp.down_proj.weight", {hidden, inner}, Cut::kColumns);
  }

  void add_listed() {
    group("model");
    std::uint64_t begin = 0;
    for (const ModelTensor& tensor : model_.tensors) {
      const std::uint64_t stage = stage_of_tensor(model_, parallel_.pipeline, begin);
      begin += tensor.elements();
      const bool spread = tensor.row_wise && parallel_.zero_stage < 3;
      if (stage != place_.pipeline || !(replicated_ || spread)) continue;
      add(tensor.name, tensor.shape, Cut::kRows);
      if (spread) cut_rows(groups_.back().pieces.back(), parallel_.data, place_.data);
    }
  }

  void add_flat() {
    const auto all = static_cast<std::uint64_t>(std::llround(model_.parameters().value()));
    const std::uint64_t blocks = (all + kFlatElements - 1) / kFlatElements;
    const Range mine = part(blocks, parallel_.pipeline, place_.pipeline);
    group("model");
    for (std::uint64_t block = mine.begin; block < mine.begin + mine.count; ++block)
      add(fmt::format("parameters.{:05}", block),
          {std::min(kFlatElements, all - block * kFlatElements)}, Cut::kRows);
  }

  const ModelShape& model_;
  const Parallelism& parallel_;
  const Precision& precision_;
  const RankPlace& place_;
  const bool replicated_;
  std::vector<ShardGroup> groups_;
};

// Returns one group with a data-parallel rank's rows of each tensor.
ShardGroup cut_rows(const std::vector<ShardGroup>& weights, std::uint64_t parts,
                    std::uint64_t index, std::uint64_t tensor) {
  ShardGroup result{fmt::format("model-model_{:02}", tensor), {}};
  for (const ShardGroup& group : weights)
    for (TensorPiece piece : group.pieces) {
      cut_rows(piece, parts, index);
      result.pieces.push_back(std::move(piece));
    }
  return result;
}

// Returns the tensors of the rank at `place`, with or without those that other data-parallel ranks
// hold too.
std::vector<ShardGroup> rank_tensors(const ModelShape& model, const Parallelism& parallelism,
                                     const Precision& precision, const RankPlace& place,
                                     bool replicated) {
  const bool sharded = parallelism.zero_stage >= 3;
  Builder builder(model, parallelism, precision, place, replicated || sharded);
  const std::vector<ShardGroup> weights = builder.weights();
  std::vector<ShardGroup> groups = weights;
  if (sharded) groups = {cut_rows(weights, parallelism.data, place.data, place.tensor)};
  if (precision.optimizer > Bytes(0)) {
    const std::uint64_t rank =
        (place.pipeline * parallelism.data + place.data) * parallelism.tensor + place.tensor;
    groups.push_back(parallelism.zero_stage >= 1 ? builder.flat_optimizer(rank)
                                                 : builder.whole_optimizer(weights));
  }
  // A rank that has no rows of a small tensor has no piece of it.
  for (ShardGroup& group : groups)
    std::erase_if(group.pieces, [](const TensorPiece& piece) { return piece.elements() == 0; });
  std::erase_if(groups, [](const ShardGroup& group) { return group.pieces.empty(); });
  return groups;
}

}  // namespace

std::uint64_t dtype_bytes(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return 4;
    case Dtype::kBf16:
      return 2;
    case Dtype::kU8:
      return 1;
  }
  return 1;
}

std::string_view to_string(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "f32";
    case Dtype::kBf16:
      return "bf16";
    case Dtype::kU8:
      return "u8";
  }
  return "";
}

std::uint64_t TensorPiece::elements() const {
  std::uint64_t product = 1;
  for (const std::uint64_t size : shape) product *= size;
  return product;
}

std::uint64_t ShardGroup::bytes() const {
  std::uint64_t sum = 0;
  for (const TensorPiece& piece : pieces) sum += piece.bytes();
  return sum;
}

RankPlace place_of_rank(const Parallelism& parallelism, std::uint64_t rank) {
  return {rank % parallelism.tensor, rank / (parallelism.tensor * parallelism.data),
          rank / parallelism.tensor % parallelism.data};
}

std::vector<ShardGroup> checkpoint_tensors(const ModelShape& model, const Parallelism& parallelism,
                                           const Precision& precision, const RankPlace& place) {
  return rank_tensors(model, parallelism, precision, place, place.data == 0);
}

std::vector<ShardGroup> needed_tensors(const ModelShape& model, const Parallelism& parallelism,
                                       const Precision& precision, const RankPlace& place) {
  return rank_tensors(model, parallelism, precision, place, true);
}

}  // namespace feedrate

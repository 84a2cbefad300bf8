#include "feedrate/workload/checkpoint_tensors.h"

#include <gtest/gtest.h>

#include <map>

namespace feedrate {
namespace {

double bytes_of(const std::vector<ShardGroup>& groups) {
  double sum = 0;
  for (const ShardGroup& group : groups) sum += static_cast<double>(group.bytes());
  return sum;
}

// The tensors are the shards that are planned, for every rank of every published model.
TEST(CheckpointTensors, SumsAreThoseOfTheShards) {
  for (const char* name : {"llama3-8b", "llama3-70b", "llama3-405b", "llama3-1t"}) {
    const ModelShape model = find_model(name).value();
    const Parallelism& parallel = model.parallelism;
    double sum = 0;
    std::uint64_t files = 0;
    for (std::uint64_t rank = 0; rank < parallel.ranks(); ++rank) {
      const RankPlace place = place_of_rank(parallel, rank);
      const auto groups = checkpoint_tensors(model, parallel, {}, place);
      const RankShard shard = checkpoint_shard(model, parallel, {}, place);
      ASSERT_NEAR(bytes_of(groups) / shard.sum().value(), 1, 1e-6) << name << " " << rank;
      ASSERT_EQ(Count(static_cast<double>(groups.size())), shard.files()) << name << " " << rank;
      sum += bytes_of(groups);
      files += groups.size();
    }
    const CheckpointSize size = checkpoint_size(model, parallel, {});
    EXPECT_NEAR(sum / size.sum().value(), 1, 1e-9) << name;
    EXPECT_EQ(Count(static_cast<double>(files)), size.files()) << name;
  }
}

// Every element of every tensor is written exactly once, whatever the parallelism; norms, once for
// each tensor-parallel rank.
TEST(CheckpointTensors, EveryElementIsWrittenOnce) {
  ModelShape model = find_model("llama3-8b").value();
  model.layers = 5;
  model.hidden = 96;
  model.feed_forward = 200;
  model.heads = 12;
  model.kv_heads = 4;
  model.vocabulary = 1003;
  for (const std::uint32_t stage : {0U, 1U, 3U}) {
    const Parallelism parallel{.tensor = 3, .pipeline = 2, .data = 7, .zero_stage = stage};
    std::map<std::string, std::uint64_t> seen, whole;
    for (std::uint64_t rank = 0; rank < parallel.ranks(); ++rank)
      for (const ShardGroup& group :
           checkpoint_tensors(model, parallel, {}, place_of_rank(parallel, rank)))
        for (const TensorPiece& piece : group.pieces) {
          seen[piece.name] += piece.elements();
          std::uint64_t all = 1;
          for (const std::uint64_t size : piece.global) all *= size;
          whole[piece.name] = all;
          for (std::size_t d = 0; d < piece.shape.size(); ++d)
            EXPECT_LE(piece.begin[d] + piece.shape[d], piece.global[d]);
        }
    for (const auto& [name, count] : seen) {
      const bool copied = name.find("norm") != std::string::npos;
      EXPECT_EQ(count, whole[name] * (copied ? parallel.tensor : 1)) << name << " " << stage;
    }
  }
}

TEST(CheckpointTensors, RanksAreNumberedTensorFirst) {
  const Parallelism parallel{.tensor = 2, .pipeline = 3, .data = 4};
  const RankPlace place = place_of_rank(parallel, 2 * 4 * 2 + 3 * 2 + 1);
  EXPECT_EQ(place.tensor, 1U);
  EXPECT_EQ(place.data, 3U);
  EXPECT_EQ(place.pipeline, 2U);
}

TEST(CheckpointTensors, AModelOfParametersAloneIsFlat) {
  ModelShape model;
  model.given_parameters = 25557032;
  const auto groups = checkpoint_tensors(model, {.data = 4}, {}, {});
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].name, "model-model_00");
  EXPECT_EQ(groups[0].bytes(), 25557032U * 2);
  EXPECT_EQ(groups[1].bytes(), 25557032U * 12);
  EXPECT_EQ(groups[1].pieces[0].name, "optimizer.fp32.parameters.00000");
  EXPECT_TRUE(checkpoint_tensors(model, {.data = 4}, {}, {.data = 1}).empty());
}

// Every element of every listed tensor is written exactly once, and what is planned is written.
TEST(CheckpointTensors, ListedTensorsAreWrittenOnce) {
  for (const char* name : {"resnet50", "unet3d", "dlrm"}) {
    const ModelShape model = scaled(find_model(name).value(), 0.1);
    for (const std::uint32_t stage : {0U, 1U, 3U})
      for (const std::uint64_t pipeline : {1U, 3U}) {
        const Parallelism parallel{
            .tensor = 2, .pipeline = pipeline, .data = 3, .zero_stage = stage};
        std::map<std::string, std::uint64_t> seen;
        double bytes = 0;
        for (std::uint64_t rank = 0; rank < parallel.ranks(); ++rank) {
          const auto groups =
              checkpoint_tensors(model, parallel, {}, place_of_rank(parallel, rank));
          bytes += bytes_of(groups);
          for (const ShardGroup& group : groups)
            for (const TensorPiece& piece : group.pieces) seen[piece.name] += piece.elements();
        }
        for (const ModelTensor& tensor : model.tensors)
          EXPECT_EQ(seen[tensor.name], tensor.elements()) << name << " " << tensor.name;
        EXPECT_NEAR(bytes / checkpoint_size(model, parallel, {}).sum().value(), 1, 1e-9) << name;
      }
  }
}

TEST(CheckpointTensors, ListedTensorsKeepTheirShapes) {
  const ModelShape model = find_model("unet3d").value();
  const auto groups = checkpoint_tensors(model, {.data = 3, .zero_stage = 3}, {}, {.data = 1});
  ASSERT_EQ(groups.size(), 2U);
  const TensorPiece& piece = groups[0].pieces[0];
  EXPECT_EQ(piece.name, "input_block.conv1.0.weight");
  EXPECT_EQ(piece.global, (std::vector<std::uint64_t>{32, 1, 3, 3, 3}));
  EXPECT_EQ(piece.begin, (std::vector<std::uint64_t>{11, 0, 0, 0, 0}));
  EXPECT_EQ(piece.shape, (std::vector<std::uint64_t>{11, 1, 3, 3, 3}));
}

// Without ZeRO the first replica writes what all of them have. Each writes its own rows of the
// tables and their optimizer, and reads those and what all have when it starts again.
TEST(CheckpointTensors, RowsOfTablesLieOnAllReplicas) {
  const ModelShape model = find_model("dlrm").value();
  const Parallelism parallel{.data = 8};
  const double tables = 26135627264.0, dense = 26151671809.0 - tables;
  const auto first = checkpoint_tensors(model, parallel, {}, {.data = 0});
  const auto other = checkpoint_tensors(model, parallel, {}, {.data = 7});
  EXPECT_NEAR(bytes_of(first), 14 * (tables / 8 + dense), 14 * 128 * 26);
  EXPECT_NEAR(bytes_of(other), 14 * tables / 8, 14 * 128 * 26);
  ASSERT_EQ(other.size(), 2U);
  const TensorPiece& rows = other[0].pieces[0];
  EXPECT_EQ(rows.global, (std::vector<std::uint64_t>{40000000, 128}));
  EXPECT_EQ(rows.begin, (std::vector<std::uint64_t>{35000000, 0}));
  EXPECT_EQ(rows.shape, (std::vector<std::uint64_t>{5000000, 128}));
  EXPECT_NEAR(checkpoint_shard(model, parallel, {}, {.data = 7}).sum().value(), 14 * tables / 8, 1);
  const auto needed = needed_tensors(model, parallel, {}, {.data = 7});
  EXPECT_EQ(bytes_of(needed), bytes_of(other) + 14 * dense);
  const auto sharded = checkpoint_tensors(model, {.data = 8, .zero_stage = 3}, {}, {.data = 7});
  EXPECT_EQ(sharded[0].pieces[0].shape, rows.shape);
}

TEST(CheckpointTensors, OtherPrecisions) {
  const ModelShape model = find_model("resnet50").value();
  const auto groups = checkpoint_tensors(model, {}, {Bytes(4), Bytes(9)}, {});
  EXPECT_EQ(groups[0].pieces[0].dtype, Dtype::kF32);
  EXPECT_EQ(groups[1].bytes(), 25557032U * 9);
  EXPECT_EQ(checkpoint_tensors(model, {}, {Bytes(1), Bytes(0)}, {})[0].bytes(), 25557032U);
}

// A published size is written to the byte, however it is spread: 499,153,191 B by
// mlcommons/storage are 16 B for each parameter and 109,303 B more.
TEST(CheckpointTensors, APublishedSizeIsWrittenToTheByte) {
  const ModelShape model = find_model("unet3d").value();
  const Precision precision = published_precision(model);
  for (const std::uint32_t stage : {0U, 1U, 3U})
    for (const Parallelism& spread : {Parallelism{}, Parallelism{.data = 3},
                                      Parallelism{.tensor = 2, .pipeline = 3, .data = 2}}) {
      Parallelism parallel = spread;
      parallel.zero_stage = stage;
      double sum = 0;
      for (std::uint64_t rank = 0; rank < parallel.ranks(); ++rank)
        sum +=
            bytes_of(checkpoint_tensors(model, parallel, precision, place_of_rank(parallel, rank)));
      EXPECT_EQ(sum, 499'153'191) << parallel.ranks() << " ranks, ZeRO " << stage;
    }
  const auto pieces = checkpoint_tensors(model, {}, precision, {}).back().pieces;
  EXPECT_EQ(pieces.back().name, "optimizer.fraction");
  EXPECT_EQ(pieces.back().bytes(), 109'303U);
  EXPECT_EQ(published_precision(find_model("resnet50").value()).sum(), Bytes(14));
}

}  // namespace
}  // namespace feedrate

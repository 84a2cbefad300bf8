#include "feedrate/workload/checkpoint_shards.h"

#include <gtest/gtest.h>

namespace feedrate {
namespace {

constexpr double kGib = 1073741824;

// mlcommons/storage Submission_guidelines.md 2.2, recomputed; reported by results v3.0 as
// checkpoint_size_GB: 104.70452, 911.21213, 5292.24872, 15426.58926.
TEST(CheckpointShards, Llama3) {
  const struct {
    const char* name;
    double parameters, total, weights, optimizer, smallest, largest, files;
  } published[] = {
      {"llama3-8b", 8030261248, 104.70452, 14.96, 89.75, 13.088, 13.088, 16},
      {"llama3-70b", 69882617856, 911.21213, 130.18, 781.03, 14.238, 14.238, 128},
      {"llama3-405b", 405853388800, 5292.24872, 756.01, 4536.23, 8.860, 12.318, 512 + 1032},
      {"llama3-1t", 1183035102480, 15426.58926, 2203.66, 13222.93, 12.913, 17.966, 1024 + 1048},
  };
  for (const auto& row : published) {
    const ModelShape model = find_model(row.name).value();
    EXPECT_EQ(model.parameters().value(), row.parameters) << row.name;
    const CheckpointSize size = checkpoint_size(model, model.parallelism, {});
    EXPECT_NEAR(size.sum().value() / kGib / row.total, 1, 1e-5) << row.name;
    EXPECT_NEAR(size.weights.value() / kGib, row.weights, 0.006) << row.name;
    EXPECT_NEAR(size.optimizer.value() / kGib, row.optimizer, 0.006) << row.name;
    EXPECT_NEAR(size.smallest.sum().value() / kGib, row.smallest, 0.0006) << row.name;
    EXPECT_NEAR(size.largest.sum().value() / kGib, row.largest, 0.0006) << row.name;
    EXPECT_EQ(size.files(), Count(row.files)) << row.name;
  }
}

TEST(CheckpointShards, TheSumOfAllRanksIsTheWhole) {
  ModelShape model = find_model("llama3-405b").value();
  for (const std::uint32_t stage : {0U, 1U, 2U, 3U}) {
    const Parallelism parallel{.tensor = 4, .pipeline = 5, .data = 3, .zero_stage = stage};
    Bytes sum;
    Count files;
    for (std::uint64_t tensor = 0; tensor < parallel.tensor; ++tensor)
      for (std::uint64_t pipeline = 0; pipeline < parallel.pipeline; ++pipeline)
        for (std::uint64_t data = 0; data < parallel.data; ++data) {
          const RankShard shard = checkpoint_shard(model, parallel, {}, {tensor, pipeline, data});
          sum += shard.sum();
          files += shard.files();
        }
    const CheckpointSize size = checkpoint_size(model, parallel, {});
    EXPECT_NEAR(size.sum().value() / sum.value(), 1, 1e-12) << stage;
    EXPECT_EQ(size.files(), files) << stage;
    EXPECT_NEAR(size.sum().value() / (model.parameters().value() * 14), 1, 1e-3) << stage;
  }
}

TEST(CheckpointShards, WithoutZeroOneReplicaWritesAll) {
  const ModelShape model = find_model("resnet50").value();
  const Parallelism parallel{.data = 64};
  const CheckpointSize size = checkpoint_size(model, parallel, {});
  EXPECT_EQ(size.sum().value(), 25557032.0 * 14);
  EXPECT_EQ(size.largest.sum(), size.sum());
  EXPECT_EQ(size.smallest.sum(), Bytes(0));
  EXPECT_EQ(size.files(), Count(2));
  EXPECT_EQ(checkpoint_size(model, parallel, {Bytes(4), Bytes(0)}).files(), Count(1));
}

TEST(ModelShape, TheCatalogueIsWhole) {
  for (const std::string& name : model_names()) {
    const Result<ModelShape> model = find_model(name);
    ASSERT_TRUE(model) << model.error().message();
    EXPECT_EQ(model->name, name);
    EXPECT_GT(model->parameters(), Count(0));
  }
  EXPECT_EQ(model_of_workload("gpt3"), "gpt3-175b");
  EXPECT_EQ(model_of_workload("unet3d"), "unet3d");
  EXPECT_EQ(model_of_workload("dlrm_v2"), "dlrm");
  EXPECT_EQ(model_of_workload("cosmoflow"), "");
  EXPECT_NEAR(find_model("gpt3-175b")->parameters().value() / 175e9, 1, 0.003);
  EXPECT_EQ(find_model("lama3-8b").error().message(),
            "unknown model 'lama3-8b', did you mean 'llama3-8b'?");
}

TEST(ModelShape, WrongFilesAreNamed) {
  const auto message = [](std::string rest) {
    const auto model = parse_model("name: a\ntitle: t\nsource: s\n" + rest, "mine.yaml");
    return model ? std::string() : model.error().message();
  };
  EXPECT_EQ(message(""),
            "mine.yaml:1:1: a model has either 'transformer', or 'tensors' or 'parameters'");
  EXPECT_EQ(message("parameters: 1\ntransformer: {layers: 1}\n"),
            "mine.yaml:1:1: a model has either 'transformer', or 'tensors' or 'parameters'");
  EXPECT_NE(message("parameters: 0\n").find("mine.yaml:4:13"), std::string::npos);
  EXPECT_NE(message("transformer: {layers: 1, hidden: 2}\n").find("feed_forward"),
            std::string::npos);
  EXPECT_EQ(message("transformer: {layers: 1, hidden: 2, feed_forward: 4, heads: 4, vocabulary: "
                    "9}\n"),
            "mine.yaml:4:14: 2 hidden units, 4 heads and 4 kv_heads do not fit together");
  EXPECT_EQ(message("parameters: 5\nparallelism: {zero_stage: 4, source: s}\n").substr(0, 14),
            "mine.yaml:5:27");
  EXPECT_EQ(message("parameters: 5\nshared_timings: maybe\n"),
            "mine.yaml:5:17: 'maybe' is neither true nor false");
}

}  // namespace
}  // namespace feedrate

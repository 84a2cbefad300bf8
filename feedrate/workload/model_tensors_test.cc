#include "feedrate/workload/model_tensors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "feedrate/workload/model_shape.h"

namespace feedrate {
namespace {

Result<ModelShape> model_of(const std::string& rest) {
  return parse_model("name: a\ntitle: t\nsource: s\n" + rest, "mine.yaml");
}
std::string message(const std::string& rest) {
  const Result<ModelShape> model = model_of(rest);
  return model ? std::string() : model.error().message();
}
std::string names(const std::string& rest) {
  const Result<ModelShape> model = model_of(rest);
  if (!model) return model.error().message();
  std::string text;
  for (const ModelTensor& tensor : model->tensors) text += tensor.name + " ";
  return text;
}
std::uint64_t elements_below(const ModelShape& model, std::string_view prefix) {
  std::uint64_t sum = 0;
  for (const ModelTensor& tensor : model.tensors)
    if (tensor.name.starts_with(prefix)) sum += tensor.elements();
  return sum;
}

// Parameters and tensors as they are published or follow from what is:
//   resnet50, retinanet  num_params of torchvision's ResNet50, ResNeXt50_32X4D and
//                        RetinaNet_ResNet50_FPN weights
//   bert-large           12 B each and 16 B are the storage benchmark's 4,034,713,312 B
//   unet3d               16 B each and 109,303 B are its 499,153,191 B
//   dlrm                 num_embeddings_per_feature of mlcommons/training recommendation_v2
//   rnnt                 the sums worked out in its file
TEST(ModelTensors, TheCatalogueHasThePublishedCounts) {
  const struct {
    const char* name;
    std::uint64_t parameters;
    std::size_t tensors;
  } rows[] = {{"resnet50", 25557032, 161}, {"bert-large", 336226108, 398},
              {"retinanet", 37060652, 89}, {"rnnt", 49006080, 35},
              {"unet3d", 31190243, 78},    {"dlrm", 26151671809, 51}};
  for (const auto& row : rows) {
    const ModelShape model = find_model(row.name).value();
    EXPECT_EQ(model.given_parameters, row.parameters) << row.name;
    EXPECT_EQ(model.tensors.size(), row.tensors) << row.name;
  }
}

TEST(ModelTensors, PartsAreThoseOfPublishedModels) {
  const ModelShape bert = find_model("bert-large").value();
  EXPECT_EQ(elements_below(bert, "bert."), 335141888U);
  EXPECT_EQ(bert.given_parameters * 12 + 16, 4034713312U);

  EXPECT_EQ(find_model("unet3d")->given_parameters * 16 + 109303, 499153191U);

  // A ResNeXt-50 without its head and its 2 x 34,112 values of batch norms.
  const ModelShape retinanet = find_model("retinanet").value();
  EXPECT_EQ(elements_below(retinanet, "backbone.body."), 25028904U - 2049000 - 2 * 34112);
  // The rest is torchvision's RetinaNet without the body of a ResNet-50, but for the classes.
  const std::uint64_t rest = 34014999U - (25557032 - 2049000 - 2 * 26560);
  EXPECT_EQ(elements_below(retinanet, "backbone.fpn.") + elements_below(retinanet, "head.") -
                9 * (264 - 91) * (9 * 256 + 1),
            rest);

  const ModelShape dlrm = find_model("dlrm").value();
  EXPECT_EQ(elements_below(dlrm, "sparse_arch."), 204184588U * 128ULL);
  EXPECT_EQ(dlrm.row_wise_parameters(), Count(204184588.0 * 128));
}

TEST(ModelTensors, BracesStandForSeveralNames) {
  EXPECT_EQ(names("tensors: [{name: a, shape: [2]}]\n"), "a ");
  EXPECT_EQ(names("tensors: [{name: 'l{9..11}.{w,b}', shape: [2]}]\n"),
            "l9.w l9.b l10.w l10.b l11.w l11.b ");
  EXPECT_EQ(names("tensors: [{name: 'w{,_reverse}', shape: [2]}]\n"), "w w_reverse ");
  EXPECT_EQ(names("tensors: [{name: 'l{0..1}', tensors: [{name: a, shape: [1]}, {name: b, shape: "
                  "[1, 2, 3, 4, 5]}]}]\n"),
            "l0.a l0.b l1.a l1.b ");
}

TEST(ModelTensors, ParametersAreTheirSum) {
  const ModelShape model =
      model_of("tensors: [{name: '{a,b}', shape: [2, 3]}, {name: c, shape: [5]}]\n").value();
  EXPECT_EQ(model.parameters(), Count(17));
  EXPECT_TRUE(model_of("tensors: [{name: c, shape: [5]}]\nparameters: 5\n"));
  EXPECT_EQ(message("tensors: [{name: '{a,b}', shape: [2]}]\nparameters: 5\n"),
            "mine.yaml:5:13: 'parameters' is 5, but the 2 of 'tensors' have 4");
  EXPECT_EQ(message("tensors: [{name: c, shape: [5]}]\ntransformer: {layers: 1}\n"),
            "mine.yaml:1:1: a model has either 'transformer', or 'tensors' or 'parameters'");
}

TEST(ModelTensors, ShardingIsInherited) {
  const ModelShape model =
      model_of(
          "tensors: [{name: e, sharding: row_wise, tensors: [{name: a, shape: [4, 2]}]}, "
          "{name: b, shape: [1]}]\n")
          .value();
  EXPECT_TRUE(model.tensors[0].row_wise);
  EXPECT_FALSE(model.tensors[1].row_wise);
  EXPECT_EQ(model.row_wise_parameters(), Count(8));
}

TEST(ModelTensors, WrongListsAreNamed) {
  const struct {
    const char *tensors, *message;
  } rows[] = {
      {"5", "mine.yaml:4:10: a list is expected here"},
      {"[]", "mine.yaml:4:10: there are no tensors"},
      {"[3]", "mine.yaml:4:11: a tensor must be a mapping of keys to values"},
      {"[{name: a, shap: [1]}]",
       "mine.yaml:4:21: unknown key 'shap' in a tensor, did you mean 'shape'?"},
      {"[{shape: [1]}]", "mine.yaml:4:11: key 'name' is missing"},
      {"[{name: a}]",
       "mine.yaml:4:11: a tensor has either 'shape' or, if it is a group, 'tensors'"},
      {"[{name: a, shape: [1], tensors: []}]",
       "mine.yaml:4:11: a tensor has either 'shape' or, if it is a group, 'tensors'"},
      {"[{name: a, shape: 4}]", "mine.yaml:4:28: a list is expected here"},
      {"[{name: a, shape: []}]", "mine.yaml:4:28: a tensor of 0 dimensions"},
      {"[{name: a, shape: [1, 1, 1, 1, 1, 1]}]", "mine.yaml:4:28: a tensor of 6 dimensions"},
      {"[{name: a, shape: [2, 0]}]",
       "mine.yaml:4:32: value: value is too small (0), at least 1 is needed"},
      {"[{name: a, shape: [-2]}]", "mine.yaml:4:29: value: '-2' is not a whole number"},
      {"[{name: a, shape: [1.5]}]", "mine.yaml:4:29: value: '1.5' is not a whole number"},
      {"[{name: a, shape: [99999999999999999999]}]",
       "mine.yaml:4:29: value: value is too large (99999999999999999999), at most 1000000000000000 "
       "is allowed"},
      {"[{name: a, shape: [4294967296, 4294967296, 16]}]",
       "mine.yaml:4:28: the tensor has more than 1000000000000000 elements"},
      {"[{name: '{0..9}', shape: [1000000000000000]}]",
       "mine.yaml:4:10: the tensors have more than 1000000000000000 elements"},
      {"[{name: '{0..99999}.{0..99}', shape: [1]}]", "mine.yaml:4:18: more than 100000 tensors"},
      {"[{name: '{0..18446744073709551615}', shape: [1]}]",
       "mine.yaml:4:18: more than 100000 tensors"},
      {"[{name: '{0..999}', tensors: [{name: '{0..999}', shape: [1]}]}]",
       "mine.yaml:4:39: more than 100000 tensors"},
      {"[{name: '{0..99999}', shape: [1]}, {name: a, shape: [1]}]",
       "mine.yaml:4:10: more than 100000 tensors"},
      {"[{name: 'a{2..1}', shape: [1]}]", "mine.yaml:4:18: '{2..1}' stands for no names"},
      {"[{name: 'a{0..x}', shape: [1]}]", "mine.yaml:4:18: '{0..x}' stands for no names"},
      {"[{name: 'a{}', shape: [1]}]", "mine.yaml:4:18: '{}' stands for no names"},
      {"[{name: 'a{b,{c}}', shape: [1]}]", "mine.yaml:4:18: '{b,{c}' stands for no names"},
      {"[{name: 'a{b', shape: [1]}]", "mine.yaml:4:18: 'a{b' has braces that do not close"},
      {"[{name: 'a b', shape: [1]}]", "mine.yaml:4:18: 'a b' is not a name for a tensor"},
      {"[{name: '{,a}', shape: [1]}]", "mine.yaml:4:18: '{,a}' is not a name for a tensor"},
      {"[{name: a, shape: [1]}, {name: '{b,a}', shape: [1]}]",
       "mine.yaml:4:10: tensor 'a' stands here twice"},
      {"[{name: a, shape: [1], sharding: column_wise}]",
       "mine.yaml:4:43: unknown sharding 'column_wise'"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(message(std::string("tensors: ") + row.tensors + "\n"), row.message) << row.tensors;
  const std::string longest(255, 'a');
  EXPECT_EQ(message("tensors: [{name: " + longest + ", shape: [1]}]\n"), "");
  EXPECT_EQ(message("tensors: [{name: " + longest + "a, shape: [1]}]\n"),
            "mine.yaml:4:18: '" + longest + "a' is not a name for a tensor");
  EXPECT_EQ(message("tensors: [{name: b, tensors: [{name: " + longest + ", shape: [1]}]}]\n"),
            "mine.yaml:4:30: a tensor's name is longer than 255 bytes");
}

TEST(ModelTensors, EveryErrorHasItsRemedy) {
  const auto remedy = [](const std::string& rest) {
    const Result<ModelShape> model = model_of(rest);
    return model ? "no error" : model.error().hint();
  };
  const std::string long_name(255, 'a');
  EXPECT_EQ(remedy("tensors: [{name: '{0..99999}.{0..99}', shape: [1]}]\n"),
            "list the layers of one model");
  EXPECT_EQ(remedy("tensors: [{name: 'a b', shape: [1]}]\n"),
            "use letters, digits and ._-/, at most 255");
  EXPECT_EQ(remedy("tensors: [{name: a, shape: [1], sharding: column_wise}]\n"),
            "use row_wise for the rows of an embedding table, or leave it out");
  EXPECT_EQ(remedy("tensors: [{name: a, shape: []}]\n"), "write 1 to 5 sizes");
  EXPECT_EQ(remedy("tensors: [{name: a, shape: [4294967296, 4294967296, 16]}]\n"),
            "check its sizes");
  EXPECT_EQ(remedy("tensors: [{name: b, tensors: [{name: " + long_name + ", shape: [1]}]}]\n"),
            "use shorter names");
  EXPECT_EQ(remedy("tensors: []\n"), "write it like [{name: a, shape: [2, 3]}]");
  EXPECT_EQ(remedy("tensors: [{name: a, shape: [1]}, {name: '{b,a}', shape: [1]}]\n"),
            "give each its own name");
  EXPECT_EQ(remedy("tensors: [{name: '{0..9}', shape: [1000000000000000]}]\n"),
            "check their sizes");
  EXPECT_EQ(remedy("tensors: [{name: c, shape: [5]}]\ntransformer: {layers: 1}\n"),
            "give the layers of a transformer, or the tensors or their sum of another");
  EXPECT_EQ(remedy("transformer: {layers: 1, hidden: 2, feed_forward: 4, heads: 4, "
                   "vocabulary: 8}\n"),
            "kv_heads is at most heads, heads at most hidden");
}

TEST(ModelTensors, AScaledListHasAllItsTensors) {
  const ModelShape model =
      model_of(
          "tensors: [{name: t, shape: [1000, 128], sharding: row_wise}, {name: c, shape: "
          "[400, 100, 3, 3]}, {name: b, shape: [100]}, {name: s, shape: [1, 3]}]\n")
          .value();
  const ModelShape small = scaled(model, 0.01);
  EXPECT_EQ(small.tensors[0].shape, (std::vector<std::uint64_t>{10, 128}));
  EXPECT_EQ(small.tensors[1].shape, (std::vector<std::uint64_t>{40, 10, 3, 3}));
  EXPECT_EQ(small.tensors[2].shape, (std::vector<std::uint64_t>{10}));
  EXPECT_EQ(small.tensors[3].shape, (std::vector<std::uint64_t>{1, 1}));
  EXPECT_EQ(small.given_parameters, 1280U + 3600 + 10 + 1);
  EXPECT_EQ(scaled(model, 1).tensors, model.tensors);
  for (const char* name : {"resnet50", "bert-large", "retinanet", "rnnt", "unet3d", "dlrm"}) {
    const ModelShape whole = find_model(name).value();
    for (const double share : {0.5, 0.1, 0.01}) {
      const ModelShape part = scaled(whole, share);
      EXPECT_EQ(part.tensors.size(), whole.tensors.size()) << name;
      EXPECT_NEAR(part.parameters().value() / (whole.parameters().value() * share), 1, 0.05)
          << name << " " << share;
    }
  }
}

}  // namespace
}  // namespace feedrate

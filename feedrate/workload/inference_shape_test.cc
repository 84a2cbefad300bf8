#include "feedrate/workload/inference_shape.h"

#include <gtest/gtest.h>

#include "feedrate/workload/accelerator_type.h"

namespace feedrate {
namespace {

TEST(InferenceShape, TheCatalogueIsWhole) {
  EXPECT_EQ(inference_names(),
            (std::vector<std::string>{"bert", "dlrm", "resnet50", "retinanet", "rnnt", "unet3d"}));
  for (const std::string& name : inference_names()) {
    const Result<InferenceShape> shape = find_inference(name);
    ASSERT_TRUE(shape) << shape.error().message();
    EXPECT_EQ(shape->name, name);
    for (const InferenceRate& rate : shape->rates) EXPECT_GE(rate.offline, rate.server);
  }
  EXPECT_EQ(inference_of_workload("dlrm_v1"), "dlrm");
  EXPECT_EQ(inference_of_workload("cosmoflow"), "");
  EXPECT_EQ(find_inference("brt").error().message(),
            "unknown inference workload 'brt', did you mean 'bert'?");
}

// The bytes in at the published rates of one H100: mlcommons/inference_results_v3.0.
TEST(InferenceShape, PublishedIngress) {
  const auto ingress = [](const char* name) {
    const InferenceShape shape = find_inference(name).value();
    return (shape.rate("h100")->offline * shape.input).value() / 1e9;
  };
  EXPECT_NEAR(ingress("resnet50"), 13.8, 0.05);
  EXPECT_NEAR(ingress("retinanet"), 2.84, 0.01);
  EXPECT_NEAR(ingress("unet3d"), 0.23, 0.005);
  EXPECT_NEAR(ingress("rnnt"), 11.1, 0.05);
  EXPECT_NEAR(ingress("bert"), 0.043, 0.0005);
  EXPECT_NEAR(ingress("dlrm"), 31.4, 0.05);
}

TEST(InferenceShape, UnknownKeysAreNamed) {
  const auto message = [](const char* yaml) {
    const auto shape = parse_inference(yaml, "mine.yaml");
    return shape ? "no error" : shape.error().message();
  };
  EXPECT_EQ(message("nam: x\n"),
            "mine.yaml:1:1: unknown key 'nam' in an inference shape, did you mean 'name'?");
  EXPECT_EQ(message("name: x\ntitle: x\nsource: x\ninput_note: x\nrates_source: x\ninput: 3B\n"
                    "rates: {h100: {offlin: 3}}\n"),
            "mine.yaml:7:16: unknown key 'offlin' in the rates of an accelerator, did you mean "
            "'offline'?");
}

TEST(InferenceShape, UnknownAcceleratorsAreNamed) {
  const Error error = find_inference("bert")->rate("v100").error();
  EXPECT_EQ(error.message(), "no inference rate of bert is published for 'v100'");
  EXPECT_EQ(error.hint(), "known are a100, h100");
}

TEST(AcceleratorType, HasItsMemory) {
  for (const std::string& name : accelerator_type_names())
    EXPECT_EQ(find_accelerator_type(name)->name, name);
  EXPECT_EQ(find_accelerator_type("h100")->memory, Bytes(80e9));
  EXPECT_EQ(find_accelerator_type("H100")->name, "h100");
  EXPECT_EQ(find_inference("bert")->rate("H100")->accelerator, "h100");
  EXPECT_EQ(find_accelerator_type("h1000").error().message(),
            "unknown accelerator 'h1000', did you mean 'h100'?");
}

}  // namespace
}  // namespace feedrate

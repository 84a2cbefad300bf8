#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "feedrate/storage/model/model.h"

namespace feedrate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

StorageModel parsed(std::string_view yaml) {
  const auto model = parse_storage_model(yaml, "m.yaml");
  EXPECT_TRUE(model) << model.error().render();
  return model ? *model : StorageModel{};
}
std::string error_of(const std::string& yaml) {
  const auto model = parse_storage_model(yaml, "m.yaml");
  return model ? "no error" : model.error().render();
}

TEST(StorageModelYaml, ReadsEveryKey) {
  const StorageModel model = parsed(
      "name: slow-nas\nbacking: posix\nlatency: 2ms\nopen: 500us\nstream_bandwidth: 500MB/s\n"
      "bandwidth: 2GB/s\noperations_per_second: 50000\n");
  EXPECT_EQ(model.name, "slow-nas");
  EXPECT_EQ(model.backing, "posix");
  EXPECT_EQ(model.latency_shape, LatencyShape::kFixed);
  EXPECT_EQ(model.latency, milliseconds(2));
  EXPECT_EQ(model.open_latency, microseconds(500));
  EXPECT_EQ(model.stream_bytes_per_second, 500e6);
  EXPECT_EQ(model.bytes_per_second, 2e9);
  EXPECT_EQ(model.operations_per_second, 50'000);
}

TEST(StorageModelYaml, LeavesOutWhatIsNotLimited) {
  const StorageModel model = parsed("name: free\n");
  EXPECT_EQ(model.backing, "null");
  EXPECT_EQ(model.latency, Duration(0));
  EXPECT_EQ(model.bytes_per_second, 0);
  EXPECT_EQ(model.operations_per_second, 0);
}

TEST(StorageModelYaml, ReadsTheShapesOfLatency) {
  const StorageModel lognormal =
      parsed("name: a\nlatency: {distribution: lognormal, median: 1ms, p99: 20ms}\n");
  EXPECT_EQ(lognormal.latency_shape, LatencyShape::kLognormal);
  EXPECT_EQ(lognormal.latency, milliseconds(1));
  EXPECT_EQ(lognormal.latency_p99, milliseconds(20));
  const StorageModel exponential =
      parsed("name: a\nlatency:\n  distribution: exponential\n  mean: 3ms\n");
  EXPECT_EQ(exponential.latency_shape, LatencyShape::kExponential);
  EXPECT_EQ(exponential.latency, milliseconds(3));
}

TEST(StorageModelYaml, NamesUnknownKeys) {
  EXPECT_EQ(
      error_of("name: a\nbandwith: 2GB/s\n"),
      "error: m.yaml:2:1: unknown key 'bandwith' in storage model, did you mean 'bandwidth'?\n"
      "hint:  keys are name, backing, latency, open, stream_bandwidth, bandwidth, "
      "operations_per_second, slow, sizing\n");
  EXPECT_EQ(error_of("name: a\nlatency: {distribution: exponential, median: 1ms}\n"),
            "error: m.yaml:2:38: unknown key 'median' in an exponential latency, did you mean "
            "'mean'?\n"
            "hint:  keys are distribution, mean\n");
  EXPECT_EQ(error_of("latency: 1ms\n"),
            "error: m.yaml:1:1: key 'name' is missing\nhint:  add 'name: ...'\n");
}

TEST(StorageModelYaml, NamesWrongValues) {
  EXPECT_EQ(error_of("name: a\nbacking: s3\n"),
            "error: m.yaml:2:10: unknown backing 's3'\nhint:  use \"posix\" or \"null\"\n");
  EXPECT_EQ(error_of("name: a\nlatency: 2h\n"),
            "error: m.yaml:2:10: 2h is outside 0 ns to 1h 00m\nhint:  write it like 3.5ms or 2s\n");
  EXPECT_EQ(error_of("name: a\nlatency: -2ms\n"),
            "error: m.yaml:2:10: time: '-2ms' is out of range\nhint:  times are 0 to 285 years\n");
  EXPECT_EQ(error_of("name: a\nopen: [1ms]\n"),
            "error: m.yaml:2:7: a single value is expected here\nhint:  write 'key: value'\n");
  EXPECT_EQ(error_of("name: a\nbandwidth: 2GB\n"),
            "error: m.yaml:2:12: '2GB' is not a rate\nhint:  write it like 2GB/s\n");
  EXPECT_EQ(error_of("name: a\nbandwidth: -1GB/s\n"),
            "error: m.yaml:2:12: rate: '-1GB' is out of range\nhint:  sizes are 0 B to 9.2 EB\n");
  EXPECT_EQ(error_of("name: a\nbandwidth: 0GB/s\n"),
            "error: m.yaml:2:12: a rate of 0 would never finish\n"
            "hint:  leave the key out for no limit\n");
  EXPECT_EQ(error_of("name: a\noperations_per_second: 0\n"),
            "error: m.yaml:2:24: 0 is outside 0.001 to 1000000000000\n"
            "hint:  use a number from 0.001 to 1000000000000\n");
}

TEST(StorageModelYaml, NamesWrongShapes) {
  EXPECT_EQ(error_of("name: a\nlatency: {distribution: normal, mean: 1ms}\n"),
            "error: m.yaml:2:25: unknown distribution 'normal', did you mean 'lognormal'?\n"
            "hint:  use exponential or lognormal; a fixed latency is written 'latency: 2ms'\n");
  EXPECT_EQ(error_of("name: a\nlatency: {mean: 1ms}\n"),
            "error: m.yaml:2:10: key 'distribution' is missing\nhint:  add 'distribution: ...'\n");
  EXPECT_EQ(error_of("name: a\nlatency: {distribution: lognormal, median: 2ms, p99: 1ms}\n"),
            "error: m.yaml:2:10: p99 is less than the median\n"
            "hint:  give a p99 at or above the median\n");
  EXPECT_EQ(error_of("name: a\nlatency: {distribution: lognormal, median: 0ms, p99: 1ms}\n"),
            "error: m.yaml:2:44: 0ms is outside 1 ns to 1h 00m\n"
            "hint:  write it like 3.5ms or 2s\n");
}

TEST(StorageModelYaml, LimitsTheSizeOfTheFile) {
  EXPECT_EQ(error_of("name: a\n" + std::string(1U << 20U, '#')),
            "error: m.yaml: the file is too large or nested too deep\n"
            "hint:  at most 1 MiB and 16 levels are read\n");
}

TEST(StorageModelYaml, EveryModelOfTheCatalogueParses) {
  std::size_t models = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(FEEDRATE_SOURCE_DIR "/catalog/storage")) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto model = parse_storage_model(text.str(), entry.path().string());
    ASSERT_TRUE(model) << model.error().render();
    EXPECT_EQ(model->name, entry.path().stem().string());
    EXPECT_GT(model->bytes_per_second + model->stream_bytes_per_second, 0) << model->name;
    ++models;
  }
  EXPECT_GE(models, 3U);
}

}  // namespace
}  // namespace feedrate

// Tests loading a model as an experiment, from each of the three sources.
#include "feedrate/experiment/load.h"

#include "feedrate/experiment/transfer_testing.h"

namespace feedrate {
namespace {

ModelShape model_to_load() {
  ModelShape model = tiny_model();
  model.name = "tiny";
  return model;
}

LoadSetup described_load(const std::string& storage) {
  LoadSetup setup;
  static_cast<TransferSetup&>(setup) = described_transfer(storage);
  setup.model = model_to_load();
  setup.directory = "x";
  return setup;
}

class Loading : public TransferTest {
 protected:
  LoadSetup loads(const std::string& directory) const {
    LoadSetup setup;
    static_cast<TransferSetup&>(setup) = real_transfer(directory);
    setup.model = model_to_load();
    setup.directory = directory;
    setup.source = find_load_source(setup.place, directory);
    return setup;
  }
  void write(std::uint64_t count) const {
    CheckpointSetup setup = checkpoints();
    setup.job.count = count;
    TransferTest::write(setup);
  }
};

TEST(LoadExperiment, DescribedFilesTakeTheirBytesByTheBandwidth) {
  const ModelFile file("bandwidth: 1MB/s\n");
  LoadSetup setup = described_load(file.storage());
  setup.replicas = 3;
  setup.tensor = 2;
  const Reported<LoadResult> done = load(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_TRUE(done.figures);
  const LoadResult& result = done.report;
  EXPECT_EQ(result.verb, "load");
  EXPECT_EQ(result.model, "tiny");
  EXPECT_EQ(result.source, "described files");
  EXPECT_EQ(result.read_bytes, 3 * result.needed_bytes);
  EXPECT_NEAR(static_cast<double>(result.needed_bytes), 2 * setup.model.parameters().value(),
              0.05 * static_cast<double>(result.needed_bytes));
  ASSERT_EQ(result.ready_seconds.size(), 3U);
  EXPECT_NEAR(result.last_ready_seconds(), static_cast<double>(result.read_bytes) / 1e6, 0.05);
  EXPECT_EQ(result.storage_basis, "nothing is moved");
  EXPECT_FALSE(result.storage_bytes);
  EXPECT_FALSE(result.verified);
  EXPECT_EQ(result.effective.at("replicas"), "3");
  EXPECT_EQ(result.effective.at("tensor-parallel"), "2");
  EXPECT_EQ(result.effective.at("weight-bytes"), "2");
  EXPECT_FALSE(result.effective.contains("step"));
  setup.weight_bytes = 1;
  const Reported<LoadResult> half = load(setup, {});
  EXPECT_LT(half.report.needed_bytes, 0.6 * static_cast<double>(result.needed_bytes));
  EXPECT_EQ(half.report.effective.at("weight-bytes"), "1");
}

TEST_F(Loading, OfACheckpointEachRankReadsWhatItNeeds) {
  write(1);
  LoadSetup setup = loads(directory_);
  ASSERT_EQ(setup.source, LoadSource::kOurs);
  setup.replicas = 2;
  setup.tensor = 2;
  const Reported<LoadResult> done = load(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  const LoadResult& result = done.report;
  EXPECT_EQ(result.source, "step 1 in \"" + directory_ + "\"");
  EXPECT_TRUE(result.verified);
  EXPECT_EQ(result.scale, 1);
  EXPECT_GE(result.read_bytes, 2 * result.needed_bytes);
  ASSERT_EQ(result.ready_seconds.size(), 2U);
  EXPECT_GT(result.first_ready_seconds(), 0);
  EXPECT_EQ(result.effective.at("step"), "1");
  EXPECT_EQ(result.effective.at("tensor-parallel"), "2");
  EXPECT_FALSE(result.effective.contains("weight-bytes"));
  if (!in_memory()) {
    EXPECT_EQ(result.warnings, std::vector{std::string(kThroughCache)});
  }
}

TEST_F(Loading, ADamagedOneIsLeftOut) {
  write(2);
  damage(2);
  const Reported<LoadResult> done = load(loads(directory_), {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_EQ(done.report.effective.at("step"), "1");
  ASSERT_EQ(done.report.skipped.size(), 1U);
  EXPECT_TRUE(done.report.skipped[0].starts_with("step 2: ")) << done.report.skipped[0];
}

TEST_F(Loading, ACheckpointOfAnotherModelIsRefused) {
  write(1);
  LoadSetup setup = loads(directory_);
  setup.model.name = "other";
  const Reported<LoadResult> done = load(setup, {});
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(done.ended.error().message(), "the checkpoint is of model tiny, not of other");
  EXPECT_FALSE(done.figures);
  EXPECT_EQ(done.report.effective.at("replicas"), "1");
  EXPECT_FALSE(done.report.effective.contains("step"));
}

TEST_F(Loading, OnlyTheStepThatWasAskedForIsTried) {
  write(2);
  LoadSetup setup = loads(directory_);
  setup.step = 1;
  EXPECT_EQ(load(setup, {}).report.effective.at("step"), "1");
  setup.step = 9;
  EXPECT_EQ(load(setup, {}).ended.error().kind(), ErrorKind::kNotFound);
}

TEST_F(Loading, FilesOfARealModelAreReadWholeByEachReplica) {
  std::filesystem::create_directories(directory_ + "/deep");
  const double parameters = model_to_load().parameters().value();
  temporary_.write("c/a.safetensors", std::string(static_cast<std::size_t>(parameters), 'x'));
  temporary_.write("c/deep/b.gguf", std::string(static_cast<std::size_t>(parameters), 'y'));
  temporary_.write("c/config.json", "{}");
  temporary_.write("c/empty.bin", "");
  LoadSetup setup = loads(directory_);
  ASSERT_EQ(setup.source, LoadSource::kForeign);
  setup.replicas = 2;
  const Reported<LoadResult> done = load(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  const LoadResult& result = done.report;
  EXPECT_EQ(result.source, "2 files in \"" + directory_ + "\"");
  EXPECT_EQ(static_cast<double>(result.needed_bytes), 2 * parameters);
  EXPECT_EQ(result.read_bytes, 2 * result.needed_bytes);
  EXPECT_EQ(result.ready_seconds.size(), 2U);
  EXPECT_FALSE(result.verified);
  EXPECT_FALSE(result.effective.contains("tensor-parallel"));
  EXPECT_EQ(result.warnings.size(), 1U) << "two bytes a parameter are nothing to warn of";
}

TEST_F(Loading, FilesThatCannotBeOfThisModelAreDoubted) {
  std::filesystem::create_directory(directory_);
  temporary_.write("c/a.bin", "tiny");
  const auto last_warning = [&] { return load(loads(directory_), {}).report.warnings.back(); };
  EXPECT_TRUE(last_warning().starts_with("4 B are 0.00 B for each of the ")) << last_warning();
  EXPECT_TRUE(last_warning().ends_with(" parameters of tiny")) << last_warning();
  std::ofstream(directory_ + "/a.bin").close();
  const auto far_too_many = static_cast<std::uintmax_t>(model_to_load().parameters().value() * 30);
  std::filesystem::resize_file(directory_ + "/a.bin", far_too_many);
  EXPECT_NE(last_warning().find(" are 30.00 B for each of the "), std::string::npos)
      << last_warning();
}

TEST_F(Loading, ADirectoryWithoutAModelIsRefused) {
  std::filesystem::create_directory(directory_);
  temporary_.write("c/readme.txt", "text");
  const Reported<LoadResult> done = load(loads(directory_), {});
  ASSERT_FALSE(done.ended);
  EXPECT_EQ(done.ended.error().render(),
            "error: \"" + directory_ +
                "\" has no files of a model: none ends in .safetensors, .bin, .pt, .pth, .gguf, "
                ".onnx\nhint:  name a directory with the files of a model, or one that 'feedrate "
                "checkpoint' wrote to\n");
  EXPECT_FALSE(done.figures);
}

TEST_F(Loading, ThroughThePageCacheTheCounterOfTheProcessTells) {
  write(1);
  std::filesystem::create_directory(temporary_.path("self"));
  LoadSetup setup = loads(directory_);
  setup.host.proc = temporary_.path();
  const LoadResult unknown = load(setup, {}).report;
  EXPECT_EQ(unknown.storage_basis, "this kernel does not count it (/proc/self/io)");
  EXPECT_FALSE(unknown.storage_bytes);
  temporary_.write("self/io", "rchar: 7\nread_bytes: 4096\n");
  const LoadResult counted = load(setup, {}).report;
  EXPECT_EQ(counted.storage_basis,
            "read_bytes of /proc/self/io; the rest came from the page cache");
  EXPECT_EQ(counted.storage_bytes, 0U) << "only what the counter grew by";
}

TEST_F(Loading, DirectReadsAllComeFromStorage) {
  if (!probe_direct_io(temporary_.path()).works) GTEST_SKIP() << "no direct I/O here";
  write(1);
  LoadSetup setup = loads(directory_);
  setup.place.io = IoMode::kDirect;
  const Reported<LoadResult> done = load(setup, {});
  ASSERT_TRUE(done.ended) << done.ended.error().message();
  EXPECT_EQ(done.report.storage_basis, "direct I/O");
  EXPECT_EQ(done.report.storage_bytes, done.report.read_bytes);
  if (!in_memory()) {
    EXPECT_EQ(done.report.warnings, std::vector<std::string>{});
  }
}

TEST_F(Loading, AStopEndsItWhereverItIs) {
  write(1);
  EXPECT_EQ(load(loads(directory_), stopped_hooks()).ended.error().kind(), ErrorKind::kCancelled);
  temporary_.write("a.bin", "tiny");
  EXPECT_EQ(load(loads(temporary_.path()), stopped_hooks()).ended.error().kind(),
            ErrorKind::kCancelled);
  const ModelFile file("bandwidth: 1MB/s\n");
  const Reported<LoadResult> simulated = load(described_load(file.storage()), stopped_hooks());
  EXPECT_FALSE(simulated.ended);
  EXPECT_FALSE(simulated.figures);
}

TEST(LoadExperiment, WithoutBytesTheSourceIsTheDescription) {
  EXPECT_EQ(find_load_source({.spec = costs_nothing(), .directory = "."}, "/"),
            LoadSource::kDescribed);
}

}  // namespace
}  // namespace feedrate

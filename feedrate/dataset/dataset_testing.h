// Helpers for tests of data sets: a folder of their own, and small plans.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "feedrate/dataset/generate.h"

namespace feedrate::testing {

namespace fs = std::filesystem;

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest() {
    std::string pattern = (fs::temp_directory_path() / "feedrate_dataset_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~DatasetTest() override { fs::remove_all(directory_); }

  static DatasetPlan small_plan(const std::string& format, std::uint64_t files,
                                std::uint64_t per_file) {
    DatasetPlan plan;
    plan.workload = "test";
    plan.format = format;
    plan.files = files;
    plan.samples_per_file = per_file;
    plan.sample_bytes_mean = 50000;
    plan.sample_bytes_stdev = 9000;
    plan.classes = 10;
    plan.seed = 7;
    return plan;
  }
  static std::shared_ptr<const Dataset> make(const DatasetPlan& plan, const std::string& where) {
    auto dataset = Dataset::from_plan(plan, where);
    EXPECT_TRUE(dataset.has_value());
    return *dataset;
  }
  static Result<GenerateSummary> generate(const Dataset& dataset, std::stop_token stop = {}) {
    auto group = ReactorGroup::make(ClockKind::kReal, IoEngine::kAuto, 2);
    auto storage = make_storage_factory(local_files(), IoMode::kBuffered, ".", 0);
    GenerateProgress progress;
    return generate_dataset(**group, storage, dataset, {2, 65536}, progress, stop);
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(directory_ + "/" + name).parent_path());
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
  }
  std::string directory_;
};

}  // namespace feedrate::testing

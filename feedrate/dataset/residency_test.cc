#include "feedrate/dataset/residency.h"

#include "feedrate/dataset/dataset_testing.h"
#include "feedrate/dataset/scan.h"
#include "feedrate/host/mounts.h"

namespace feedrate {
namespace {

using DatasetResidency = testing::DatasetTest;

std::vector<std::string> paths_of(const FileList& files) {
  std::vector<std::string> paths;
  paths.reserve(files.count);
  for (std::uint64_t i = 0; i < files.count; ++i) paths.push_back(files.path(i));
  return paths;
}

TEST_F(DatasetResidency, LabelsBelongToTheFilesOfADataSet) {
  DatasetPlan plan = small_plan("file", 2, 1);
  plan.labels = LabelPlacement::kSideFile;
  plan.label_bytes = 128;
  const auto dataset = make(plan, directory_);
  const auto paths = paths_of(files_of(*dataset));
  ASSERT_EQ(paths.size(), 4U);
  EXPECT_EQ(paths[0], dataset->full_path(0));
  EXPECT_EQ(paths[3], directory_ + "/" + dataset->side_file(1).path);
  plan.labels = LabelPlacement::kManifest;
  const auto with_manifest = make(plan, directory_);
  EXPECT_EQ(paths_of(files_of(*with_manifest)).back(),
            directory_ + "/" + with_manifest->label_manifest().path);
}

TEST_F(DatasetResidency, WhatWasJustWrittenIsDropped) {
  const auto dataset = make(small_plan("tfrecord", 3, 4), directory_);
  ASSERT_TRUE(generate(*dataset));
  const auto mount = find_mount(directory_);
  if (!mount || is_memory_file_system(mount->file_system))
    GTEST_SKIP() << "the temporary folder is not on storage";
  EXPECT_EQ(dataset_residency(*dataset).resident_share(), 1);
  const DropSummary dropped = drop_page_cache(*dataset);
  EXPECT_EQ(dropped.files, 3U);
  EXPECT_EQ(dropped.bytes_before, dataset->bytes());
  EXPECT_EQ(dropped.bytes_after, 0U);
  EXPECT_EQ(dataset_residency(*dataset).resident_share(), 0);
}

}  // namespace
}  // namespace feedrate
